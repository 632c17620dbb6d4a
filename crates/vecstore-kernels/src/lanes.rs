//! One SIMD register of f32 lanes, so that every operation is written once for all instruction sets.

/// A register of `WIDTH` f32 lanes of one instruction set.
///
/// Only the unsafe constructors make a value, and they demand a CPU with the instruction set. A value is
/// therefore the proof that its safe methods need: they could not be called on another CPU.
///
/// Implementations mark every method `#[inline(always)]`: the instructions are only inlined once the method
/// has been, into a kernel compiled with `#[target_feature]`.
pub(crate) trait Lanes: Copy {
    /// Lanes in the register.
    const WIDTH: usize;

    /// Makes a register of zeros.
    ///
    /// # Safety
    ///
    /// The CPU has the instruction set.
    unsafe fn zero() -> Self;

    /// Loads `WIDTH` floats at any alignment.
    ///
    /// # Safety
    ///
    /// The CPU has the instruction set, and `from` is valid for reads of `WIDTH` floats.
    unsafe fn load(from: *const f32) -> Self;

    /// Loads `count < WIDTH` floats into the first lanes and zeros into the others.
    ///
    /// # Safety
    ///
    /// The CPU has the instruction set, and `from` is valid for reads of `count` floats.
    unsafe fn load_first(from: *const f32, count: usize) -> Self;

    /// Stores `WIDTH` floats at any alignment.
    ///
    /// # Safety
    ///
    /// `to` is valid for writes of `WIDTH` floats.
    unsafe fn store(self, to: *mut f32);

    /// Replaces the lanes that are `HALF` apart, a power of two below `WIDTH`, by their sum and their difference.
    fn butterfly<const HALF: usize>(self) -> Self;

    /// Hints that the cache line at `at` will be read soon; any address is allowed, and never read.
    fn prefetch(at: *const f32);

    /// Adds lane by lane.
    fn add(self, other: Self) -> Self;
    /// Subtracts lane by lane.
    fn sub(self, other: Self) -> Self;
    /// Multiplies lane by lane.
    fn mul(self, other: Self) -> Self;
    /// Computes `self + left * right` with one rounding.
    fn add_product(self, left: Self, right: Self) -> Self;
    /// Divides lane by lane, giving 0 where the divisor is 0.
    fn div_or_zero(self, divisor: Self) -> Self;
    /// Takes the larger of each pair of lanes.
    fn max(self, other: Self) -> Self;
    /// Clears the sign of each lane.
    fn abs(self) -> Self;
    /// Adds 1 to each lane where `left` and `right` differ.
    fn count_unequal(self, left: Self, right: Self) -> Self;
    /// Adds 1 to each lane where `left` or `right` is nonzero.
    fn count_nonzero(self, left: Self, right: Self) -> Self;
    /// Gives, for each lane, 1/4 if it is above `LARGE` and 1 otherwise.
    fn overflow_scale(self) -> Self;
    /// Adds up all lanes, always in the same order.
    fn sum(self) -> f32;
    /// Returns the largest lane.
    fn largest(self) -> f32;
}

/// Half of the largest power of two: two magnitudes up to here add up without overflow.
pub(crate) const LARGE: f32 = 8.507_059e37;

/// The signs that [`Lanes::butterfly`] gives lanes that are 1, 2, 4 and 8 apart: 1 where a lane is the first of its two.
pub(crate) const fn signs_by_half<const WIDTH: usize>() -> [[f32; WIDTH]; 4] {
    let mut signs = [[1.0; WIDTH]; 4];
    let mut lane = 0;
    while lane < 4 * WIDTH {
        if ((lane % WIDTH) >> (lane / WIDTH)) & 1 == 1 {
            signs[lane / WIDTH][lane % WIDTH] = -1.0;
        }
        lane += 1;
    }
    signs
}
