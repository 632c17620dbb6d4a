//! Memory that starts at a cache line, so that no register-wide load of it touches two.

/// Bytes of a cache line, and of the widest register.
const LINE_BYTES: usize = 64;

/// `N` values that fill a cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Line<T, const N: usize>([T; N]);

/// Values side by side from the start of a cache line on, in whole lines.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aligned<T, const N: usize> {
    lines: Vec<Line<T, N>>,
}

impl<T, const N: usize> Default for Aligned<T, N> {
    fn default() -> Self {
        Self { lines: Vec::new() }
    }
}

impl<T: Copy, const N: usize> Aligned<T, N> {
    const FILLS_A_LINE: () =
        assert!(N * size_of::<T>() == LINE_BYTES, "a line holds N values and nothing else");

    /// Removes all values.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
    }

    /// Makes room for at least `len` values; new ones are `value`.
    pub(crate) fn resize(&mut self, len: usize, value: T) {
        const { Self::FILLS_A_LINE };
        self.lines.resize(len.div_ceil(N), Line([value; N]));
    }
}

impl<T, const N: usize> std::ops::Deref for Aligned<T, N> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: a line is `repr(C)` with an array of `N` values of `T` alone, and `resize`, which makes every line,
        // asserts that they fill it: lines side by side are values side by side.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * N) }
    }
}

impl<T, const N: usize> std::ops::DerefMut for Aligned<T, N> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`; the lines are borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * N) }
    }
}
