//! Rows in four bits a component, from which the squared distances of a query to any of them are estimated.
//!
//! Of a row `x`, vectors `c` of codes -7.5, -6.5 ... 7.5 are tried with several units, and the one is kept whose direction is
//! nearest to that of `x`. With `f = x.x / x.c`, the product `q.x` is estimated by `f (q.c)`: what `c` lacks is taken to be
//! in no special direction (RaBitQ: Gao et al., SIGMOD 2025, whose units are searched for more finely).
//!
//! ```text
//! row of dimension d, a multiple of 64, in d / 2 + 8 bytes, little-endian:
//!   f32 square of x, f32 -2 f
//!   d / 2 bytes: byte i holds component i in its low half, component i + d / 2 in its high half; each c + 7.5
//! ```
//!
//! Vectors are expected to be rotated (see [`Rotation`](crate::Rotation)): only then do all components have about the same
//! range. The query has 8 bits a component. Products are integers, the same on every tier, and so are distances.

mod score;

pub(crate) use score::portable;
#[cfg(target_arch = "x86_64")]
pub(crate) use score::{avx2, avx512};

/// Bytes before the codes of a row.
const FACTORS_BYTES: usize = 8;

/// What is added to codes to make them natural numbers.
const OFFSET: f32 = 7.5;

/// Shares of the largest component that the largest code may stand for. The mean error of 384 normal components is
/// least near 0.87; what is lost against ten times as many shares is below 1 %.
const SHARES: [f32; 6] = [1.0, 0.92, 0.85, 0.78, 0.7, 0.6];

/// Values whose sums are kept side by side, so that the compiler may use vector registers.
const LANES: usize = 16;

/// Returns the bytes of a row of `dim` components.
pub const fn nibble_row_bytes(dim: usize) -> usize {
    dim / 2 + FACTORS_BYTES
}

/// A query made ready for rows in four bits a component.
#[derive(Clone, Debug, Default)]
pub struct NibbleQuery {
    values: Vec<i8>,
    /// The value of one unit.
    scale: f32,
    /// [`OFFSET`] times the sum of the values.
    offset: f32,
    squared_norm: f32,
}

impl NibbleQuery {
    /// Encodes a finite rotated query in the memory of an earlier one.
    ///
    /// # Panics
    ///
    /// Panics unless its length is a multiple of 64.
    pub fn encode(&mut self, rotated: &[f32]) {
        assert!(rotated.len().is_multiple_of(64), "rotated vectors have a multiple of 64 components");
        let largest = rotated.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        self.scale = largest / 127.0;
        let inverse = if self.scale > 0.0 { 1.0 / self.scale } else { 0.0 };
        self.values.clear();
        self.values.extend(rotated.iter().map(|value| {
            let units = value * inverse;
            (units + 0.5f32.copysign(units)) as i8
        }));
        let sum: i32 = self.values.iter().map(|&value| i32::from(value)).sum();
        self.offset = OFFSET * sum as f32;
        let mut squares = [0.0f32; LANES];
        for values in rotated.as_chunks::<LANES>().0 {
            for lane in 0..LANES {
                squares[lane] += values[lane] * values[lane];
            }
        }
        self.squared_norm = squares.iter().sum();
    }

    /// Returns the number of components.
    pub fn dim(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn values(&self) -> &[i8] {
        &self.values
    }

    /// Turns the product with the codes of a row into the squared distance.
    #[inline(always)]
    fn distance(&self, row: &[u8], product: i32) -> f32 {
        let float = |at: usize| f32::from_le_bytes([row[at], row[at + 1], row[at + 2], row[at + 3]]);
        let product = (product as f32 - self.offset) * self.scale;
        (self.squared_norm + float(0) + float(4) * product).max(0.0)
    }
}

/// The body of [`Kernels::encode_nibbles`](crate::Kernels::encode_nibbles): plain Rust that the compiler vectorises for
/// the features of the function it is inlined into, with the same result for all of them.
#[inline(always)]
pub(crate) fn encode(vector: &[f32], row: &mut [u8]) {
    let largest = vector
        .iter()
        .fold(0.0f32, |largest, value| if value.abs() > largest { value.abs() } else { largest });
    let square = sums(vector, |value| [value * value, 0.0])[0];
    let inverse_of = |share: f32| OFFSET / (largest * share);
    let (mut best, mut inverse, mut factor) = (0.0, 0.0, 0.0);
    for share in SHARES {
        let tried = inverse_of(share);
        if !tried.is_finite() {
            // Nothing but zeros, or so little that a unit vanishes: all of it is error.
            continue;
        }
        let [product, length] = sums(vector, |value| {
            let code = code(value, tried);
            [value * code, code * code]
        });
        let cosine = product * product / length;
        if cosine > best {
            (best, inverse, factor) = (cosine, tried, square / product);
        }
    }
    let (factors, codes) = row.split_at_mut(FACTORS_BYTES);
    factors[..4].copy_from_slice(&square.to_le_bytes());
    factors[4..].copy_from_slice(&(-2.0 * factor).to_le_bytes());
    let (low, high) = vector.split_at(vector.len() / 2);
    for ((byte, &low), &high) in codes.iter_mut().zip(low).zip(high) {
        let natural = |value| (code(value, inverse) + OFFSET) as u8;
        *byte = natural(low) | natural(high) << 4;
    }
}

/// Returns the code of a value: a half behind an integer.
#[inline(always)]
fn code(value: f32, inverse: f32) -> f32 {
    // Adding and subtracting it rounds to an integer.
    const ROUND: f32 = 12_582_912.0;
    let units = (value * inverse).clamp(-OFFSET, OFFSET) - 0.5;
    (units + ROUND - ROUND).clamp(-8.0, 7.0) + 0.5
}

#[inline(always)]
fn sums(vector: &[f32], terms: impl Fn(f32) -> [f32; 2]) -> [f32; 2] {
    let mut sums = [[0.0f32; LANES]; 2];
    for values in vector.as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            let terms = terms(values[lane]);
            sums[0][lane] += terms[0];
            sums[1][lane] += terms[1];
        }
    }
    sums.map(|sums| sums.iter().sum())
}
