//! The words of `$text`.

/// Iterates over the words of a text: runs of Unicode letters and digits.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Words in lower case, each once.
#[derive(Clone, Debug)]
pub(crate) struct WordSet(Vec<String>);

impl WordSet {
    pub(super) fn new(text: &str) -> Self {
        let mut lowered: Vec<String> = words(text).map(|word| lowercase(word).collect()).collect();
        lowered.sort_unstable();
        lowered.dedup();
        Self(lowered)
    }

    /// Returns whether every word is among those of `text`. O(words of both, multiplied).
    pub(super) fn all_in(&self, text: &str) -> bool {
        self.0.iter().all(|wanted| words(text).any(|word| lowercase(word).eq(wanted.chars())))
    }
}

/// Lowers each character by itself, unlike `str::to_lowercase`, so that a word's form never depends on its neighbours.
fn lowercase(word: &str) -> impl Iterator<Item = char> {
    word.chars().flat_map(char::to_lowercase)
}
