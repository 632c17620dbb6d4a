//! Metrics of answers that need no judge: they compare texts.

mod bleu;
mod chrf;
mod citations;
mod grounding;
mod ngrams;
mod quotes;
mod rouge;
mod sentences;
mod squad;
mod words;

pub use bleu::{BleuStatistics, bleu, bleu_statistics, sentence_bleu};
pub use chrf::{ChrfStatistics, chrf, chrf_statistics, sentence_chrf};
pub use citations::{Citation, CitationCheck, check_citations};
pub use grounding::{Grounding, SentenceSupport, context_utilisation, ground};
pub use quotes::{QuotedSpan, quoted_spans};
pub use rouge::{Overlap, rouge_l, rouge_lsum, rouge_n};
pub use sentences::sentences;
pub use squad::{exact_match, normalize_answer, token_f1};
