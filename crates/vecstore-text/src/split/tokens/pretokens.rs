//! The first step of tokenising: a text falls into words with their leading space, numbers, punctuation and white space,
//! by the patterns of OpenAI's `tiktoken`; tokens never cross from one to the next.
//!
//! cl100k, at each position the first alternative that matches:
//!
//! ```text
//! '(?i:[sdmt]|ll|ve|re) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,3} | ?[^\s\p{L}\p{N}]+[\r\n]*
//! | \s*[\r\n]+ | \s+(?!\S) | \s+
//! ```
//!
//! o200k has, instead of the first two, words that start with upper case and end in lower case, with the contraction
//! behind them; `/` may follow punctuation as line ends may:
//!
//! ```text
//! [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! | [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
//! ```

use unicode_general_category::{GeneralCategory, get_general_category};

use super::Encoding;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Upper,
    Lower,
    /// Letters without case.
    Letter,
    Mark,
    Number,
    Newline,
    Space,
    Other,
    /// No character: the end of the text.
    End,
}

impl Class {
    fn is_letter(self) -> bool {
        matches!(self, Self::Upper | Self::Lower | Self::Letter)
    }

    /// Whether the character may lead a word.
    fn is_prefix(self) -> bool {
        matches!(self, Self::Space | Self::Other | Self::Mark)
    }

    /// Neither letter, number nor white space.
    fn is_punctuation(self) -> bool {
        matches!(self, Self::Other | Self::Mark)
    }

    fn is_space(self) -> bool {
        matches!(self, Self::Space | Self::Newline)
    }

    /// May stand in the first part of a word of o200k.
    fn may_lead(self) -> bool {
        matches!(self, Self::Upper | Self::Letter | Self::Mark)
    }

    /// May stand in the second part.
    fn may_follow(self) -> bool {
        matches!(self, Self::Lower | Self::Letter | Self::Mark)
    }
}

static ASCII: [Class; 128] = ascii_classes();

const fn ascii_classes() -> [Class; 128] {
    let mut classes = [Class::Other; 128];
    let mut byte = 0;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'A'..=b'Z' => Class::Upper,
            b'a'..=b'z' => Class::Lower,
            b'0'..=b'9' => Class::Number,
            b'\r' | b'\n' => Class::Newline,
            b' ' | b'\t' | 0x0b | 0x0c => Class::Space,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
}

fn class_of(character: char) -> Class {
    use GeneralCategory as G;
    if character.is_whitespace() {
        return Class::Space;
    }
    match get_general_category(character) {
        G::UppercaseLetter | G::TitlecaseLetter => Class::Upper,
        G::LowercaseLetter => Class::Lower,
        G::ModifierLetter | G::OtherLetter => Class::Letter,
        G::NonspacingMark | G::SpacingMark | G::EnclosingMark => Class::Mark,
        G::DecimalNumber | G::LetterNumber | G::OtherNumber => Class::Number,
        _ => Class::Other,
    }
}

/// Iterates over the ends of the pretokens of a text.
pub(crate) struct Pretokens<'t> {
    text: &'t str,
    encoding: Encoding,
    at: usize,
}

impl<'t> Pretokens<'t> {
    pub(crate) fn new(text: &'t str, encoding: Encoding) -> Self {
        Self { text, encoding, at: 0 }
    }

    /// Returns the class of the character at a position, and where the next one is.
    #[inline]
    fn class(&self, at: usize) -> (Class, usize) {
        match self.text.as_bytes().get(at) {
            None => (Class::End, at),
            Some(&byte) if byte.is_ascii() => (ASCII[usize::from(byte)], at + 1),
            Some(_) => match self.text[at..].chars().next() {
                Some(character) => (class_of(character), at + character.len_utf8()),
                None => (Class::End, at),
            },
        }
    }

    /// Returns where a run of characters of a kind ends.
    #[inline]
    fn run(&self, mut at: usize, accepts: impl Fn(Class) -> bool) -> usize {
        loop {
            let (class, next) = self.class(at);
            if !accepts(class) {
                return at;
            }
            at = next;
        }
    }

    fn end(&self) -> usize {
        let (class, next) = self.class(self.at);
        if let Some(end) = self.word(class, next) {
            return end;
        }
        let (after, _) = self.class(next);
        match class {
            Class::Number => {
                let second = if after == Class::Number { self.class(next).1 } else { return next };
                let (third, end) = self.class(second);
                if third == Class::Number { end } else { second }
            }
            _ if class.is_punctuation() => self.punctuation(next),
            _ if self.text.as_bytes()[self.at] == b' ' && after.is_punctuation() => self.punctuation(next),
            _ => self.space(next),
        }
    }

    fn word(&self, class: Class, next: usize) -> Option<usize> {
        match self.encoding {
            Encoding::Cl100k => {
                if let Some(end) = self.contraction(self.at) {
                    return Some(end);
                }
                if class.is_letter() {
                    return Some(self.run(next, Class::is_letter));
                }
                let leads = class.is_prefix() && self.class(next).0.is_letter();
                leads.then(|| self.run(next, Class::is_letter))
            }
            Encoding::O200k => {
                let end = if class.is_prefix() {
                    // A mark may lead a word, and be one.
                    let led = self.cased_with_lower(next);
                    led.or_else(|| self.cased_with_lower(self.at)).or_else(|| self.upper(next))
                } else {
                    self.cased_with_lower(self.at).or_else(|| self.upper(self.at))
                };
                end.map(|end| self.contraction(end).unwrap_or(end))
            }
        }
    }

    /// Matches the first alternative of o200k behind its prefix.
    fn cased_with_lower(&self, start: usize) -> Option<usize> {
        // The first part takes what it can. If the second finds nothing then, the first gives characters back, to
        // the last one that the second takes.
        let (mut at, mut shared) = (start, None);
        loop {
            let (class, next) = self.class(at);
            if !class.may_lead() {
                if class == Class::Lower {
                    return Some(self.run(next, Class::may_follow));
                }
                return shared;
            }
            if class.may_follow() {
                shared = Some(next);
            }
            at = next;
        }
    }

    /// Matches the second alternative, which is reached only by capitals and nothing after them.
    fn upper(&self, start: usize) -> Option<usize> {
        let end = self.run(start, |class| class == Class::Upper);
        (end > start).then_some(end)
    }

    /// Returns the end of `'s`, `'t`, `'d`, `'m`, `'ll`, `'ve` or `'re` at a position.
    #[inline]
    fn contraction(&self, at: usize) -> Option<usize> {
        let bytes = self.text.as_bytes().get(at..)?;
        let (&quote, rest) = bytes.split_first()?;
        if quote != b'\'' {
            return None;
        }
        let lower = |index: usize| rest.get(index).map(u8::to_ascii_lowercase);
        match (lower(0)?, lower(1)) {
            (b's' | b't' | b'd' | b'm', _) => Some(at + 2),
            (b'l', Some(b'l')) | (b'v' | b'r', Some(b'e')) => Some(at + 3),
            // The long s is an s in upper case.
            (0xC5, Some(0xBF)) => Some(at + 3),
            _ => None,
        }
    }

    fn punctuation(&self, at: usize) -> usize {
        let mut end = self.run(at, Class::is_punctuation);
        let bytes = self.text.as_bytes();
        let slash = self.encoding == Encoding::O200k;
        while bytes.get(end).is_some_and(|&byte| matches!(byte, b'\r' | b'\n') || slash && byte == b'/') {
            end += 1;
        }
        end
    }

    fn space(&self, next: usize) -> usize {
        let end = self.run(next, Class::is_space);
        let run = &self.text[self.at..end];
        if let Some(newline) = run.bytes().rposition(|byte| matches!(byte, b'\r' | b'\n')) {
            return self.at + newline + 1;
        }
        if end == self.text.len() {
            return end;
        }
        // The last one leads what follows.
        let last = run.chars().next_back().map_or(0, char::len_utf8);
        if run.len() > last { end - last } else { end }
    }
}

impl Iterator for Pretokens<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.at >= self.text.len() {
            return None;
        }
        self.at = self.end();
        Some(self.at)
    }
}
