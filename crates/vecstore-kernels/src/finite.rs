//! The search for NaN and infinities.

/// Values checked at a time without a branch.
const BLOCK: usize = 64;

/// Returns the position of the first NaN or infinity.
///
/// Plain Rust that the compiler vectorises for the features of the function it is inlined into.
#[inline(always)]
pub(crate) fn first_non_finite(values: &[f32]) -> Option<usize> {
    let (blocks, rest) = values.as_chunks::<BLOCK>();
    for (index, block) in blocks.iter().enumerate() {
        if block.iter().fold(false, |found, &value| found | is_non_finite(value)) {
            let within = block.iter().position(|&value| is_non_finite(value));
            return within.map(|position| index * BLOCK + position);
        }
    }
    let within = rest.iter().position(|&value| is_non_finite(value));
    within.map(|position| blocks.len() * BLOCK + position)
}

/// NaN and infinities are the values with all exponent bits set.
#[inline(always)]
fn is_non_finite(value: f32) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    value.to_bits() & EXPONENT == EXPONENT
}
