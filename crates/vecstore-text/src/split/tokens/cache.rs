//! Where the tokens of words end that were met before: text repeats itself.

use std::cell::RefCell;

use super::Encoding;
use super::vocabulary::Vocabulary;

/// 16,384 words for each thread and encoding: 512 KiB. A word is in its one slot or not there.
const SLOT_BITS: u32 = 14;
/// The longest word that is kept: its bytes and its length are one integer.
const KEPT_BYTES: usize = 15;

/// A cache that each thread has for each encoding.
pub(crate) struct Cache {
    /// A word, and a bit for each place where a token of it ends.
    slots: Vec<(u128, u16)>,
}

thread_local! {
    static CACHES: [RefCell<Cache>; Encoding::ALL.len()] = Encoding::ALL.map(|_| RefCell::new(Cache { slots: Vec::new() }));
}

/// Runs `work` with this thread's cache.
pub(crate) fn with_cache<T>(encoding: Encoding, work: impl FnOnce(&mut Cache) -> T) -> T {
    CACHES.with(|caches| {
        let mut cache = caches[encoding as usize].borrow_mut();
        if cache.slots.is_empty() {
            cache.slots = vec![(0, 0); 1 << SLOT_BITS];
        }
        work(&mut cache)
    })
}

impl Cache {
    /// Returns the number of tokens of a word.
    #[inline]
    pub(crate) fn count(&mut self, vocabulary: &Vocabulary, word: &[u8]) -> usize {
        if let Some(ends) = self.ends(vocabulary, word) {
            return ends.count_ones() as usize;
        }
        let mut count = 0;
        vocabulary.encode(word, |_| count += 1);
        count
    }

    /// Returns the places where tokens of a word end, bit `i` for byte `i`, if the word is short.
    #[inline]
    pub(crate) fn ends(&mut self, vocabulary: &Vocabulary, word: &[u8]) -> Option<u16> {
        let key = key_of(word)?;
        let folded = (key as u64) ^ (key >> 64) as u64;
        let slot = (folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - SLOT_BITS)) as usize;
        if self.slots[slot].0 != key {
            let mut ends = 0;
            vocabulary.encode(word, |end| ends |= 1 << end);
            self.slots[slot] = (key, ends);
        }
        Some(self.slots[slot].1)
    }
}

#[inline]
fn key_of(word: &[u8]) -> Option<u128> {
    if word.is_empty() || word.len() > KEPT_BYTES {
        return None;
    }
    let mut bytes = [0; 16];
    bytes[..word.len()].copy_from_slice(word);
    // The length is never 0, so that no key is that of an empty slot.
    bytes[15] = word.len() as u8;
    Some(u128::from_le_bytes(bytes))
}
