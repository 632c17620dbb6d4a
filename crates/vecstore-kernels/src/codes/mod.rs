//! Vectors in 8 bits a component, with bounds on what was lost: a scan of the codes is a quarter of the bytes, and the
//! bounds tell which rows need a look at their full vectors.
//!
//! A row `x` is kept as codes `c` in -127..=127 and a scale `s` with `x = s c + e`, a query `q` as 16-bit values `d`
//! and a scale `t` with `q = t d + f`. Then `q.x` differs from `t s (d.c)` by at most
//! `|f| |x| + (|q| + |f|) |e|` (Cauchy-Schwarz), and `d.c` is an exact integer, the same on every tier.

pub(crate) mod scan;

/// The largest magnitude of a code.
const CODE_MAX: f64 = 127.0;

/// What is needed to read the codes of a row. All three are rounded up, so that bounds made of them hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CodeFactors {
    /// The value of one unit of a code.
    pub scale: f32,
    /// The Euclidean norm of what the codes lack.
    pub error: f32,
    /// The Euclidean norm of the vector.
    pub norm: f32,
}

/// Components whose sums are kept side by side, so that the compiler may use vector registers.
const LANES: usize = 8;

/// The body of [`Kernels::encode`](crate::Kernels::encode): plain Rust that the compiler vectorises for the features of
/// the function it is inlined into, with the same result for all of them.
#[inline(always)]
pub(crate) fn encode(vector: &[f32], codes: &mut [i8]) -> CodeFactors {
    let largest = largest_magnitude(vector);
    // The scale that is stored is the one the errors are measured with.
    let scale = (f64::from(largest) / CODE_MAX) as f32;
    if scale == 0.0 {
        // Nothing but zeros, or so little that a unit vanishes: all of it is error.
        codes.fill(0);
        let norm =
            round_up(vector.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>().sqrt());
        return CodeFactors { scale, error: norm, norm };
    }
    let scale_wide = f64::from(scale);
    let inverse = 1.0 / scale_wide;
    let (mut errors, mut norms) = ([0.0f64; LANES], [0.0f64; LANES]);
    let one = |value: f32, code: &mut i8, error: &mut f64, norm: &mut f64| {
        let exact = f64::from(value);
        // Which way a tie goes, or the last bit of the quotient, does not matter: the error is that of the code.
        let rounded = (exact * inverse).clamp(-CODE_MAX, CODE_MAX) + ROUND;
        let units = rounded - ROUND;
        *code = rounded.to_bits() as i8;
        let rest = exact - units * scale_wide;
        *error += rest * rest;
        *norm += exact * exact;
    };
    let (blocks, last) = vector.as_chunks::<LANES>();
    let (code_blocks, last_codes) = codes.as_chunks_mut::<LANES>();
    for (values, codes) in blocks.iter().zip(code_blocks) {
        for lane in 0..LANES {
            one(values[lane], &mut codes[lane], &mut errors[lane], &mut norms[lane]);
        }
    }
    for (lane, (&value, code)) in last.iter().zip(last_codes).enumerate() {
        one(value, code, &mut errors[lane], &mut norms[lane]);
    }
    let (error, norm) = (errors.iter().sum::<f64>(), norms.iter().sum::<f64>());
    CodeFactors { scale, error: round_up(error.sqrt()), norm: round_up(norm.sqrt()) }
}

/// Returns the largest magnitude of some values.
#[inline(always)]
fn largest_magnitude(values: &[f32]) -> f32 {
    // Side by side: one running maximum would wait for each comparison.
    const SIDE_BY_SIDE: usize = 64;
    let larger = |largest: f32, value: f32| if value.abs() > largest { value.abs() } else { largest };
    let mut largest = [0.0_f32; SIDE_BY_SIDE];
    let (blocks, rest) = values.as_chunks::<SIDE_BY_SIDE>();
    for values in blocks {
        for lane in 0..SIDE_BY_SIDE {
            largest[lane] = larger(largest[lane], values[lane]);
        }
    }
    let mut width = SIDE_BY_SIDE / 2;
    while width > 0 {
        for lane in 0..width {
            largest[lane] = larger(largest[lane], largest[lane + width]);
        }
        width /= 2;
    }
    rest.iter().copied().fold(largest[0], larger)
}

/// Adding it rounds an f64 of small magnitude to an integer, which the low bits of the sum hold; subtracting it again
/// leaves the integer.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// A query in 16 bits a component.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryCodes {
    values: Vec<i16>,
    /// The value of one unit, the norm of what the values lack, and the norm of the query; the latter two rounded up.
    pub factors: CodeFactors,
}

impl QueryCodes {
    /// Encodes a finite query.
    pub fn new(query: &[f32]) -> Self {
        let mut codes = Self::default();
        codes.encode(query);
        codes
    }

    /// Takes the codes of a row as a query, to compare rows with each other.
    pub fn take_row(&mut self, codes: &[i8]) {
        self.values.clear();
        self.values.extend(codes.iter().map(|&code| i16::from(code)));
    }

    /// Encodes a finite query in the memory of an earlier one.
    #[inline(always)]
    pub(crate) fn encode(&mut self, query: &[f32]) {
        let largest = largest_magnitude(query);
        // No sum of products with codes may pass an i32.
        let limit =
            (f64::from(i32::MAX) / (CODE_MAX * query.len().max(1) as f64)).floor().min(f64::from(i16::MAX));
        let scale = (f64::from(largest) / limit) as f32;
        let scale_wide = f64::from(scale);
        let inverse = if scale > 0.0 { 1.0 / scale_wide } else { 0.0 };
        self.values.resize(query.len(), 0);
        let (mut errors, mut norms) = ([0.0f64; LANES], [0.0f64; LANES]);
        let one = |value: f32, code: &mut i16, error: &mut f64, norm: &mut f64| {
            let exact = f64::from(value);
            let rounded = (exact * inverse).clamp(-limit, limit) + ROUND;
            let units = rounded - ROUND;
            *code = rounded.to_bits() as i16;
            let rest = exact - units * scale_wide;
            *error += rest * rest;
            *norm += exact * exact;
        };
        let (blocks, last) = query.as_chunks::<LANES>();
        let (code_blocks, last_codes) = self.values.as_chunks_mut::<LANES>();
        for (values, codes) in blocks.iter().zip(code_blocks) {
            for lane in 0..LANES {
                one(values[lane], &mut codes[lane], &mut errors[lane], &mut norms[lane]);
            }
        }
        for (lane, (&value, code)) in last.iter().zip(last_codes).enumerate() {
            one(value, code, &mut errors[lane], &mut norms[lane]);
        }
        let (error, norm) = (errors.iter().sum::<f64>(), norms.iter().sum::<f64>());
        self.factors = CodeFactors { scale, error: round_up(error.sqrt()), norm: round_up(norm.sqrt()) };
    }

    /// Returns the encoded components.
    pub(crate) fn values(&self) -> &[i16] {
        &self.values
    }
}

/// Returns an f32 that is not below `value`, with room for the rounding of the sums behind it.
fn round_up(value: f64) -> f32 {
    ((value * (1.0 + 1e-9)) as f32).next_up()
}
