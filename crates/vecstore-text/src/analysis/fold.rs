//! Lower case and folding: letters that readers take for the same become the same.
//!
//! Folding takes compatible forms apart (the ligature of f and i), drops accents (U+0300 to U+036F), and spells a few letters that
//! have no accent to drop (sharp s, the ligature ae, o with a stroke). Marks of other scripts are letters there, and stay.

use unicode_normalization::UnicodeNormalization;

/// Replaces `out` by a word in lower case, composed.
pub(super) fn lower(word: &str, out: &mut String) {
    out.clear();
    if word.is_ascii() {
        out.push_str(word);
        out.make_ascii_lowercase();
        return;
    }
    for character in word.chars() {
        match character {
            '\u{130}' => out.push('i'),
            '\u{2019}' => out.push('\''),
            // By itself a final sigma is another letter than the same word has in the middle of another.
            '\u{3C2}' => out.push('\u{3C3}'),
            _ => out.extend(character.to_lowercase()),
        }
    }
    if !unicode_normalization::is_nfc(out) {
        *out = out.nfc().collect();
    }
}

/// Replaces `out` by a lower-case word with its letters folded.
pub(super) fn fold(word: &str, out: &mut String) {
    out.clear();
    if word.is_ascii() {
        out.push_str(word);
        return;
    }
    let plain = word.nfkd().filter(|character| !matches!(character, '\u{300}'..='\u{36F}'));
    for character in plain.nfc() {
        match character {
            '\u{DF}' => out.push_str("ss"),
            '\u{E6}' => out.push_str("ae"),
            '\u{153}' => out.push_str("oe"),
            '\u{F8}' => out.push('o'),
            '\u{111}' | '\u{F0}' => out.push('d'),
            '\u{142}' => out.push('l'),
            '\u{131}' => out.push('i'),
            '\u{FE}' => out.push_str("th"),
            '\u{127}' => out.push('h'),
            '\u{3C2}' => out.push('\u{3C3}'),
            '\u{B7}' => {}
            // A compatible form may be a capital, as that of the trade mark sign is.
            _ => out.extend(character.to_lowercase()),
        }
    }
}

/// Replaces `out` by a word in lower case, folded.
pub(super) fn lower_and_fold(word: &str, out: &mut String) {
    if word.is_ascii() {
        lower(word, out);
        return;
    }
    let mut lowered = String::new();
    lower(word, &mut lowered);
    fold(&lowered, out);
}
