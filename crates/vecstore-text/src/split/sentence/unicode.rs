//! Sentence boundaries by the letter of UAX 29, quickly where the text is ASCII.

use unicode_segmentation::UnicodeSegmentation;

use crate::split::error::Result;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Number,
    Space,
    Newline,
    /// `.`
    Stop,
    /// `!` and `?`
    Mark,
    /// Quotes and brackets.
    Close,
    /// `,`, `-` and `:`, after which a sentence goes on.
    Continue,
    Other,
}

static CLASSES: [Class; 128] = classes();

const fn classes() -> [Class; 128] {
    let mut classes = [Class::Other; 128];
    let mut byte = 0;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Number,
            b' ' | b'\t' | 0x0b | 0x0c => Class::Space,
            b'\r' | b'\n' => Class::Newline,
            b'.' => Class::Stop,
            b'!' | b'?' => Class::Mark,
            b'"' | b'\'' | b'(' | b')' | b'[' | b']' | b'{' | b'}' => Class::Close,
            b',' | b'-' | b':' | b';' => Class::Continue,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
}

/// Calls `end` with every boundary of a text behind its start, the last one included.
pub(super) fn unicode_ends(text: &str, end: &mut dyn FnMut(usize) -> Result<()>) -> Result<()> {
    let bytes = text.as_bytes();
    let mut start = 0;
    // A line is decided alone: nothing joins it to the next.
    while start < bytes.len() {
        let line_end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at + 1);
        if bytes[start..line_end].is_ascii() {
            ascii_ends(&bytes[start..line_end], &mut |at| end(start + at))?;
        } else {
            ends_of_other_scripts(text, start, line_end, end)?;
        }
        start = line_end;
    }
    Ok(())
}

/// Whether a sentence ends may depend on the next letter, which UAX 29 lets be anywhere on the line, and which is looked
/// for from every mark. Longer stretches without a letter are no text, and are looked at in pieces.
const LETTERLESS_BYTES: usize = 512;

/// The boundaries of a line that has more than ASCII.
fn ends_of_other_scripts(
    text: &str,
    mut start: usize,
    line_end: usize,
    end: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<()> {
    while start < line_end {
        let piece_end = piece_end(text, start, line_end);
        for (at, sentence) in text[start..piece_end].split_sentence_bound_indices() {
            let found = start + at + sentence.len();
            if found < piece_end || found == line_end {
                end(found)?;
            }
        }
        start = piece_end;
    }
    Ok(())
}

/// Returns the end of the line, or of the first piece of it that ends with so many bytes without a letter.
fn piece_end(text: &str, start: usize, line_end: usize) -> usize {
    let mut letterless = start;
    for (at, character) in text[start..line_end].char_indices() {
        let next = start + at + character.len_utf8();
        if character.is_alphabetic() {
            letterless = next;
        } else if next - letterless >= LETTERLESS_BYTES {
            return next;
        }
    }
    line_end
}

/// The boundaries of a line of ASCII.
fn ascii_ends(line: &[u8], end: &mut dyn FnMut(usize) -> Result<()>) -> Result<()> {
    let class = |at: usize| line.get(at).map_or(Class::Newline, |byte| CLASSES[usize::from(byte & 0x7f)]);
    let mut at = 0;
    let mut last = 0;
    while at < line.len() {
        let found = class(at);
        if found == Class::Newline {
            at += if line[at..].starts_with(b"\r\n") { 2 } else { 1 };
            end(at)?;
            last = at;
            continue;
        }
        if !matches!(found, Class::Stop | Class::Mark) {
            at += 1;
            continue;
        }
        // SB6 and SB7: a number, or a capital after a letter, directly behind a full stop.
        let letter_before = at > last && matches!(class(at - 1), Class::Lower | Class::Upper);
        let next = class(at + 1);
        if found == Class::Stop
            && at + 1 < line.len()
            && (next == Class::Number || next == Class::Upper && letter_before)
        {
            at += 1;
            continue;
        }
        // SB9 and SB10: closing marks, then spaces, belong to the sentence.
        let mut behind = at + 1;
        while behind < line.len() && class(behind) == Class::Close {
            behind += 1;
        }
        while behind < line.len() && class(behind) == Class::Space {
            behind += 1;
        }
        if behind == line.len() {
            break;
        }
        match class(behind) {
            // Ends with the line.
            Class::Newline => at = behind,
            // SB8a.
            Class::Continue | Class::Stop | Class::Mark => at = behind,
            _ if found == Class::Stop && goes_on(line, behind) => at = behind,
            _ => {
                end(behind)?;
                (at, last) = (behind, behind);
            }
        }
    }
    if last < line.len() {
        end(line.len())?;
    }
    Ok(())
}

/// SB8: the first letter behind a full stop is a small one.
fn goes_on(line: &[u8], from: usize) -> bool {
    let first = line[from..].iter().map(|byte| CLASSES[usize::from(byte & 0x7f)]).find(|class| {
        matches!(class, Class::Lower | Class::Upper | Class::Newline | Class::Stop | Class::Mark)
    });
    first == Some(Class::Lower)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn ascii_and_unicode_rules_agree(text in "[ -~\r\n\t]{0,24}", dense in "[aB3.!?)' ,\n\r-]{0,24}") {
            for text in [text, dense] {
                let mut ends = Vec::new();
                unicode_ends(&text, &mut |end| { ends.push(end); Ok(()) }).unwrap();
                let expected: Vec<usize> =
                    text.split_sentence_bound_indices().map(|(at, part)| at + part.len()).collect();
                prop_assert_eq!(ends, expected, "{:?}", text);
            }
        }
    }
}
