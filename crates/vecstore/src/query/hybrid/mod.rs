//! Searches by a vector and by words at once, and how the two rankings become one.

mod autocut;
mod fusion;
mod rankings;

pub(crate) use autocut::autocut;
pub use fusion::Fusion;
pub(crate) use fusion::{Arm, Fused, fuse};
pub use rankings::Rankings;

use super::hits::{Hit, Hits, Include, Neighbor};
use super::options::{QueryOptions, search_setters, vector_setters};
use super::text::check_keywords;
use crate::error::{Error, Result};

/// How much the vector counts if nothing is said; the words count for the rest.
const ALPHA_DEFAULT: f32 = 0.7;

/// Jumps in the scores are looked for among so many at most: [`HybridQuery::autocut`].
const AUTOCUT_MAX: usize = 1000;

/// What each arm finds where scores are boosted: so many times what is wanted, and so many at least.
const BOOSTED_FACTOR: usize = 16;
const BOOSTED_MIN: usize = 256;

/// A search for the records that match a vector and words best.
///
/// Two searches, the *arms*, each find their best records; a [`Fusion`] makes one ranking of both. With alpha 1 that is the
/// ranking of the vector alone, with alpha 0 that of the words alone.
///
/// # Examples
///
/// ```
/// use vecstore::{Fusion, HybridQuery, Record, VecStore};
///
/// let store = VecStore::options().open_in_memory()?;
/// store.upsert_record(&Record::new("a", [1.0, 0.0]).with_text("red fox"), None)?;
/// store.upsert_record(&Record::new("b", [0.8, 0.6]).with_text("red car"), None)?;
/// let query = HybridQuery::new([1.0, 0.0], "car").alpha(0.3).fusion(Fusion::Relative);
/// assert_eq!(store.hybrid_query(&query)?[0].id, "b");
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct HybridQuery {
    pub(crate) vector: Vec<f32>,
    pub(crate) keywords: String,
    pub(crate) boosts: Vec<(String, f32)>,
    pub(crate) options: QueryOptions,
    pub(crate) alpha: f32,
    pub(crate) fusion: Fusion,
    pub(crate) candidates: Option<usize>,
    pub(crate) autocut: Option<usize>,
}

impl HybridQuery {
    /// Makes a search for 10 records.
    pub fn new(vector: impl Into<Vec<f32>>, keywords: impl Into<String>) -> Self {
        Self {
            vector: vector.into(),
            keywords: keywords.into(),
            boosts: Vec::new(),
            options: QueryOptions::default(),
            alpha: ALPHA_DEFAULT,
            fusion: Fusion::default(),
            candidates: None,
            autocut: None,
        }
    }

    /// Sets how much the vector counts, from 0 to 1 (0.7 without it); the words count for the rest.
    pub fn alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets how the rankings are fused; by reciprocal ranks without it.
    pub fn fusion(mut self, fusion: Fusion) -> Self {
        self.fusion = fusion;
        self
    }

    /// Sets how many records each arm finds: as many as are wanted, those left out by an offset included, without it. With
    /// more, records that are good but not best in both arms move up; each arm takes longer (a search for 20 of 62,000
    /// about 1.5 times one for 10). Pages follow each other only if it is set. With boosts, which change the order of what
    /// the arms found, it is 16 times as many, at least 256, without it.
    pub fn candidates(mut self, candidates: usize) -> Self {
        self.candidates = Some(candidates);
        self
    }

    /// Sets after how many jumps of the fused scores the results end: with 1 what is about as good as the best is left.
    /// Without it they do not end before `k`.
    pub fn autocut(mut self, jumps: usize) -> Self {
        self.autocut = Some(jumps);
        self
    }

    /// Multiplies what a field adds to the scores of the words: see [`TextQuery::boost`](super::TextQuery::boost).
    pub fn boost(mut self, field: impl Into<String>, factor: f32) -> Self {
        self.boosts.push((field.into(), factor));
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.options.check()?;
        check_keywords(&self.keywords)?;
        self.fusion.check()?;
        check_alpha(self.alpha)?;
        if let Some(candidates) = self.candidates
            && !(1..=crate::limits::MAX_K).contains(&candidates)
        {
            return Err(Error::invalid(format!(
                "candidates must be between 1 and {}, got {candidates}",
                crate::limits::MAX_K
            )));
        }
        self.autocut.map_or(Ok(()), check_autocut)
    }

    /// Returns how many records each arm finds.
    pub(crate) fn depth(&self) -> usize {
        let wanted = self.options.k + self.options.offset;
        let is_single = self.alpha == 0.0 || self.alpha == 1.0;
        match self.candidates {
            // One arm alone need not find more than is wanted.
            _ if is_single && self.options.boosts.is_empty() => wanted,
            Some(candidates) => candidates.max(wanted),
            None if self.options.boosts.is_empty() => wanted,
            None => wanted.saturating_mul(BOOSTED_FACTOR).max(BOOSTED_MIN),
        }
    }
}

search_setters!(HybridQuery);
vector_setters!(HybridQuery);

/// Where an arm has a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArmRank {
    /// The rank in the arm, the best at 0.
    pub rank: usize,
    /// The score in the arm: the metric's, or BM25.
    pub score: f32,
}

/// The hits of a hybrid search, best first, with what each arm found.
#[derive(Clone, Debug)]
pub struct HybridHits {
    pub(crate) hits: Hits,
    pub(crate) arms: Vec<[Option<ArmRank>; 2]>,
}

impl HybridHits {
    /// Returns the hits; their scores are fused.
    pub fn hits(&self) -> &Hits {
        &self.hits
    }

    /// Returns the number of hits.
    pub fn len(&self) -> usize {
        self.hits.len()
    }

    /// Returns whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.hits.is_empty()
    }

    /// Returns the hit at a rank, the best at 0.
    pub fn get(&self, rank: usize) -> Option<Hit<'_>> {
        self.hits.get(rank)
    }

    /// Returns where the vector's arm has the hit at a rank; `None` if it was not among what that arm found.
    pub fn vector_arm(&self, rank: usize) -> Option<ArmRank> {
        self.arms.get(rank)?[0]
    }

    /// Returns where the words' arm has the hit at a rank; `None` if it was not among what that arm found.
    pub fn text_arm(&self, rank: usize) -> Option<ArmRank> {
        self.arms.get(rank)?[1]
    }

    /// Copies the hits out of the snapshot.
    ///
    /// # Errors
    ///
    /// `Corrupted` if a record's bytes fail their checksum.
    pub fn to_neighbors(&self, include: Include) -> Result<Vec<Neighbor>> {
        self.hits.to_neighbors(include)
    }
}

fn check_alpha(alpha: f32) -> Result<()> {
    if (0.0..=1.0).contains(&alpha) {
        return Ok(());
    }
    Err(Error::invalid(format!("alpha must be between 0 and 1, got {alpha}")))
}

fn check_autocut(jumps: usize) -> Result<()> {
    if (1..=AUTOCUT_MAX).contains(&jumps) {
        return Ok(());
    }
    Err(Error::invalid(format!("autocut must be between 1 and {AUTOCUT_MAX} jumps, got {jumps}")))
}
