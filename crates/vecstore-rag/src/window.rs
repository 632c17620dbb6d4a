//! Packing ranked texts into a budget of tokens.

use crate::overlap::without_near_duplicates;
use crate::tokens::{TokenCounter, truncate_to_tokens};

/// In which order packed texts stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PackOrder {
    /// As they were ranked, best first.
    #[default]
    Rank,
    /// The best at both ends, the worst in the middle, where models read least well (Liu et al., "Lost in the Middle", 2023).
    EdgesFirst,
}

/// How texts are packed: [`ContextWindow::pack`].
///
/// # Examples
///
/// ```
/// use vecstore_rag::{ContextWindow, estimate_tokens};
///
/// let mut count = |text: &str| Ok::<_, std::convert::Infallible>(estimate_tokens(text));
/// let texts = ["Segments are sealed.", "A much longer text about manifests and logs.", "Logs are synced."];
/// let packed = ContextWindow::new(9).pack(&texts, &mut count)?;
/// assert_eq!(packed.iter().map(|one| one.source).collect::<Vec<_>>(), [0, 2]);
/// # Ok::<(), std::convert::Infallible>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ContextWindow {
    max_tokens: usize,
    reserved_tokens: usize,
    text_tokens_max: Option<usize>,
    truncates: bool,
    duplicate_threshold: Option<f64>,
    order: PackOrder,
    is_numbered: bool,
}

/// A text that is cut keeps so many tokens, or this part of them: less tells nothing.
const LEAST_CUT_TOKENS: usize = 32;
const LEAST_CUT_PART: usize = 3;

/// A text that was packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed<'a> {
    /// Its place among the texts that were given.
    pub source: usize,
    /// The text, or the part of it that there was room for.
    pub text: &'a str,
    /// How many tokens that has.
    pub tokens: usize,
}

impl ContextWindow {
    /// Makes a window of `max_tokens`, with none reserved, no limit for one text, no truncation, and all texts taken as
    /// different.
    pub fn new(max_tokens: usize) -> Self {
        Self {
            max_tokens,
            reserved_tokens: 0,
            text_tokens_max: None,
            truncates: false,
            duplicate_threshold: None,
            order: PackOrder::Rank,
            is_numbered: false,
        }
    }

    /// Sets whether the texts will stand as [`numbered_context`] writes them, so that numbers and blank lines are in the
    /// budget, too.
    pub fn numbered(mut self, is_numbered: bool) -> Self {
        self.is_numbered = is_numbered;
        self
    }

    /// Sets how many tokens stay free, for the question and the answer.
    pub fn reserve(mut self, tokens: usize) -> Self {
        self.reserved_tokens = tokens;
        self
    }

    /// Cuts each text to so many tokens, at a paragraph, sentence or word.
    pub fn text_tokens_max(mut self, tokens: impl Into<Option<usize>>) -> Self {
        self.text_tokens_max = tokens.into();
        self
    }

    /// Sets whether the first text that does not fit is cut to the room that is left, unless that is less than 32 tokens
    /// and less than a third of it. Otherwise it is left out.
    pub fn truncate(mut self, truncates: bool) -> Self {
        self.truncates = truncates;
        self
    }

    /// Leaves out texts that share this part of their runs of words with a better one: see
    /// [`without_near_duplicates`].
    pub fn duplicate_threshold(mut self, threshold: impl Into<Option<f64>>) -> Self {
        self.duplicate_threshold = threshold.into();
        self
    }

    /// Sets the order.
    pub fn order(mut self, order: PackOrder) -> Self {
        self.order = order;
        self
    }

    /// Packs the best of the texts, which are ranked, best first. A text that does not fit is passed over: a shorter one
    /// after it may.
    ///
    /// # Errors
    ///
    /// Those of the counter.
    pub fn pack<'a, T: AsRef<str>, E>(
        &self,
        texts: &'a [T],
        counter: &mut impl TokenCounter<E>,
    ) -> Result<Vec<Packed<'a>>, E> {
        let candidates = match self.duplicate_threshold {
            Some(threshold) => without_near_duplicates(texts, threshold),
            None => (0..texts.len()).collect(),
        };
        let budget = self.max_tokens.saturating_sub(self.reserved_tokens);
        let (mut used, mut may_cut) = (0_usize, self.truncates);
        let mut packed: Vec<Packed<'a>> = Vec::new();
        for source in candidates {
            let mut text = texts[source].as_ref();
            if let Some(most) = self.text_tokens_max {
                text = truncate_to_tokens(text, most, counter)?;
            }
            let frame = self.frame(packed.len() + 1);
            let mut tokens = self.size(&frame, text, counter)?;
            let room = budget - used;
            if tokens > room && may_cut {
                let framed = counter.count(&frame)?;
                let cut = truncate_to_tokens(text, room.saturating_sub(framed), counter)?;
                let (kept, all) = (counter.count(cut)?, counter.count(text)?);
                if kept >= all.div_ceil(LEAST_CUT_PART).min(LEAST_CUT_TOKENS) || packed.is_empty() {
                    (text, may_cut) = (cut, false);
                    tokens = self.size(&frame, text, counter)?;
                }
            }
            if tokens > room || text.is_empty() {
                continue;
            }
            used += tokens;
            packed.push(Packed { source, text, tokens });
        }
        if self.is_numbered {
            self.shrink(&mut packed, budget, counter)?;
        }
        Ok(self.ordered(packed))
    }

    /// Drops the last texts, or all but the beginning of an only one, until all fit as they will stand: together they may be
    /// more tokens than apart.
    fn shrink<E>(
        &self,
        packed: &mut Vec<Packed<'_>>,
        budget: usize,
        counter: &mut impl TokenCounter<E>,
    ) -> Result<(), E> {
        let size = |packed: &[Packed<'_>], counter: &mut dyn FnMut(&str) -> Result<usize, E>| {
            let texts: Vec<&str> = self.ordered(packed.to_vec()).iter().map(|one| one.text).collect();
            counter(&numbered_context(&texts))
        };
        loop {
            let tokens = size(packed, &mut |text| counter.count(text))?;
            let [.., last] = &mut packed[..] else { return Ok(()) };
            if tokens <= budget {
                return Ok(());
            }
            let room = counter.count(last.text)?.saturating_sub(tokens - budget);
            let shorter = truncate_to_tokens(last.text, room, counter)?;
            if self.truncates && !shorter.is_empty() && shorter.len() < last.text.len() {
                last.text = shorter;
                last.tokens = counter.count(shorter)?;
            } else {
                packed.pop();
            }
        }
    }

    /// Returns what stands around a text.
    fn frame(&self, number: usize) -> String {
        match (self.is_numbered, number) {
            (false, _) => String::new(),
            (true, 1) => "[1] ".to_owned(),
            (true, number) => format!("\n\n[{number}] "),
        }
    }

    fn size<E>(&self, frame: &str, text: &str, counter: &mut impl TokenCounter<E>) -> Result<usize, E> {
        if frame.is_empty() { counter.count(text) } else { counter.count(&format!("{frame}{text}")) }
    }

    fn ordered<'a>(&self, packed: Vec<Packed<'a>>) -> Vec<Packed<'a>> {
        match self.order {
            PackOrder::Rank => packed,
            PackOrder::EdgesFirst => edges_first(packed),
        }
    }
}

/// Returns texts as a model reads them: each as `[n] text`, numbered from 1, with a blank line between two.
///
/// ```
/// assert_eq!(vecstore_rag::numbered_context(&["one", "two"]), "[1] one\n\n[2] two");
/// ```
pub fn numbered_context(texts: &[impl AsRef<str>]) -> String {
    let entries: Vec<String> =
        texts.iter().enumerate().map(|(at, text)| format!("[{}] {}", at + 1, text.as_ref())).collect();
    entries.join("\n\n")
}

/// Returns ranked items with the best first, the second best last, the third second, and so on.
pub(crate) fn edges_first<T>(ranked: Vec<T>) -> Vec<T> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    for (rank, item) in ranked.into_iter().enumerate() {
        if rank % 2 == 0 { front.push(item) } else { back.push(item) }
    }
    front.extend(back.into_iter().rev());
    front
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::tokens::estimate_tokens;

    type Counter = fn(&str) -> Result<usize, Infallible>;

    fn words(text: &str) -> Result<usize, Infallible> {
        Ok(text.split_whitespace().count())
    }

    #[test]
    fn the_best_stand_at_the_edges() {
        assert_eq!(edges_first(vec![1, 2, 3, 4, 5]), [1, 3, 5, 4, 2]);
        assert_eq!(edges_first(vec![1, 2, 3, 4]), [1, 3, 4, 2]);
        assert_eq!(edges_first(Vec::<u8>::new()), [] as [u8; 0]);
    }

    #[test]
    fn a_long_text_is_cut_where_that_is_asked_for() {
        let texts = ["A b c. D e f.", "g h i j k"];
        let pack = |window: ContextWindow| {
            let packed = window.pack(&texts, &mut words).unwrap();
            packed.into_iter().map(|one| one.text).collect::<Vec<_>>()
        };
        assert_eq!(pack(ContextWindow::new(8)), ["A b c. D e f."]);
        assert_eq!(pack(ContextWindow::new(8).truncate(true)), ["A b c. D e f.", "g h"]);
        assert_eq!(pack(ContextWindow::new(8).text_tokens_max(4)), ["A b c.", "g h i j"]);
        assert_eq!(pack(ContextWindow::new(8).reserve(8)), [] as [&str; 0]);
        // One word of five tells nothing, unless it is all there is.
        assert_eq!(pack(ContextWindow::new(7).truncate(true)), ["A b c. D e f."]);
        assert_eq!(pack(ContextWindow::new(1).truncate(true)), ["A"]);
    }

    #[test]
    fn one_text_is_cut_and_no_other() {
        let texts = ["a ".repeat(40), "b ".repeat(40), "c ".repeat(2)];
        let packed = ContextWindow::new(60).truncate(true).pack(&texts, &mut words).unwrap();
        assert_eq!(packed.iter().map(|one| one.tokens).collect::<Vec<_>>(), [40, 20]);
        let packed = ContextWindow::new(76).truncate(true).pack(&texts, &mut words).unwrap();
        assert_eq!(packed.iter().map(|one| one.tokens).collect::<Vec<_>>(), [40, 36]);
        // What is left over is not filled with a scrap of the next.
        let texts = ["One two three. Four five six.".to_owned(), "x ".repeat(40)];
        let packed = ContextWindow::new(5).truncate(true).pack(&texts, &mut words).unwrap();
        assert_eq!(packed.iter().map(|one| one.text).collect::<Vec<_>>(), ["One two three."]);
    }

    proptest! {
        #[test]
        fn what_is_numbered_fits(
            texts in prop::collection::vec("[a-d. \u{e9}\u{4e2d}\n]{0,40}", 0..14),
            budget in 0_usize..80,
            truncate in any::<bool>(),
            edges in any::<bool>(),
        ) {
            let order = if edges { PackOrder::EdgesFirst } else { PackOrder::Rank };
            let window = ContextWindow::new(budget).truncate(truncate).order(order).numbered(true);
            // The last one is not additive: a text may be more than its parts.
            let counters: [Counter; 3] = [
                |text| Ok(text.chars().count()),
                |text| Ok(estimate_tokens(text)),
                |text| Ok(text.chars().count().saturating_sub(3) * 2),
            ];
            for mut counter in counters {
                let packed = window.pack(&texts, &mut counter).unwrap();
                let shown: Vec<&str> = packed.iter().map(|one| one.text).collect();
                prop_assert!(counter(&numbered_context(&shown)).unwrap() <= budget);
                for one in packed {
                    prop_assert!(texts[one.source].starts_with(one.text));
                }
            }
        }

        #[test]
        fn what_is_packed_fits(
            texts in prop::collection::vec("[a-d ]{0,20}", 0..8),
            budget in 0_usize..30,
            truncate in any::<bool>(),
            threshold in prop::option::of(0.3_f64..1.0),
        ) {
            let window = ContextWindow::new(budget).truncate(truncate).duplicate_threshold(threshold);
            let packed = window.pack(&texts, &mut words).unwrap();
            prop_assert!(packed.iter().map(|one| one.tokens).sum::<usize>() <= budget);
            prop_assert!(packed.windows(2).all(|two| two[0].source < two[1].source));
            for one in packed {
                prop_assert!(texts[one.source].starts_with(one.text));
                prop_assert!(truncate || one.text == texts[one.source]);
            }
        }
    }
}
