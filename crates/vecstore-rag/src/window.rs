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
}

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
        }
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

    /// Sets whether the first text that does not fit is cut to the room that is left. Otherwise it is left out.
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
        let mut room = self.max_tokens.saturating_sub(self.reserved_tokens);
        let mut packed = Vec::new();
        for source in candidates {
            let mut text = texts[source].as_ref();
            if let Some(most) = self.text_tokens_max {
                text = truncate_to_tokens(text, most, counter)?;
            }
            let mut tokens = counter.count(text)?;
            if tokens > room && self.truncates {
                text = truncate_to_tokens(text, room, counter)?;
                tokens = counter.count(text)?;
            }
            if tokens > room || text.is_empty() {
                continue;
            }
            room -= tokens;
            packed.push(Packed { source, text, tokens });
        }
        Ok(match self.order {
            PackOrder::Rank => packed,
            PackOrder::EdgesFirst => edges_first(packed),
        })
    }
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
    }

    proptest! {
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
