//! Where the words of a text are.
//!
//! A word is a run of letters, digits and marks. An ideograph or a hiragana is a word by itself, as it has no spaces around
//! it. Everything else separates: `example.com` is two words, so that a search for either finds it.

/// Where a word is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) start: usize,
    pub(super) end: usize,
    /// It is one character of a script without spaces.
    pub(super) is_single: bool,
}

pub(super) fn words(text: &str, each: impl FnMut(Word)) {
    words_with(text, false, each);
}

/// Calls `each` for every word. An apostrophe between letters belongs to the word where `apostrophes` says so.
pub(super) fn words_with(text: &str, apostrophes: bool, mut each: impl FnMut(Word)) {
    let bytes = text.as_bytes();
    let mut start = None;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if byte.is_ascii() {
            let belongs = byte.is_ascii_alphanumeric()
                || (apostrophes && byte == b'\'' && start.is_some() && letter_follows(text, at + 1));
            if belongs {
                start.get_or_insert(at);
            } else if let Some(start) = start.take() {
                each(Word { start, end: at, is_single: false });
            }
            at += 1;
            continue;
        }
        let Some(character) = text[at..].chars().next() else { return };
        let next = at + character.len_utf8();
        if is_single(character) {
            if let Some(start) = start.take() {
                each(Word { start, end: at, is_single: false });
            }
            each(Word { start: at, end: next, is_single: true });
        } else if character.is_alphanumeric()
            || (start.is_some() && unicode_normalization::char::is_combining_mark(character))
            || (apostrophes && character == '\u{2019}' && start.is_some() && letter_follows(text, next))
        {
            start.get_or_insert(at);
        } else if let Some(start) = start.take() {
            each(Word { start, end: at, is_single: false });
        }
        at = next;
    }
    if let Some(start) = start {
        each(Word { start, end: text.len(), is_single: false });
    }
}

fn letter_follows(text: &str, at: usize) -> bool {
    text[at..].chars().next().is_some_and(char::is_alphabetic)
}

/// Returns whether a character is a word by itself: ideographs and hiragana.
fn is_single(character: char) -> bool {
    matches!(u32::from(character),
        0x3005..=0x3007 | 0x3041..=0x3096 | 0x309D..=0x309F | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF
        | 0x20000..=0x323AF)
}

/// Returns whether a character is of a script that bigrams are made of: ideographs, kana, Hangul.
pub(super) fn is_cjk(character: char) -> bool {
    is_single(character)
        || matches!(u32::from(character),
            0x30A1..=0x30FF | 0x31F0..=0x31FF | 0xAC00..=0xD7A3 | 0x1100..=0x11FF | 0x3130..=0x318F | 0xFF66..=0xFF9F)
}
