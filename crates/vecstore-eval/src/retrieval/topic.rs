//! One query, ready to be measured: the grades of what was retrieved, in order, and of what was judged.

use std::cmp::Ordering;

use super::Compat;
use crate::{Error, Result};

/// What the judgments say of a retrieved document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Judgment {
    /// Judged, with its grade; 0 is judged and not relevant.
    Grade(u32),
    /// In the pool of what was to be judged, but not judged: a negative grade in the judgments.
    Pooled,
    /// Not in the judgments at all.
    Unpooled,
}

impl Judgment {
    /// Reads a grade of the judgments, where a negative one says "pooled, not judged".
    ///
    /// # Errors
    /// A grade beyond 32 bits.
    pub fn of_grade(grade: i64) -> Result<Self> {
        if grade < 0 {
            return Ok(Self::Pooled);
        }
        let grade = u32::try_from(grade)
            .map_err(|_| Error::new(format!("relevance: expected at most {}, got {grade}", u32::MAX)))?;
        Ok(Self::Grade(grade))
    }

    pub(crate) fn grade(self) -> u32 {
        match self {
            Self::Grade(grade) => grade,
            Self::Pooled | Self::Unpooled => 0,
        }
    }

    pub(crate) fn is_judged(self) -> bool {
        matches!(self, Self::Grade(_))
    }

    /// Whether the document is relevant at `level` or above. Level 0 makes every judged document relevant.
    pub(crate) fn is_relevant(self, level: u32) -> bool {
        matches!(self, Self::Grade(grade) if grade >= level)
    }
}

/// A query with its ranking and its judgments.
#[derive(Clone, Debug, Default)]
pub struct Topic {
    ranked: Vec<Judgment>,
    /// The grades of all judged documents with how many have each, the best first.
    judged: Vec<(u32, usize)>,
}

impl Topic {
    /// Makes a topic of the judgments of the retrieved documents, best rank first, and of the grades of all judged
    /// documents in any order.
    pub fn new(ranked: Vec<Judgment>, judged: impl IntoIterator<Item = Judgment>) -> Self {
        let mut grades: Vec<u32> = judged
            .into_iter()
            .filter_map(|judgment| match judgment {
                Judgment::Grade(grade) => Some(grade),
                Judgment::Pooled | Judgment::Unpooled => None,
            })
            .collect();
        grades.sort_unstable_by(|a, b| b.cmp(a));
        let mut judged: Vec<(u32, usize)> = Vec::new();
        for grade in grades {
            match judged.last_mut() {
                Some((last, count)) if *last == grade => *count += 1,
                _ => judged.push((grade, 1)),
            }
        }
        Self { ranked, judged }
    }

    /// Returns the judgments of the retrieved documents, best rank first.
    pub fn ranked(&self) -> &[Judgment] {
        &self.ranked
    }

    /// Returns the greatest grade of any judged document.
    pub fn top_grade(&self) -> Option<u32> {
        self.judged.first().map(|&(grade, _)| grade)
    }

    pub(crate) fn until(&self, cut: Option<usize>) -> &[Judgment] {
        &self.ranked[..cut.unwrap_or(usize::MAX).min(self.ranked.len())]
    }

    /// Returns how many of the first `cut` are relevant at `level`.
    pub(crate) fn found(&self, cut: Option<usize>, level: u32) -> usize {
        self.until(cut).iter().filter(|judgment| judgment.is_relevant(level)).count()
    }

    /// Returns how many judged documents are relevant at `level`, retrieved or not.
    pub(crate) fn relevant(&self, level: u32) -> usize {
        self.judged.iter().filter(|&&(grade, _)| grade >= level).map(|&(_, count)| count).sum()
    }

    /// Returns how many judged documents are not relevant at `level`, retrieved or not.
    pub(crate) fn nonrelevant(&self, level: u32) -> usize {
        self.judged.iter().filter(|&&(grade, _)| grade < level).map(|&(_, count)| count).sum()
    }

    /// Yields the grades of the best ranking there could be: those above 0, best first.
    pub(crate) fn ideal(&self) -> impl Iterator<Item = u32> + '_ {
        self.judged
            .iter()
            .take_while(|&&(grade, _)| grade > 0)
            .flat_map(|&(grade, count)| std::iter::repeat_n(grade, count))
    }
}

/// Returns the positions of documents in the order of their ranks: by score, the greatest first, and where scores
/// tie, by id, the greatest first. `id_order` compares the ids at two positions; it is asked about ties only.
///
/// # Errors
/// A score that is not a number, with its position; more than 2^32 scores.
///
/// # Examples
/// ```
/// use vecstore_eval::{Compat, rank};
///
/// let ids = ["a", "b", "c"];
/// let order = rank(&[0.5, 0.5, 0.9], Compat::default(), |a, b| ids[a].cmp(ids[b]))?;
/// assert_eq!(order, [2, 1, 0]);
/// # Ok::<(), vecstore_eval::Error>(())
/// ```
pub fn rank(
    scores: &[f64],
    compat: Compat,
    mut id_order: impl FnMut(usize, usize) -> Ordering,
) -> Result<Vec<usize>> {
    if u32::try_from(scores.len()).is_err() {
        return Err(Error::new(format!("scores: expected at most {} in a ranking", u32::MAX)));
    }
    if let Some(at) = scores.iter().position(|score| score.is_nan()) {
        return Err(Error::new(format!("score of document {at} of the ranking: expected a number, got NaN")));
    }
    // Whole numbers of one word sort several times faster than pairs compared through a function.
    let mut keys: Vec<u128> = scores
        .iter()
        .enumerate()
        .map(|(at, &score)| u128::from(descending_bits(compat.compared(score))) << 32 | at as u128)
        .collect();
    keys.sort_unstable();
    let mut order: Vec<usize> = keys.iter().map(|key| (key & u128::from(u32::MAX)) as usize).collect();
    let mut start = 0;
    while start < order.len() {
        let score = keys[start] >> 32;
        let ties = keys[start..].iter().take_while(|&&key| key >> 32 == score).count();
        if ties > 1 {
            order[start..start + ties].sort_by(|&a, &b| id_order(b, a));
        }
        start += ties;
    }
    Ok(order)
}

/// Maps numbers to bits whose order is the reverse of the numbers'. Both zeros are one.
fn descending_bits(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    let ascending = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    !ascending
}
