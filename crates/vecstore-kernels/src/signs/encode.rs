//! Encoding of rows into blocks.

use super::{GROUP, SIGN_ROWS};

/// Sums kept side by side, so that the compiler may use vector registers.
const LANES: usize = 16;

/// The body of [`Kernels::encode_sign_row`](crate::Kernels::encode_sign_row), inlined into a function of each tier.
#[inline(always)]
pub(crate) fn encode(centre: &[f32], row: &[f32], place: usize, id: u32, signs: &mut [u8], block: &mut [u8]) {
    let dim = centre.len();
    let (mut squares, mut sums, mut offsets) = ([0.0f32; LANES], [0.0f32; LANES], [0.0f32; LANES]);
    let chunks = centre.as_chunks::<LANES>().0.iter().zip(row.as_chunks::<LANES>().0);
    for ((centre, row), signs) in chunks.zip(signs.as_chunks_mut::<LANES>().0) {
        for lane in 0..LANES {
            let rest = row[lane] - centre[lane];
            let is_positive = rest >= 0.0;
            squares[lane] += rest * rest;
            sums[lane] += rest.abs();
            offsets[lane] += if is_positive { centre[lane] } else { -centre[lane] };
            signs[lane] = u8::from(is_positive);
        }
    }
    let total = |mut lanes: [f32; LANES]| {
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                lanes[lane] += lanes[lane + width];
            }
            width /= 2;
        }
        lanes[0]
    };
    let (square, sum, offset) = (total(squares), total(sums), total(offsets));
    let factor = if sum > 0.0 { square / sum } else { 0.0 };
    let (codes, factors) = block.split_at_mut(dim * SIGN_ROWS / 8);
    let (byte, shift) = (place % 16, place / 16 * GROUP);
    for (group, signs) in codes.as_chunks_mut::<16>().0.iter_mut().zip(signs.as_chunks::<GROUP>().0) {
        // The four lowest bits of the bytes, gathered by one multiplication.
        let four = (u32::from_le_bytes(*signs).wrapping_mul(0x1020_4080) >> 28) as u8;
        group[byte] = group[byte] & !(0xF << shift) | four << shift;
    }
    let words = [(square + 2.0 * factor * offset).to_bits(), (-2.0 * factor).to_bits(), id];
    for (n, word) in words.into_iter().enumerate() {
        factors[(n * SIGN_ROWS + place) * 4..][..4].copy_from_slice(&word.to_le_bytes());
    }
}
