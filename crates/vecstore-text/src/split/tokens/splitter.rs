//! Splitting by tokens alone: as many as fit, wherever a token ends between characters.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::ops::Range;

use super::cache::with_cache;
use super::pretokens::Pretokens;
use super::{Encoding, Vocabulary};
use crate::split::Splitter;
use crate::split::chunks::Chunks;
use crate::split::edges::{self, Edges};
use crate::split::error::{Result, SplitError};
use crate::split::limits::Limits;

/// Cuts a text into windows of tokens, each as full as it can be.
///
/// A window ends where a token ends between two characters, so a character of several tokens is never cut. Encoding a
/// chunk alone gives at most `chunk_size` tokens, and what two neighbors share at most `chunk_overlap`; where cutting
/// changes how text is encoded, the window is a little smaller. No text is left out, nor white space.
///
/// Costs the length of the text, and memory for one window.
///
/// ```
/// use vecstore_text::split::{Encoding, Limits, Splitter, TokenSplitter};
///
/// let text = "Tokens are what models read.";
/// let chunks = TokenSplitter::new(Limits::new(3, 1)?, Encoding::O200k).split(text)?;
/// let texts: Vec<&str> = chunks.texts(text).collect();
/// assert_eq!(texts, ["Tokens are what", " what models read", " read."]);
/// # Ok::<(), vecstore_text::split::SplitError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TokenSplitter {
    limits: Limits,
    encoding: Encoding,
    graphemes: bool,
}

impl TokenSplitter {
    /// Returns a splitter into at most `limits` tokens of an encoding.
    pub fn new(limits: Limits, encoding: Encoding) -> Self {
        Self { limits, encoding, graphemes: false }
    }

    /// Never cuts a grapheme cluster that fits; by default only characters are never cut.
    #[must_use]
    pub fn graphemes(mut self, graphemes: bool) -> Self {
        self.graphemes = graphemes;
        self
    }
}

impl Splitter for TokenSplitter {
    fn split(&self, text: &str) -> Result<Chunks> {
        let mut windows = Windows {
            splitter: self,
            text,
            edges: Edges::new(text),
            cuts: VecDeque::new(),
            tokens: 0,
            done: Vec::new(),
        };
        windows.cuts.push_back(Cut { at: 0, tokens: 0, between_words: true });
        let vocabulary = self.encoding.vocabulary();
        let mut words = Pretokens::new(text, self.encoding);
        let mut start = 0;
        // In batches, since the cache must not be in use while windows are measured.
        let mut batch: Vec<(usize, Option<u16>)> = Vec::with_capacity(BATCH_WORDS);
        loop {
            batch.clear();
            with_cache(self.encoding, |cache| {
                let mut start = start;
                for end in words.by_ref().take(BATCH_WORDS) {
                    batch.push((end, cache.ends(vocabulary, &text.as_bytes()[start..end])));
                    start = end;
                }
            });
            if batch.is_empty() {
                break;
            }
            SplitError::check_interrupt()?;
            for &(end, ends) in &batch {
                match ends {
                    Some(ends) => windows.add_short_word(start..end, ends),
                    None => windows.add_word(vocabulary, start..end),
                }
                start = end;
            }
        }
        windows.finish();
        Ok(Chunks::plain(windows.done))
    }
}

/// How many words are looked up at once.
const BATCH_WORDS: usize = 256;

/// A place where a window may start or end.
#[derive(Clone, Copy)]
struct Cut {
    at: usize,
    /// The number of tokens before it.
    tokens: usize,
    /// Tokens on both sides stay as they are if the text is cut here.
    between_words: bool,
}

struct Windows<'a> {
    splitter: &'a TokenSplitter,
    text: &'a str,
    edges: Edges<'a>,
    /// From the start of the window that is being filled to what was read.
    cuts: VecDeque<Cut>,
    tokens: usize,
    done: Vec<Range<usize>>,
}

impl Windows<'_> {
    fn add_short_word(&mut self, range: Range<usize>, mut ends: u16) {
        while ends != 0 {
            self.add_end(range.start + ends.trailing_zeros() as usize, range.end);
            ends &= ends - 1;
        }
    }

    fn add_word(&mut self, vocabulary: &Vocabulary, range: Range<usize>) {
        let word = &self.text.as_bytes()[range.clone()];
        vocabulary.encode(word, |end| self.add_end(range.start + end, range.end));
    }

    fn add_end(&mut self, end: usize, word_end: usize) {
        self.tokens += 1;
        if end == word_end {
            self.add_cut(end, true);
        } else if self.text.is_char_boundary(end) {
            self.add_cut(end, false);
        }
    }

    fn add_cut(&mut self, at: usize, between_words: bool) {
        let last = at == self.text.len();
        if self.splitter.graphemes && !last && !self.edges.is_boundary(at) {
            return;
        }
        self.cuts.push_back(Cut { at, tokens: self.tokens, between_words });
        let size = self.splitter.limits.chunk_size();
        while self.cuts.front().is_some_and(|first| self.tokens - first.tokens > size) {
            if !self.emit() {
                break;
            }
        }
    }

    fn finish(&mut self) {
        while self.cuts.len() > 1 {
            let all = self.cuts.len() - 1;
            let end = self.cuts[all].at;
            self.emit();
            if self.done.last().is_some_and(|range| range.end == end) {
                return;
            }
        }
    }

    /// Emits the longest window from the first cut on, and moves on; returns whether there was one.
    fn emit(&mut self) -> bool {
        let Some(&first) = self.cuts.front() else { return false };
        let size = self.splitter.limits.chunk_size();
        let mut end = self.cuts.partition_point(|cut| cut.tokens - first.tokens <= size).saturating_sub(1);
        while end > 1 && !self.measures(0, end, size) {
            end -= 1;
        }
        if end == 0 || end == 1 && !self.measures(0, 1, size) {
            return self.emit_parts();
        }
        if self.done.last().is_some_and(|last| self.cuts[end].at <= last.end) {
            // What is repeated leaves no room for the next token.
            self.cuts.pop_front();
            return true;
        }
        self.done.push(first.at..self.cuts[end].at);
        self.advance(end);
        true
    }

    /// Emits what lies before the next cut and is too large for a window: in grapheme clusters, if these are not to be cut,
    /// and in characters.
    fn emit_parts(&mut self) -> bool {
        let Some(&next) = self.cuts.get(1) else { return false };
        let Some(first) = self.cuts.pop_front() else { return false };
        if self.done.last().is_some_and(|last| next.at <= last.end) {
            return true;
        }
        let range = first.at..next.at;
        if self.splitter.graphemes {
            let ends: Vec<usize> = edges::grapheme_ends(self.text, &range).collect();
            self.fill(range.start, &ends, true);
        } else {
            self.fill_characters(&range);
        }
        true
    }

    fn fill_characters(&mut self, range: &Range<usize>) {
        let ends: Vec<usize> = edges::char_ends(self.text, range).collect();
        self.fill(range.start, &ends, false);
    }

    /// Emits windows that end at some of `ends`, each as large as fits.
    fn fill(&mut self, mut start: usize, mut ends: &[usize], clusters: bool) {
        let (encoding, size) = (self.splitter.encoding, self.splitter.limits.chunk_size());
        while let Some(&first) = ends.first() {
            let text = self.text;
            let fits = |end: usize| encoding.count_within(&text[start..end], size).is_some();
            let Ok(fitting) = edges::most_that_fit(ends.len(), |count| {
                Ok::<_, Infallible>(ends.get(count - 1).is_some_and(|&end| fits(end)))
            });
            let (taken, others) = ends.split_at(fitting.max(1));
            let end = taken.last().copied().unwrap_or(first);
            if fitting == 0 && clusters {
                self.fill_characters(&(start..end));
            } else {
                self.done.push(start..end);
            }
            (start, ends) = (end, others);
        }
    }

    /// Starts the next window: at the first cut after this one's start that repeats no more than it may.
    fn advance(&mut self, end: usize) {
        let overlap = self.splitter.limits.chunk_overlap();
        let tokens = self.cuts[end].tokens;
        let mut start = self.cuts.partition_point(|cut| tokens - cut.tokens.min(tokens) > overlap).max(1);
        while start < end && !self.measures(start, end, overlap) {
            start += 1;
        }
        self.cuts.drain(..start.min(end));
    }

    /// Returns whether the text between two cuts, encoded alone, has at most `limit` tokens.
    fn measures(&self, start: usize, end: usize, limit: usize) -> bool {
        let (first, last) = (self.cuts[start], self.cuts[end]);
        if first.between_words && last.between_words {
            return last.tokens - first.tokens <= limit;
        }
        self.splitter.encoding.count_within(&self.text[first.at..last.at], limit).is_some()
    }
}
