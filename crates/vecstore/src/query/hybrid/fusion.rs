//! Making one ranking of two.
//!
//! What a record gets is a sum (or the largest, or the smallest) over the arms that found it, each counting by its weight.
//! Ranks count from 1. Scores are compared within an arm only, unless it says raw.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use super::ArmRank;
use crate::collection::Location;
use crate::error::{Error, Result};
use crate::query::hits::FoundRow;

/// How two rankings become one. `w` is the weight of an arm: alpha, or 1 less alpha.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fusion {
    /// `rrf`: the sum of `w / (k + rank)` (Cormack, Clarke and Buettcher, SIGIR 2009).
    Rrf {
        /// How little the first ranks stand out; 60 unless it is set.
        k: f32,
    },
    /// `relative`: the sum of `w` times the score, from 0 for the worst of the arm to 1 for its best.
    Relative,
    /// `dbsf`: the sum of `w` times the score, from 0 at three standard deviations below the mean of the arm to 1 at three
    /// above, and no further.
    Dbsf,
    /// `weighted`: the sum of `w` times the raw score.
    Weighted,
    /// `max`: the largest of `w` times the relative score (CombMAX).
    Max,
    /// `min`: the smallest of `w` times the relative score, 0 where an arm lacks the record (CombMIN).
    Min,
    /// `mnz`: the relative sum, times how many arms found the record (CombMNZ).
    Mnz,
    /// `borda`: the sum of `w` times the share of the arm's records that are not before this one.
    Borda,
    /// `isr`: the sum of `w / rank^2`, times how many arms found the record (inverse square rank).
    Isr,
}

const RRF_K: f32 = 60.0;

impl Default for Fusion {
    fn default() -> Self {
        Self::Rrf { k: RRF_K }
    }
}

impl Fusion {
    /// All of them, with their defaults.
    pub const ALL: [Self; 9] = [
        Self::Rrf { k: RRF_K },
        Self::Relative,
        Self::Dbsf,
        Self::Weighted,
        Self::Max,
        Self::Min,
        Self::Mnz,
        Self::Borda,
        Self::Isr,
    ];

    /// Returns the name that [`FromStr`] takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rrf { .. } => "rrf",
            Self::Relative => "relative",
            Self::Dbsf => "dbsf",
            Self::Weighted => "weighted",
            Self::Max => "max",
            Self::Min => "min",
            Self::Mnz => "mnz",
            Self::Borda => "borda",
            Self::Isr => "isr",
        }
    }

    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Rrf { k } if !(0.0..=1e6).contains(&k) => {
                Err(Error::invalid(format!("rrf_k must be between 0 and 1,000,000, got {k}")))
            }
            _ => Ok(()),
        }
    }

    /// Returns what each record of an arm gets, in order.
    fn parts(self, scores: &[f32]) -> Vec<f64> {
        let count = scores.len() as f64;
        let scores = || scores.iter().map(|&score| f64::from(score));
        let ranks = || (1..=scores().len()).map(|rank| rank as f64);
        match self {
            Self::Rrf { k } => ranks().map(|rank| 1.0 / (f64::from(k) + rank)).collect(),
            Self::Borda => ranks().map(|rank| (count - rank + 1.0) / count).collect(),
            Self::Isr => ranks().map(|rank| 1.0 / (rank * rank)).collect(),
            Self::Weighted => scores().collect(),
            Self::Relative | Self::Max | Self::Min | Self::Mnz => {
                let best = scores().fold(f64::NEG_INFINITY, f64::max);
                let worst = scores().fold(f64::INFINITY, f64::min);
                let spread = best - worst;
                // Of scores that are all the same none is worse.
                let of = |score| if spread > 0.0 { (score - worst) / spread } else { 1.0 };
                scores().map(of).collect()
            }
            Self::Dbsf => {
                let mean = scores().sum::<f64>() / count;
                let deviation = (scores().map(|score| (score - mean).powi(2)).sum::<f64>() / count).sqrt();
                let low = mean - 3.0 * deviation;
                let of = |score: f64| {
                    if deviation > 0.0 { ((score - low) / (6.0 * deviation)).clamp(0.0, 1.0) } else { 0.5 }
                };
                scores().map(of).collect()
            }
        }
    }

    /// Returns the fused score of what each arm gives; at least one does.
    fn join(self, parts: &[Option<f64>]) -> f64 {
        let found = || parts.iter().flatten().copied();
        let sum = found().sum::<f64>();
        match self {
            Self::Max => found().fold(f64::NEG_INFINITY, f64::max),
            Self::Min => parts.iter().map(|part| part.unwrap_or(0.0)).fold(f64::INFINITY, f64::min),
            Self::Mnz | Self::Isr => sum * found().count() as f64,
            _ => sum,
        }
    }
}

impl fmt::Display for Fusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fusion {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|fusion| fusion.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|fusion| fusion.name()).collect();
            let start: String = name.chars().take(40).collect();
            Error::invalid(format!(
                "fusion must be one of {}; got `{}`",
                names.join(", "),
                start.escape_debug()
            ))
        })
    }
}

/// What an arm found: rows with scores, best first.
#[derive(Debug, Default)]
pub(crate) struct Arm {
    pub(crate) rows: Vec<Location>,
    pub(crate) scores: Vec<f32>,
}

/// A record that one arm or several found.
#[derive(Clone, Debug)]
pub(crate) struct Fused {
    pub(crate) place: Location,
    pub(crate) score: f64,
    /// Where each arm has it.
    pub(crate) arms: Vec<Option<ArmRank>>,
}

impl Fused {
    /// Returns the row, its key the score with its sign changed.
    pub(crate) fn row(&self) -> FoundRow {
        FoundRow { key: -(self.score as f32), part: self.place.part as u32, row: self.place.row }
    }
}

/// Fuses arms, each counting by its weight, in no particular order.
pub(crate) fn fuse(fusion: Fusion, arms: &[Arm], weights: &[f64]) -> Vec<Fused> {
    let mut at: HashMap<Location, usize> = HashMap::new();
    let mut fused: Vec<Fused> = Vec::new();
    let mut parts: Vec<Option<f64>> = Vec::new();
    for (n, (arm, weight)) in arms.iter().zip(weights).enumerate() {
        for (rank, (&place, part)) in arm.rows.iter().zip(fusion.parts(&arm.scores)).enumerate() {
            let found = *at.entry(place).or_insert_with(|| {
                fused.push(Fused { place, score: 0.0, arms: vec![None; arms.len()] });
                parts.resize(parts.len() + arms.len(), None);
                fused.len() - 1
            });
            fused[found].arms[n] = Some(ArmRank { rank, score: arm.scores[rank] });
            parts[found * arms.len() + n] = Some(weight * part);
        }
    }
    for (fused, parts) in fused.iter_mut().zip(parts.chunks_exact(arms.len().max(1))) {
        fused.score = fusion.join(parts);
    }
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(row: u32) -> Location {
        Location { part: 0, row }
    }

    fn fused(fusion: Fusion, weights: [f64; 2]) -> Vec<(u32, f64)> {
        let vector = Arm { rows: [1, 2, 3].map(at).to_vec(), scores: vec![0.9, 0.5, 0.1] };
        let text = Arm { rows: [3, 4].map(at).to_vec(), scores: vec![8.0, 2.0] };
        let mut all: Vec<(u32, f64)> =
            fuse(fusion, &[vector, text], &weights).iter().map(|f| (f.place.row, f.score)).collect();
        all.sort_by_key(|pair| pair.0);
        all
    }

    #[test]
    fn each_fusion_is_its_formula() {
        let (a, b) = (0.6f64, 0.4f64);
        let cases: [(Fusion, [f64; 4]); 8] = [
            (Fusion::default(), [a / 61.0, a / 62.0, a / 63.0 + b / 61.0, b / 62.0]),
            (Fusion::Relative, [a, a * 0.5, b, 0.0]),
            (Fusion::Weighted, [a * 0.9, a * 0.5, a * 0.1 + b * 8.0, b * 2.0]),
            (Fusion::Max, [a, a * 0.5, b, 0.0]),
            (Fusion::Min, [0.0, 0.0, 0.0, 0.0]),
            (Fusion::Mnz, [a, a * 0.5, 2.0 * b, 0.0]),
            (Fusion::Borda, [a, a * 2.0 / 3.0, a / 3.0 + b, b * 0.5]),
            (Fusion::Isr, [a, a / 4.0, 2.0 * (a / 9.0 + b), b / 4.0]),
        ];
        for (fusion, expected) in cases {
            for ((place, got), (n, expected)) in fused(fusion, [a, b]).into_iter().zip((1u32..).zip(expected))
            {
                assert_eq!(place, n);
                assert!((got - expected).abs() < 1e-6, "{fusion} {n}: {got} {expected}");
            }
        }
    }

    #[test]
    fn dbsf_measures_in_standard_deviations() {
        let deviation = (2.0f64 * 0.16 / 3.0).sqrt();
        let scores = fused(Fusion::Dbsf, [1.0, 0.0]);
        assert!((scores[0].1 - (0.5 + 0.4 / (6.0 * deviation))).abs() < 1e-6);
        assert!((scores[1].1 - 0.5).abs() < 1e-6);
    }

    #[test]
    fn names_come_back() {
        for fusion in Fusion::ALL {
            assert_eq!(fusion.name().parse::<Fusion>().unwrap(), fusion);
        }
        assert!("best".parse::<Fusion>().unwrap_err().message().contains("got `best`"));
    }
}
