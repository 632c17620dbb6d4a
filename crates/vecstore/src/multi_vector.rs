//! Several vectors of one record, as models of late interaction make of a text: one for each token.

use crate::error::{Error, Result};
use crate::limits::{MAX_DIM, MAX_MULTI_COMPONENTS};

/// One or several vectors of the same dimension.
///
/// # Examples
///
/// ```
/// use vecstore::MultiVector;
///
/// let tokens = MultiVector::new(2, vec![1.0, 0.0, 0.6, 0.8])?;
/// assert_eq!(tokens.len(), 2);
/// assert_eq!(tokens.iter().next(), Some(&[1.0, 0.0][..]));
/// # Ok::<(), vecstore::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MultiVector {
    dim: usize,
    components: Vec<f32>,
}

impl MultiVector {
    /// Takes vectors of `dim` components, one after the other.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if these are no whole number of vectors, none, more than 4,194,304 components, or not all finite.
    pub fn new(dim: usize, components: Vec<f32>) -> Result<Self> {
        if !(1..=MAX_DIM).contains(&dim) || components.is_empty() || !components.len().is_multiple_of(dim) {
            return Err(Error::invalid(format!(
                "expected one or more vectors of 1 to {MAX_DIM} components, got {} components for vectors of {dim}",
                components.len()
            )));
        }
        if components.len() > MAX_MULTI_COMPONENTS {
            return Err(Error::invalid(format!(
                "the vectors of a record may have {MAX_MULTI_COMPONENTS} components together, got {}",
                components.len()
            )));
        }
        if let Some(at) = components.iter().position(|component| !component.is_finite()) {
            return Err(Error::invalid(format!(
                "vector {}: component {} is {}, expected a finite number",
                at / dim,
                at % dim,
                components[at]
            )));
        }
        Ok(Self { dim, components })
    }

    /// Takes what was stored.
    pub(crate) fn from_stored(dim: usize, components: Vec<f32>) -> Self {
        Self { dim, components }
    }

    /// Returns the number of components of each.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Returns how many there are.
    #[expect(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.components.len() / self.dim
    }

    /// Returns all components, vector by vector.
    pub fn components(&self) -> &[f32] {
        &self.components
    }

    /// Iterates over the vectors.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.components.chunks_exact(self.dim)
    }
}
