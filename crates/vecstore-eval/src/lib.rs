//! Evaluation of retrieval and of answers: measures with the rules of trec_eval, metrics of texts, the scores that
//! verdicts of a judge add up to, and the statistics of comparing two systems.
//!
//! The crate computes. It reads no files, calls no model, opens no connection, and keeps nothing: what it is given
//! are rankings, texts, verdicts and numbers. It has no dependencies.
//!
//! ```
//! use vecstore_eval::{Compat, Judgment, Measure, Topic, evaluate_topics, rank, randomization_test};
//!
//! // What was retrieved for one query, and what the judgments say of each document.
//! let (ids, scores) = (["a", "b", "c"], [0.9, 0.5, 0.7]);
//! let grades = [Judgment::Grade(0), Judgment::Grade(2), Judgment::Unpooled];
//! let order = rank(&scores, Compat::default(), |x, y| ids[x].cmp(ids[y]))?;
//! let ranked = order.iter().map(|&at| grades[at]).collect();
//! let topic = Topic::new(ranked, [Judgment::Grade(0), Judgment::Grade(2)]);
//!
//! let measures = [Measure::parse("recip_rank")?, Measure::parse("ndcg_cut_10")?].concat();
//! let evaluation = evaluate_topics(&[topic], &measures, Compat::default(), 1)?;
//! assert_eq!(evaluation.summary, [1.0 / 3.0, 0.5]);
//!
//! // Two systems on the same five queries: is the difference chance?
//! let test = randomization_test(&[0.1, 0.0, 0.3, 0.2, 0.1], 100_000, 0)?;
//! assert_eq!(test.p_value, 0.125);
//! # Ok::<(), vecstore_eval::Error>(())
//! ```
//!
//! # Concepts
//!
//! - A [`Topic`] is a query with the judgments of what was retrieved, in order, and of everything judged. [`rank`]
//!   puts scored documents into order, ties included, as trec_eval does.
//! - A [`Measure`] has a name in one of three spellings; [`evaluate_topics`] computes several at once. [`Compat`] says
//!   whose rules hold where versions of trec_eval differ.
//! - Metrics of texts: [`exact_match`], [`token_f1`], [`rouge_n`], [`sentence_bleu`], [`sentence_chrf`]; and checks
//!   of an answer against its contexts: [`ground`], [`quoted_spans`], [`check_citations`].
//! - Scores of verdicts: [`verdict_share`], [`context_precision`], [`statement_f`], [`noise_sensitivity`].
//! - Statistics: [`paired_t`], [`wilcoxon`], [`randomization_test`], [`bootstrap_mean`], [`holm`], [`kappa`].
//!
//! # Promises
//!
//! - No value is NaN or infinite. Where nothing can be said there is no value (`None`); where a convention of
//!   the field makes it 0 or 1, the function says so.
//! - Random numbers are seeded: the same call gives the same answer on every machine.
//!
//! # Limits
//!
//! - A ranking has up to 2^32 documents, a grade up to 2^32 - 1; gains of nDCG with exponents stop growing at grade
//!   512.
//! - ROUGE-L and ROUGE-Lsum cost the product of the lengths; alpha-nDCG's ideal ranking is the greedy one.

#![forbid(unsafe_code)]

mod error;
mod judged;
mod retrieval;
mod statistics;
mod text;

pub use error::{Error, Result};
pub use judged::{Noise, context_precision, noise_sensitivity, statement_f, verdict_share};
pub use retrieval::{
    Compat, Evaluation, JudgedDocument, Judgment, Measure, RetrievedDocument, Topic, alpha_ndcg,
    evaluate_topics, parse_qrels, parse_run, rank,
};
pub use statistics::{
    Interval, IntervalMethod, MeanDifference, Randomization, SignedRanks, Weights, WilcoxonMethod,
    bootstrap_mean, cohen_d, holm, kappa, paired_t, randomization_test, rank_biserial, wilcoxon,
};
pub use text::{
    BleuStatistics, ChrfStatistics, Citation, CitationCheck, Grounding, Overlap, QuotedSpan, SentenceSupport,
    bleu, bleu_statistics, check_citations, chrf, chrf_statistics, context_utilisation, exact_match, ground,
    normalize_answer, quoted_spans, rouge_l, rouge_lsum, rouge_n, sentence_bleu, sentence_chrf, sentences,
    token_f1,
};
