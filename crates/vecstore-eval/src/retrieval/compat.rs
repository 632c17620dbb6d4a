//! Whose rules a run is evaluated by, where the versions of trec_eval differ.

use std::str::FromStr;

use crate::{Error, Result};

/// A version of trec_eval, where versions differ.
///
/// In both, documents are ranked by score, and equal scores by document id, the greater id first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compat {
    /// Scores are compared as they are (64 bits), and recall levels are rounded to the nearest document.
    #[default]
    TrecEval10,
    /// Scores are rounded to 32 bits first, so that near ones tie, and recall levels are rounded up from a tenth.
    TrecEval9,
}

impl Compat {
    /// Returns the score that takes part in comparisons.
    pub(crate) fn compared(self, score: f64) -> f64 {
        match self {
            Self::TrecEval10 => score,
            Self::TrecEval9 => f64::from(score as f32),
        }
    }

    /// Returns how many relevant documents make up a share of `relevant`.
    pub(crate) fn documents(self, share: f64, relevant: usize) -> usize {
        let exact = share * relevant as f64;
        match self {
            Self::TrecEval10 => exact.round() as usize,
            Self::TrecEval9 => (exact + 0.9) as usize,
        }
    }
}

impl FromStr for Compat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "trec_eval-10" => Ok(Self::TrecEval10),
            "trec_eval-9" => Ok(Self::TrecEval9),
            other => {
                Err(Error::new(format!("compat: expected `trec_eval-10` or `trec_eval-9`, got `{other}`")))
            }
        }
    }
}
