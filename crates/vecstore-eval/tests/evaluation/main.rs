//! The promises of the crate that need no other program to check. Oracles (trec_eval, rouge-score, sacrebleu, scipy)
//! are asked from Python, in `python/tests/evaluation`.

mod retrieval;
mod statistics;
mod text;
