//! What the fuzzer feeds: every splitter, and the analyzers. Built for the fuzz targets in `fuzz/` alone, and for the test
//! that runs their corpus.
//!
//! The first two bytes of an input say how large chunks are, how much they overlap, and which variant is meant; the rest is
//! the text. Whatever it is: chunks are ranges of it between characters, none larger than asked for.

use crate::Analyzer;
use crate::split::{
    CodeSplitter, Encoding, HtmlSplitter, JsonSplitter, Language, Limits, MarkdownSplitter, Recursive,
    SentenceSplitter, Splitter, TokenSplitter,
};

/// A target, by the name of its program and of its corpus.
type Target = (&'static str, fn(&Input<'_>));

/// All targets.
const TARGETS: &[Target] = &[
    ("split_recursive", |input| input.check_chars(&Recursive::new(input.limits))),
    ("split_markdown", |input| input.check_chars(&MarkdownSplitter::new(input.limits))),
    ("split_html", |input| input.check_chars(&HtmlSplitter::new(input.limits))),
    ("split_json", |input| input.check_chars(&JsonSplitter::new(input.limits))),
    ("split_sentences", |input| input.check_chars(&SentenceSplitter::new(input.limits))),
    ("split_code", split_code),
    ("split_tokens", split_tokens),
    ("analyze", analyze),
];

struct Input<'a> {
    limits: Limits,
    variant: usize,
    text: &'a str,
}

/// Runs the target of this name.
///
/// # Panics
///
/// If there is none, or if a splitter does what it never may.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, run) = target.expect("a program in `fuzz/` is named for a target");
    let Some((&[size, variant], text)) = bytes.split_first_chunk::<2>() else { return };
    let text = String::from_utf8_lossy(text);
    let size = usize::from(size).max(1);
    let limits =
        Limits::new(size, usize::from(variant) % size).expect("the overlap is smaller than the size");
    run(&Input { limits, variant: usize::from(variant), text: &text });
}

impl Input<'_> {
    fn check(&self, splitter: &dyn Splitter, measure: impl Fn(&str) -> usize) {
        let Ok(chunks) = splitter.split(self.text) else { return };
        let mut start = 0;
        for (at, range) in chunks.ranges().iter().enumerate() {
            // Indexing fails where a range is no range of the text.
            let chunk = &self.text[range.clone()];
            assert!(range.start >= start, "chunk {at} begins before the one in front of it");
            assert!(!chunk.is_empty(), "chunk {at} is empty");
            let size = measure(chunk);
            assert!(
                size <= self.limits.chunk_size(),
                "chunk {at} measures {size} of {}",
                self.limits.chunk_size()
            );
            start = range.start;
        }
    }

    fn check_chars(&self, splitter: &dyn Splitter) {
        self.check(splitter, |chunk| chunk.chars().count());
    }
}

fn split_code(input: &Input<'_>) {
    let names: Vec<&str> = Language::names().collect();
    let language = Language::parse(names[input.variant % names.len()]).expect("it is one of the names");
    input.check_chars(&CodeSplitter::new(input.limits, language));
}

fn split_tokens(input: &Input<'_>) {
    let encoding = if input.variant.is_multiple_of(2) { Encoding::Cl100k } else { Encoding::O200k };
    input.check(&TokenSplitter::new(input.limits, encoding), |_| 0);
}

fn analyze(input: &Input<'_>) {
    const NAMES: [&str; 8] =
        ["standard", "english", "german", "cjk", "code", "ngram", "whitespace", "english:stop"];
    let analyzer: Analyzer = NAMES[input.variant % NAMES.len()].parse().expect("it is one of the names");
    for token in analyzer.tokens(input.text) {
        assert!(!token.term.is_empty(), "a term is empty");
    }
}

#[cfg(test)]
mod tests;
