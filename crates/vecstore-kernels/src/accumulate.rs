//! The eight operations, each as what it does with one register of the query and one of the row.

use crate::lanes::Lanes;
use crate::metric::Op;

/// An operation as a fold over pairs of registers.
///
/// Lanes past the end of a vector hold zeros in both registers; every operation leaves its sums unchanged by
/// a pair of zeros, so a tail needs no code of its own.
pub(crate) trait Accumulate {
    /// The operation.
    const OP: Op;
    /// Whether the operation keeps two registers per accumulator: it then takes smaller tiles.
    const TWO_SUMS: bool = false;
    /// Whether sums that overflow can cancel or divide to NaN, so that a value that is not finite has to be
    /// computed again in f64.
    const RETRIES: bool = false;

    /// The accumulator.
    type Sums<V: Lanes>: Copy;

    /// Makes an empty accumulator.
    ///
    /// # Safety
    ///
    /// The CPU has the instruction set of `V`.
    unsafe fn start<V: Lanes>() -> Self::Sums<V>;
    /// Folds in one pair of registers.
    fn step<V: Lanes>(sums: Self::Sums<V>, query: V, row: V) -> Self::Sums<V>;
    /// Combines two accumulators.
    fn join<V: Lanes>(left: Self::Sums<V>, right: Self::Sums<V>) -> Self::Sums<V>;
    /// Reduces an accumulator to the value.
    fn finish<V: Lanes>(sums: Self::Sums<V>) -> f32;
}

/// Implements an operation whose accumulator is one register that lanes are added up in.
macro_rules! one_sum {
    ($(#[$doc:meta])* $name:ident, retries: $retries:literal, |$sums:ident, $query:ident, $row:ident| $step:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Accumulate for $name {
            const OP: Op = Op::$name;
            const RETRIES: bool = $retries;
            type Sums<V: Lanes> = V;

            #[inline(always)]
            unsafe fn start<V: Lanes>() -> V {
                // SAFETY: the caller vouches for the instruction set of `V`.
                unsafe { V::zero() }
            }

            #[inline(always)]
            fn step<V: Lanes>($sums: V, $query: V, $row: V) -> V {
                $step
            }

            #[inline(always)]
            fn join<V: Lanes>(left: V, right: V) -> V {
                left.add(right)
            }

            #[inline(always)]
            fn finish<V: Lanes>(sums: V) -> f32 {
                sums.sum()
            }
        }
    };
}

one_sum!(
    /// `sum q * r`. Lanes that overflow to opposite infinities cancel to NaN: hence the retry.
    Dot, retries: true, |sums, query, row| sums.add_product(query, row)
);

one_sum!(
    /// `sum (q - r)^2`.
    SquaredEuclidean, retries: false, |sums, query, row| {
        let difference = query.sub(row);
        sums.add_product(difference, difference)
    }
);

one_sum!(
    /// `sum |q - r|`.
    Manhattan, retries: false, |sums, query, row| sums.add(query.sub(row).abs())
);

one_sum!(
    /// The number of `q != r`, exact while a lane counts below 2^24.
    Hamming, retries: false, |sums, query, row| sums.count_unequal(query, row)
);

one_sum!(
    /// `sum |q - r| / (|q| + |r|)`. Large magnitudes are scaled down first: their sum would overflow, and the
    /// ratio does not change.
    Canberra, retries: false, |sums, query, row| {
        let scale = query.abs().max(row.abs()).overflow_scale();
        let (query, row) = (query.mul(scale), row.mul(scale));
        let difference = query.sub(row).abs();
        sums.add(difference.div_or_zero(query.abs().add(row.abs())))
    }
);

/// `max |q - r|`.
pub(crate) struct Chebyshev;

impl Accumulate for Chebyshev {
    const OP: Op = Op::Chebyshev;
    type Sums<V: Lanes> = V;

    #[inline(always)]
    unsafe fn start<V: Lanes>() -> V {
        // SAFETY: the caller vouches for the instruction set of `V`.
        unsafe { V::zero() }
    }

    #[inline(always)]
    fn step<V: Lanes>(sums: V, query: V, row: V) -> V {
        sums.max(query.sub(row).abs())
    }

    #[inline(always)]
    fn join<V: Lanes>(left: V, right: V) -> V {
        left.max(right)
    }

    #[inline(always)]
    fn finish<V: Lanes>(sums: V) -> f32 {
        sums.largest()
    }
}

/// Implements an operation that is the ratio of two sums.
macro_rules! ratio_of_sums {
    ($(#[$doc:meta])* $name:ident, retries: $retries:literal, |$sums:ident, $query:ident, $row:ident| $step:expr) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Accumulate for $name {
            const OP: Op = Op::$name;
            const TWO_SUMS: bool = true;
            const RETRIES: bool = $retries;
            type Sums<V: Lanes> = (V, V);

            #[inline(always)]
            unsafe fn start<V: Lanes>() -> (V, V) {
                // SAFETY: the caller vouches for the instruction set of `V`.
                unsafe { (V::zero(), V::zero()) }
            }

            #[inline(always)]
            fn step<V: Lanes>($sums: (V, V), $query: V, $row: V) -> (V, V) {
                $step
            }

            #[inline(always)]
            fn join<V: Lanes>(left: (V, V), right: (V, V)) -> (V, V) {
                (left.0.add(right.0), left.1.add(right.1))
            }

            #[inline(always)]
            fn finish<V: Lanes>(sums: (V, V)) -> f32 {
                ratio(sums.0.sum(), sums.1.sum())
            }
        }
    };
}

ratio_of_sums!(
    /// Positions that differ, over positions where either is nonzero. Positions that differ are never both zero.
    Jaccard, retries: false, |sums, query, row| (sums.0.count_unequal(query, row), sums.1.count_nonzero(query, row))
);

ratio_of_sums!(
    /// `sum |q - r| / sum |q + r|`.
    BrayCurtis, retries: true, |sums, query, row| (
        sums.0.add(query.sub(row).abs()),
        sums.1.add(query.add(row).abs())
    )
);

/// Divides two sums that are not negative: 0 if the numerator is 0, infinite if only the denominator is, and
/// NaN if either overflowed, so that the caller computes the value again.
#[inline(always)]
pub(crate) fn ratio(numerator: f32, denominator: f32) -> f32 {
    if numerator == 0.0 {
        return 0.0;
    }
    if !numerator.is_finite() || !denominator.is_finite() {
        return f32::NAN;
    }
    numerator / denominator
}
