//! Measures of rankings against judgments.

mod compat;
mod diversity;
mod formula;
mod measure;
mod names;
mod topic;
mod trec;

pub use compat::Compat;
pub use diversity::alpha_ndcg;
pub(crate) use formula::f_measure;
pub use measure::{Evaluation, Measure, evaluate_topics};
pub use topic::{Judgment, Topic, rank};
pub use trec::{JudgedDocument, RetrievedDocument, parse_qrels, parse_run};
