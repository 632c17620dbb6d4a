//! Putting back a single flipped bit, by trying all of them against the checksum.
//!
//! A bit that flips in memory or on its way to the disk is the most common damage of all, and the only kind that a
//! checksum alone can undo. That another bit than the right one makes a 64-bit checksum hold has odds of 1 in
//! 2^45 at most, for the longest run that is tried.

/// Bytes hashed for one run of bytes at most: those of a block of 64 KiB, about 2 seconds.
const HASHED_BYTES_MAX: u64 = 1 << 35;

/// Runs that are tried in vain before no more are: damage that goes further is not undone this way, and each try takes
/// up to 2 seconds.
const FAILURES_MAX: usize = 32;

/// How many bits were put back, and how often that was tried in vain.
#[derive(Debug, Default)]
pub(crate) struct FlippedBits {
    pub(crate) restored: usize,
    failures: usize,
}

impl FlippedBits {
    /// For a look that changes nothing: no bit is put back.
    pub(crate) fn none() -> Self {
        Self { restored: 0, failures: FAILURES_MAX }
    }

    /// Flips the one bit with which `is_right` holds, if there is one. Otherwise, and if the call is to end early, the bytes
    /// are left as they were.
    pub(crate) fn restore(&mut self, bytes: &mut [u8], is_right: impl Fn(&[u8]) -> bool) -> bool {
        let len = bytes.len() as u64;
        if self.failures >= FAILURES_MAX || len.saturating_mul(len).saturating_mul(8) > HASHED_BYTES_MAX {
            return false;
        }
        for at in 0..bytes.len() {
            if vecstore_interrupt::is_requested() {
                return false;
            }
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                if is_right(bytes) {
                    self.restored += 1;
                    return true;
                }
                bytes[at] ^= 1 << bit;
            }
        }
        self.failures += 1;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xxhash_rust::xxh3::xxh3_64;

    #[test]
    fn one_flipped_bit_is_put_back_and_two_are_not() {
        let right: Vec<u8> = (0..200).collect();
        let sum = xxh3_64(&right);
        let mut bits = FlippedBits::default();
        for at in [0, 77, 199] {
            let mut wrong = right.clone();
            wrong[at] ^= 0x20;
            assert!(bits.restore(&mut wrong, |bytes| xxh3_64(bytes) == sum));
            assert_eq!(wrong, right);
        }
        let mut wrong = right;
        wrong[3] ^= 0x03;
        let before = wrong.clone();
        assert!(!bits.restore(&mut wrong, |bytes| xxh3_64(bytes) == sum));
        assert_eq!(wrong, before);
        assert_eq!(bits.restored, 3);
    }

    #[test]
    fn damage_that_is_everywhere_is_given_up_on() {
        let mut bits = FlippedBits::default();
        let tries = std::cell::Cell::new(0);
        for _ in 0..FAILURES_MAX + 5 {
            assert!(!bits.restore(&mut [0; 4], |_| {
                tries.set(tries.get() + 1);
                false
            }));
        }
        assert_eq!(tries.get(), FAILURES_MAX * 32);
        assert!(!FlippedBits::default().restore(&mut vec![0; (64 << 10) + 1], |_| true));
    }
}
