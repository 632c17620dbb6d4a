//! Words, numbers and names in running text, for the lexical checks.

use std::ops::Range;

/// Words that say nothing about what a sentence claims. English only: in other languages they count as content, which
/// makes the checks stricter.
const FUNCTION_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does",
    "for", "from", "had", "has", "have", "he", "her", "his", "i", "if", "in", "into", "is", "it", "its",
    "may", "more", "of", "on", "or", "our", "shall", "she", "should", "so", "some", "such", "than", "that",
    "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "was", "we", "were",
    "what", "when", "which", "who", "will", "with", "would", "you", "your",
];

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// In lower case; a number without its group separators.
    pub(super) text: String,
    /// Its bytes in the text.
    pub(super) range: Range<usize>,
}

impl Word {
    pub(super) fn is_number(&self) -> bool {
        self.text.starts_with(|c: char| c.is_numeric())
    }

    pub(super) fn is_content(&self) -> bool {
        FUNCTION_WORDS.binary_search(&self.text.as_str()).is_err()
    }
}

/// Returns the words of a text: runs of letters and digits, with apostrophes between letters (`don't`) and points and
/// commas between digits (`3.14`, `1,000`, which becomes `1000`) inside.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let mut start = None;
    let mut previous = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, current)) = chars.next() {
        let next = chars.peek().map_or(' ', |&(_, next)| next);
        let joins = match current {
            '\'' | '\u{2019}' => previous.is_alphabetic() && next.is_alphabetic(),
            '.' | ',' => previous.is_numeric() && next.is_numeric(),
            _ => false,
        };
        if current.is_alphanumeric() || joins {
            start.get_or_insert(at);
        } else if let Some(start) = start.take() {
            found.push(word(text, start..at));
        }
        previous = current;
    }
    if let Some(start) = start {
        found.push(word(text, start..text.len()));
    }
    found
}

fn word(text: &str, range: Range<usize>) -> Word {
    let mut lower = text[range.clone()].to_lowercase().replace('\u{2019}', "'");
    if lower.starts_with(|c: char| c.is_numeric()) {
        lower.retain(|c| c != ',');
    }
    Word { text: lower, range }
}

/// Returns the capitalised words of a sentence that are not its first: what a reader takes for names.
pub(super) fn names<'a>(sentence: &str, words: &'a [Word]) -> impl Iterator<Item = &'a Word> {
    let capital: Vec<bool> = words
        .iter()
        .enumerate()
        .map(|(at, word)| {
            at > 0 && word.text.len() > 1 && sentence[word.range.clone()].starts_with(char::is_uppercase)
        })
        .collect();
    words.iter().zip(capital).filter(|(_, capital)| *capital).map(|(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_words_are_sorted_for_the_search() {
        assert!(FUNCTION_WORDS.is_sorted());
    }

    #[test]
    fn numbers_lose_their_group_separators_and_keep_their_decimals() {
        let texts: Vec<String> = words("It's 1,000.5, no. 7.").into_iter().map(|word| word.text).collect();
        assert_eq!(texts, ["it's", "1000.5", "no", "7"]);
    }

    #[test]
    fn the_first_word_of_a_sentence_is_no_name() {
        let sentence = "Later Guido met \u{c9}mile.";
        let words = words(sentence);
        let names: Vec<&str> = names(sentence, &words).map(|word| word.text.as_str()).collect();
        assert_eq!(names, ["guido", "\u{e9}mile"]);
    }
}
