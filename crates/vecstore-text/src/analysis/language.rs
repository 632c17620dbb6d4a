//! The languages that can be stemmed, and their stop words.

use rust_stemmers::{Algorithm, Stemmer};

/// A language with a stemmer and a list of stop words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "they are names of languages")]
pub enum Language {
    Arabic,
    Danish,
    Dutch,
    English,
    Finnish,
    French,
    German,
    Greek,
    Hungarian,
    Italian,
    Norwegian,
    Portuguese,
    Romanian,
    Russian,
    Spanish,
    Swedish,
    Tamil,
    Turkish,
}

impl Language {
    /// All languages, in order of name.
    pub const ALL: [Self; 18] = [
        Self::Arabic,
        Self::Danish,
        Self::Dutch,
        Self::English,
        Self::Finnish,
        Self::French,
        Self::German,
        Self::Greek,
        Self::Hungarian,
        Self::Italian,
        Self::Norwegian,
        Self::Portuguese,
        Self::Romanian,
        Self::Russian,
        Self::Spanish,
        Self::Swedish,
        Self::Tamil,
        Self::Turkish,
    ];

    /// Returns the English name, in lower case.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// Returns the language of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == name)
    }

    pub(super) fn row(self) -> (&'static str, &'static str, Algorithm) {
        match self {
            Self::Arabic => ("arabic", "ar", Algorithm::Arabic),
            Self::Danish => ("danish", "da", Algorithm::Danish),
            Self::Dutch => ("dutch", "nl", Algorithm::Dutch),
            Self::English => ("english", "en", Algorithm::English),
            Self::Finnish => ("finnish", "fi", Algorithm::Finnish),
            Self::French => ("french", "fr", Algorithm::French),
            Self::German => ("german", "de", Algorithm::German),
            Self::Greek => ("greek", "el", Algorithm::Greek),
            Self::Hungarian => ("hungarian", "hu", Algorithm::Hungarian),
            Self::Italian => ("italian", "it", Algorithm::Italian),
            Self::Norwegian => ("norwegian", "no", Algorithm::Norwegian),
            Self::Portuguese => ("portuguese", "pt", Algorithm::Portuguese),
            Self::Romanian => ("romanian", "ro", Algorithm::Romanian),
            Self::Russian => ("russian", "ru", Algorithm::Russian),
            Self::Spanish => ("spanish", "es", Algorithm::Spanish),
            Self::Swedish => ("swedish", "sv", Algorithm::Swedish),
            Self::Tamil => ("tamil", "ta", Algorithm::Tamil),
            Self::Turkish => ("turkish", "tr", Algorithm::Turkish),
        }
    }

    pub(super) fn stemmer(self) -> Stemmer {
        Stemmer::create(self.row().2)
    }

    /// Returns whether a word, in lower case, is a stop word.
    pub(super) fn is_stop_word(self, word: &str) -> bool {
        use std::collections::HashSet;
        use std::sync::OnceLock;
        static SETS: [OnceLock<HashSet<&'static str>>; Language::ALL.len()] =
            [const { OnceLock::new() }; Language::ALL.len()];
        let make = || stop_words::lookup(self.row().1).unwrap_or_default().iter().copied().collect();
        SETS[self as usize].get_or_init(make).contains(word)
    }

    /// Returns whether an apostrophe joins what it stands between, to be taken apart by
    /// [`without_elision`](Self::without_elision) or the stemmer.
    pub(super) fn elides(self) -> bool {
        matches!(self, Self::English | Self::French | Self::Italian | Self::Turkish)
    }

    /// Returns a word without an article or pronoun that lost its vowel before it: `l'eau` is `eau`. English and Turkish
    /// have theirs behind.
    pub(super) fn without_elision(self, word: &str) -> &str {
        const FRENCH: [&str; 14] =
            ["l", "d", "j", "m", "n", "s", "t", "c", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu", "quelqu"];
        const ITALIAN: [&str; 15] = [
            "l", "d", "un", "all", "dall", "dell", "nell", "sull", "coll", "quest", "quell", "c", "m", "t",
            "s",
        ];
        let Some((before, after)) = word.split_once('\'') else { return word };
        match self {
            Self::French if FRENCH.contains(&before) => after,
            Self::Italian if ITALIAN.contains(&before) => after,
            Self::Turkish => before,
            _ => word,
        }
    }
}
