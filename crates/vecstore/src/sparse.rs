//! Sparse vectors: weights of a few of many dimensions, as learned sparse encoders make of a text.

use crate::error::{Error, Result};
use crate::limits::MAX_SPARSE_COMPONENTS;

/// A vector of few components: pairs of a dimension and its weight, by dimension.
///
/// # Examples
///
/// ```
/// use vecstore::SparseVector;
///
/// let sparse = SparseVector::new([(30_522, 0.5), (7, 1.25)])?;
/// assert_eq!(sparse.components(), [(7, 1.25), (30_522, 0.5)]);
/// assert!(SparseVector::new([(7, 1.0), (7, 2.0)]).is_err());
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseVector(Vec<(u32, f32)>);

impl SparseVector {
    /// Makes a sparse vector of pairs in any order.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a dimension is given twice, a weight is not finite, or there are more than 65,536 pairs.
    pub fn new(components: impl IntoIterator<Item = (u32, f32)>) -> Result<Self> {
        let mut pairs = Vec::new();
        for (dimension, weight) in components {
            if !weight.is_finite() {
                return Err(Error::invalid(format!(
                    "sparse vector: expected a finite weight for index {dimension}, got {weight}"
                )));
            }
            if pairs.len() == MAX_SPARSE_COMPONENTS {
                return Err(Error::invalid(format!(
                    "sparse vector: it may have {MAX_SPARSE_COMPONENTS} components, got more"
                )));
            }
            pairs.push((dimension, weight));
        }
        if !pairs.is_sorted_by_key(|pair| pair.0) {
            pairs.sort_unstable_by_key(|pair| pair.0);
        }
        if let Some(same) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Error::invalid(format!(
                "sparse vector: expected each index once, got {} twice",
                same[0].0
            )));
        }
        Ok(Self(pairs))
    }

    /// Takes pairs that are known to ascend.
    pub(crate) fn from_ascending(components: Vec<(u32, f32)>) -> Self {
        Self(components)
    }

    /// Returns the pairs, ascending by dimension.
    pub fn components(&self) -> &[(u32, f32)] {
        &self.0
    }
}
