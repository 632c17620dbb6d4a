//! The layouts of graphs, and what each takes of memory.

use vecstore_kernels::{Rotation, nibble_row_bytes};

use super::compact::PointCodes;
use super::draft::block_bytes;
use super::space::Space;
use super::{CompactDraft, DEGREE, Draft, Widths};
use crate::error::Result;

/// How the graph of a segment is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// 8-bit codes, and for each row a block of its neighbors in one bit a component.
    Fast,
    /// The neighbors' numbers, and codes of each row.
    Compact(PointCodes),
}

impl Layout {
    /// Returns the bytes for each row that searches read all over, of vectors of `dim` components.
    pub(crate) fn hot_row_bytes(self, space: Space, dim: usize) -> usize {
        let neighbors = 4 * DEGREE;
        match self {
            Self::Fast => block_bytes(space, dim) + dim,
            Self::Compact(PointCodes::Nibbles) => {
                neighbors + nibble_row_bytes(Rotation::rotated_dim_of(space.point_dim(dim)))
            }
            Self::Compact(PointCodes::Bytes) => neighbors + dim + 8,
            Self::Compact(PointCodes::Full) => {
                neighbors + 4 * dim + if space == Space::Cosine { 4 } else { 0 }
            }
        }
    }

    /// Returns whether a segment of this layout has the 8-bit codes of its vectors.
    pub(crate) fn has_byte_codes(self) -> bool {
        matches!(self, Self::Fast | Self::Compact(PointCodes::Bytes))
    }
}

/// A graph of either layout that is being written.
pub(crate) enum AnyDraft<'a> {
    Fast(Draft<'a>),
    Compact(CompactDraft<'a>),
}

impl AnyDraft<'_> {
    pub(crate) fn space(&self) -> Space {
        match self {
            Self::Fast(draft) => draft.space(),
            Self::Compact(draft) => draft.space(),
        }
    }

    /// Returns the rows' numbers before, in the order of the graph.
    pub(crate) fn order(&self) -> &[u32] {
        match self {
            Self::Fast(draft) => draft.order(),
            Self::Compact(draft) => draft.order(),
        }
    }

    /// Measures how far searches have to look; `None` if the graph is of no use.
    pub(crate) fn measure(&self) -> Result<Option<Widths>> {
        match self {
            Self::Fast(draft) => draft.measure(),
            Self::Compact(draft) => draft.measure(),
        }
    }
}
