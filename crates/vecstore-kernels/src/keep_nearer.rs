//! Those of some distances that are below a limit.

use crate::signs::CandidatePool;

/// Distances computed side by side, so that the compiler may use vector registers.
const LANES: usize = 16;

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
