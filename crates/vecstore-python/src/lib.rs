//! The Python extension module `vecstore._vecstore`: conversion, errors, releasing the GIL. No logic of its own.
//!
//! The doc comments of what Python sees are its docstrings, and say nothing about Rust. Objects that the caller may
//! change are copied while the GIL is held; the engine runs without it, so that its locks are never waited for with
//! the GIL. A search of a few records in memory, which waits for nothing, keeps it and reads arrays where they lie. The Python side is `python/vecstore`: the exceptions (`errors` raises them) and plain value types.

#![expect(clippy::needless_pass_by_value, reason = "PyO3 hands arguments over by value")]
#![expect(rustdoc::broken_intra_doc_links, reason = "docstrings are not for rustdoc")]

mod arguments;
mod command;
mod database;
mod datetimes;
mod errors;
mod evaluation;
mod exchange;
mod fields;
mod filters;
mod frames;
mod interpreter;
mod metadata_in;
mod metadata_out;
mod neighbors;
mod numpy_interop;
mod packed_answers;
mod query_batch;
mod rag;
mod records;
mod signals;
mod sparse;
mod splitters;
mod store;
mod value_builder;
mod vectors;

use pyo3::prelude::*;

/// The extension module behind `vecstore`; import from there.
#[pymodule]
mod _vecstore {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::command::command;
    #[pymodule_export]
    use crate::database::{Collection, VecDatabase, quota_preset};
    #[pymodule_export]
    use crate::evaluation::{
        eval_alpha_ndcg, eval_bleu, eval_bootstrap_mean, eval_chrf, eval_citations, eval_cohen_d,
        eval_context_precision, eval_exact_match, eval_ground, eval_holm, eval_kappa, eval_measure_names,
        eval_noise_sensitivity, eval_normalize, eval_paired_t, eval_parse_qrels, eval_parse_run, eval_quotes,
        eval_randomization, eval_rank_biserial, eval_ranking, eval_rouge, eval_run, eval_sentences,
        eval_statement_f, eval_token_f1, eval_verdict_share, eval_wilcoxon,
    };
    #[pymodule_export]
    use crate::exchange::{Checkpoint, RowBatches, metadata_from_json, metadata_to_json};
    #[pymodule_export]
    use crate::fields::F;
    #[pymodule_export]
    use crate::filters::{FilterExpr, parse_filter};
    #[pymodule_export]
    use crate::interpreter::is_own_interpreter;
    #[pymodule_export]
    use crate::neighbors::Neighbor;
    #[pymodule_export]
    use crate::packed_answers::{MergedAnswers, merge_answers};
    #[pymodule_export]
    use crate::query_batch::QueryBatch;
    #[pymodule_export]
    use crate::rag::{
        EmbeddingCache, Flow, Memory, Prompt, SemanticCache, rag_answer_opening, rag_average, rag_bm25,
        rag_borda, rag_citations, rag_context, rag_decompose, rag_estimate_tokens, rag_hashed, rag_max_sim,
        rag_merge, rag_mmr, rag_pack, rag_parse_lines, rag_ranking, rag_rescored, rag_reword, rag_rrf,
        rag_synonyms, rag_truncate, rag_unlike, rag_variations, rag_weighted,
    };
    #[pymodule_export]
    use crate::records::{Record, record_of_parts};
    #[pymodule_export]
    use crate::splitters::{
        PySession, SemanticCore, SplitterCore, TextChunk, split_code, split_html, split_json,
        split_languages, split_markdown, split_recursive, split_semantic, split_sentences, split_tokens,
        token_count,
    };
    #[pymodule_export]
    use crate::store::{BaseCollection, RecordIterator, VecStore, fuse, reopened};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::interpreter::note(module.py());
        crate::store::install_plain_query(module.py())
    }
}
