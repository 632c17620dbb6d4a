//! The position of the smallest of some distances.

/// Distances compared side by side, so that the compiler may use vector registers.
const LANES: usize = 16;

/// The body of the search for the nearest candidate, inlined into a function of each tier. The first of equals by lane
/// wins: the same on every tier.
#[inline(always)]
pub(crate) fn nearest(distances: &[f32]) -> usize {
    let (blocks, rest) = distances.as_chunks::<LANES>();
    let (mut least, mut at) = ([f32::INFINITY; LANES], [0u32; LANES]);
    for (block, values) in blocks.iter().enumerate() {
        for lane in 0..LANES {
            let is_less = values[lane] < least[lane];
            least[lane] = if is_less { values[lane] } else { least[lane] };
            at[lane] = if is_less { block as u32 } else { at[lane] };
        }
    }
    let (mut best, mut position) = (f32::INFINITY, 0);
    for lane in 0..LANES {
        if least[lane] < best {
            (best, position) = (least[lane], at[lane] as usize * LANES + lane);
        }
    }
    for (lane, &value) in rest.iter().enumerate() {
        if value < best {
            (best, position) = (value, blocks.len() * LANES + lane);
        }
    }
    position
}
