//! What graphs of segments are walked on.

use crate::error::{Error, Result};
use crate::index::{Layout, PointCodes};

/// What new segments hold beside full vectors, for searches to read.
///
/// Of a store it is an option of the handle, of a collection in a database part of its config: it says what segments get
/// that are written from then on, and each
/// segment is searched by what it has. [`Collection::compact`](crate::Collection::compact) writes those again whose graph
/// is of another kind. Whatever is chosen, neighbors are ranked by their full vectors, and an exact search finds the same.
///
/// Segments of few rows, and collections of metrics other than cosine, dot and euclidean, have no graph. The figures are
/// for 384 dimensions: of hot memory (what searches read all over) for each row, and of disk beside the 1,536 bytes of the
/// vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quantization {
    /// The fast layout (2,368 bytes hot, 2,380 on disk: 8-bit codes, and the signs of each row's neighbors beside it)
    /// while the graphs of the collection fit the memory budget in it, otherwise as `Int4`.
    #[default]
    Auto,
    /// No codes. The graph is walked on full vectors: 1,668 bytes hot, 128 on disk.
    None,
    /// The graph is walked on 8-bit codes: 520 bytes hot, 532 on disk.
    Int8,
    /// The graph is walked on 4-bit codes: 328 bytes hot, 328 on disk.
    Int4,
}

impl Quantization {
    /// Returns the name that options use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::None => "none",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
        }
    }

    /// Returns whether segments without a graph get 8-bit codes, which exact searches are faster with.
    pub(crate) fn has_byte_codes(self) -> bool {
        matches!(self, Self::Auto | Self::Int8)
    }

    /// Returns the layout of a new graph; `fast_fits` says whether there is memory for the fast one.
    pub(crate) fn layout(self, fast_fits: bool) -> Layout {
        match self {
            Self::Auto if fast_fits => Layout::Fast,
            Self::Auto | Self::Int4 => Layout::Compact(PointCodes::Nibbles),
            Self::Int8 => Layout::Compact(PointCodes::Bytes),
            Self::None => Layout::Compact(PointCodes::Full),
        }
    }
}

impl std::str::FromStr for Quantization {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            "int8" => Ok(Self::Int8),
            "int4" => Ok(Self::Int4),
            _ => Err(Error::invalid(format!(
                "quantization must be one of auto, none, int8, int4; got `{name}`"
            ))),
        }
    }
}
