//! The position of the smallest of some distances, and those below a limit.

use crate::signs::CandidatePool;

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

/// The body of [`Kernels::keep_nearer`](crate::Kernels::keep_nearer), inlined into a function of each tier.
#[inline(always)]
pub(crate) fn keep_nearer(
    products: &[i32],
    (factors, squares): (&[f32], &[f32]),
    (factor, square): (f32, f32),
    limit: f32,
    pool: &mut CandidatePool,
) {
    let blocks = products.chunks(LANES).zip(factors.chunks(LANES)).zip(squares.chunks(LANES));
    for (block, ((products, factors), squares)) in blocks.enumerate() {
        let mut distances = [f32::INFINITY; LANES];
        if let (Ok(products), Ok(factors), Ok(squares)) = (
            <&[i32; LANES]>::try_from(products),
            <&[f32; LANES]>::try_from(factors),
            <&[f32; LANES]>::try_from(squares),
        ) {
            for lane in 0..LANES {
                distances[lane] = square + squares[lane] + factor * factors[lane] * products[lane] as f32;
            }
        } else {
            for lane in 0..products.len() {
                distances[lane] = square + squares[lane] + factor * factors[lane] * products[lane] as f32;
            }
        }
        let mut is_near = [0u8; LANES];
        for lane in 0..LANES {
            is_near[lane] = u8::from(distances[lane] < limit);
        }
        // Most blocks hold none.
        if u128::from_le_bytes(is_near) == 0 {
            continue;
        }
        for (lane, &distance) in distances.iter().enumerate().take(products.len()) {
            if distance < limit {
                pool.push(distance, (block * LANES + lane) as u32);
            }
        }
    }
}
