//! Nearest-neighbor search over a snapshot.
//!
//! Each part is searched by itself and the best of all parts are merged, so that a part may bring its own way of
//! searching: today every part is scanned ([`scan`]), or the few rows
//! of it that match a filter are scored ([`selection`]); an index of a segment is another way to fill the same
//! [`topk::TopK`].

mod approximate;
mod boost;
mod bounds;
mod hits;
mod hybrid;
mod matches;
mod mmr;
mod multi;
mod options;
mod partition;
mod plan;
mod prefix;
mod recommend;
mod recorder;
mod scan;
mod score;
mod selection;
mod shaped;
mod stages;
mod text;
mod topk;
mod unique;

pub(crate) use approximate::SIGN_ROWS_MIN;
pub(crate) use boost::Boosts;
pub use boost::{Boost, BoostMode, Decay, DecayShape, FieldBoost, FilterBoost, Modifier, Origin};
pub(crate) use hits::{FoundRow, Scores};
pub use hits::{Hit, Hits, Include, Neighbor};
pub(crate) use hybrid::{Arm, Fused, autocut, fuse};
pub use hybrid::{ArmRank, Fusion, HybridHits, HybridQuery, Rankings};
pub use mmr::choose_diverse;
pub use multi::MultiQuery;
pub use options::{Query, QueryOptions};
pub(crate) use partition::PartitionFilter;
pub use plan::{
    GraphLayout, PartKind, QueryEstimate, QueryPlan, QueryStep, SearchMethod, StepOutcome, StepReason,
};
pub use prefix::PrefixQuery;
pub(crate) use recommend::squeezed;
pub use recommend::{Example, IdQuery, RecommendQuery, Strategy};
pub(crate) use recorder::Recorder;
pub(crate) use scan::{Search, search};
pub(crate) use score::Scoring;
pub(crate) use selection::PartFilter;
pub use shaped::{Group, GroupQuery, MmrQuery};
pub(crate) use stages::{DIVERSE_MAX, Expression, Inputs, in_prefetch};
pub use stages::{PrefetchQuery, QueryStage, Rerank};
pub use text::{Highlight, SparseQuery, TextQuery, TextStatistics};
pub(crate) use text::{Plan, TextSearch, check_keywords, highlight, search_texts, statistics};
pub(crate) use topk::{Candidate, TopK};
pub use unique::{Duplicate, DuplicateQuery, UniqueOutcome};
