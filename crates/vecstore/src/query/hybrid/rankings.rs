//! The fusion of rankings that were found elsewhere, by the ids of what is in them.

use std::collections::HashMap;

use super::fusion::{Arm, Fusion, fuse};
use super::{autocut, check_alpha, check_autocut};
use crate::collection::Location;
use crate::error::Result;
use crate::metadata::DocumentRef;
use crate::query::{Boost, Boosts};

/// Two rankings, of a vector and of words, to be made one as [`HybridQuery`](super::HybridQuery) does: for searches of which
/// each arm was merged from several collections.
///
/// # Examples
///
/// ```
/// use vecstore::{Fusion, Rankings};
///
/// let vector = [("a".to_owned(), 0.9), ("b".to_owned(), 0.8)];
/// let words = [("b".to_owned(), 3.0)];
/// let rankings = Rankings { arms: [&vector, &words], alpha: 0.5, fusion: Fusion::Relative };
/// assert_eq!(rankings.fused()?[0], ("a".to_owned(), 0.5));
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Rankings<'a> {
    /// Ids with their scores, best first: of the vector and of the words.
    pub arms: [&'a [(String, f32)]; 2],
    /// How much the vector counts, from 0 to 1.
    pub alpha: f32,
    /// How they are fused.
    pub fusion: Fusion,
}

impl Rankings<'_> {
    /// Returns the ids with their fused scores, best first, ties by id.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for an alpha or a constant out of range.
    pub fn fused(&self) -> Result<Vec<(String, f32)>> {
        self.fusion.check()?;
        check_alpha(self.alpha)?;
        let mut ids: Vec<&str> = Vec::new();
        let mut rows: HashMap<&str, u32> = HashMap::new();
        let arms = self.arms.map(|arm| {
            let mut found = Arm::default();
            for (id, score) in arm {
                let row = *rows.entry(id).or_insert_with(|| {
                    ids.push(id);
                    ids.len() as u32 - 1
                });
                found.rows.push(Location { part: 0, row });
                found.scores.push(*score);
            }
            found
        });
        let alpha = f64::from(self.alpha);
        let mut fused: Vec<(String, f32)> = fuse(self.fusion, &arms, &[alpha, 1.0 - alpha])
            .iter()
            .map(|fused| (ids[fused.place.row as usize].to_owned(), fused.score as f32))
            .collect();
        // One arm alone is in its own order already, which ties of fused scores must not change.
        if self.alpha > 0.0 && self.alpha < 1.0 {
            in_order(&mut fused);
        }
        Ok(fused)
    }

    /// Boosts fused scores by the records' metadata, encoded, and orders them anew.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a boost that is malformed; `Corrupted` for metadata that are.
    pub fn boost(
        fused: &mut [(String, f32)],
        boosts: &[Boost],
        now_unix_ms: u64,
        document: impl Fn(&str) -> Vec<u8>,
    ) -> Result<()> {
        let boosts = Boosts::new(boosts, now_unix_ms)?;
        for (id, score) in fused.iter_mut() {
            let document = document(id);
            *score = boosts.score(*score, DocumentRef::new(&document)?);
        }
        in_order(fused);
        Ok(())
    }

    /// Ends a ranking after so many jumps of its scores.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a number of jumps out of range.
    pub fn autocut(fused: &mut Vec<(String, f32)>, jumps: usize) -> Result<()> {
        check_autocut(jumps)?;
        let scores: Vec<f32> = fused.iter().map(|fused| fused.1).collect();
        fused.truncate(autocut(&scores, jumps));
        Ok(())
    }
}

fn in_order(fused: &mut [(String, f32)]) {
    fused.sort_by(|a, b| (b.1 + 0.0).total_cmp(&(a.1 + 0.0)).then_with(|| a.0.cmp(&b.0)));
}
