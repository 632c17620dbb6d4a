//! Words and sentences of a text, as the rest of this crate compares them.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// English words that say nothing about what a sentence is about.
const STOP_WORDS: &[&str] = &[
    "a", "about", "also", "an", "and", "any", "are", "as", "at", "be", "because", "been", "but", "by", "can",
    "could", "did", "do", "does", "for", "from", "had", "has", "have", "he", "her", "his", "how", "i", "if",
    "in", "into", "is", "it", "its", "may", "me", "my", "no", "not", "of", "on", "or", "our", "she",
    "should", "so", "some", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they",
    "this", "those", "to", "was", "we", "were", "what", "when", "where", "which", "while", "who", "why",
    "will", "with", "would", "you", "your",
];

/// Returns the words of a text in lower case.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().map(str::to_lowercase)
}

/// Returns the words that say what a text is about, in lower case and without the `s` of a plural.
pub(crate) fn content_words(text: &str) -> impl Iterator<Item = String> + '_ {
    words(text).filter(|word| !is_stop_word(word)).map(singular)
}

/// Returns whether a word in lower case says nothing about what a text is about.
pub(crate) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

/// Returns whether a word is a number: those are compared as they stand.
pub(crate) fn is_number(word: &str) -> bool {
    word.starts_with(|first: char| first.is_numeric())
}

fn singular(mut word: String) -> String {
    if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !is_number(&word) {
        word.pop();
    }
    word
}

/// Returns the byte ranges of the sentences of a text, without the white space around them.
pub(crate) fn sentences(text: &str) -> Vec<Range<usize>> {
    let trimmed = |(start, sentence): (usize, &str)| {
        let inner = sentence.trim();
        let start = start + (sentence.len() - sentence.trim_start().len());
        (!inner.is_empty()).then(|| start..start + inner.len())
    };
    text.split_sentence_bound_indices().filter_map(trimmed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stop_words_are_sorted() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn sentences_are_where_they_stand() {
        let text = " One is here.  Two is there!\nThree";
        let found: Vec<&str> = sentences(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["One is here.", "Two is there!", "Three"]);
        assert!(sentences(" \n ").is_empty());
    }
}
