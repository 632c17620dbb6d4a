//! Texts in and out, by an embedder of the caller's: `vecstore.rag` does it, over any object with these methods.

use pyo3::prelude::*;

use super::BaseCollection;
use crate::rag::call_rag;

#[pymethods]
impl BaseCollection {
    /// Splits a document, embeds its chunks and upserts them as one atomic write, with the ids `{doc_id}_{i}`.
    ///
    /// The metadata of a chunk are `text`, `chunk_index`, `doc_id`, and `start` and `end` in characters of the document;
    /// its text is also the record's. Chunks of an earlier, longer version of the document are removed.
    ///
    /// Parameters
    /// ----------
    /// doc_id : str
    ///     Names the document.
    /// text : str
    ///     The document.
    /// splitter : object with `split_with_metadata` or `split_text`, or callable
    ///     One of `vecstore.rag`, or any other whose chunks have `content`, `char_start` and `char_end`. Of plain strings,
    ///     each is looked for from the end of the one before on, or from its start where they overlap.
    /// embedder : TextEmbedder or callable
    ///     Turns texts into vectors; see `vecstore.rag.TextEmbedder`.
    /// metadata : dict, optional
    ///     Added to the metadata of each chunk.
    /// page_starts : list of int, optional
    ///     Where the pages of the document begin, in characters; chunks then have `page`, counted from 1, and
    ///     `page_breaks`, the places within the chunk where further pages begin.
    /// batch_size : int
    ///     The most texts in one call of the embedder.
    ///
    /// Returns
    /// -------
    /// int
    ///     The number of chunks.
    ///
    /// Examples
    /// --------
    /// >>> from collections import namedtuple
    /// >>> from vecstore.rag import HashingEmbedder
    /// >>> Chunk = namedtuple("Chunk", "content char_start char_end")
    /// >>> class Halves:
    /// ...     def split_with_metadata(self, text):
    /// ...         middle = len(text) // 2
    /// ...         return [Chunk(text[:middle], 0, middle), Chunk(text[middle:], middle, len(text))]
    /// >>> chunks = vecstore.VecStore(":memory:")
    /// >>> chunks.upsert_chunks("greeting", "Hello, all of you", Halves(), HashingEmbedder(64))
    /// 2
    /// >>> chunks.get("greeting_1").metadata["start"]
    /// 8
    #[pyo3(signature = (doc_id, text, splitter, embedder, *, metadata=None, page_starts=None, batch_size=None),
           text_signature = "($self, doc_id, text, splitter, embedder, *, metadata=None, page_starts=None, batch_size=64)")]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn upsert_chunks<'py>(
        slf: &Bound<'py, Self>,
        doc_id: Bound<'py, PyAny>,
        text: Bound<'py, PyAny>,
        splitter: Bound<'py, PyAny>,
        embedder: Bound<'py, PyAny>,
        metadata: Option<Bound<'py, PyAny>>,
        page_starts: Option<Bound<'py, PyAny>>,
        batch_size: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = [
            ("doc_id", Some(doc_id)),
            ("text", Some(text)),
            ("splitter", Some(splitter)),
            ("embedder", Some(embedder)),
            ("metadata", metadata),
            ("page_starts", page_starts),
            ("batch_size", batch_size),
        ];
        call_rag(slf.as_any(), "upsert_chunks", arguments)
    }

    /// Embeds texts and upserts them as one atomic write, with the text as `text` in the metadata and as the record's text.
    ///
    /// Parameters
    /// ----------
    /// items : iterable of (id, text), (id, text, metadata) or dict
    ///     Dicts have `id`, `text` and perhaps `metadata`.
    /// embedder : TextEmbedder or callable
    ///     Turns texts into vectors.
    /// batch_size : int
    ///     The most texts in one call of the embedder.
    ///
    /// Returns
    /// -------
    /// int
    ///     The number of distinct ids.
    ///
    /// Examples
    /// --------
    /// >>> from vecstore.rag import HashingEmbedder
    /// >>> texts = vecstore.VecStore(":memory:")
    /// >>> texts.batch_upsert_texts([("a", "The log is synced."), ("b", "Snakes eat mice.")], HashingEmbedder(64))
    /// 2
    #[pyo3(signature = (items, embedder, *, batch_size=None),
           text_signature = "($self, items, embedder, *, batch_size=64)")]
    fn batch_upsert_texts<'py>(
        slf: &Bound<'py, Self>,
        items: Bound<'py, PyAny>,
        embedder: Bound<'py, PyAny>,
        batch_size: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = [("items", Some(items)), ("embedder", Some(embedder)), ("batch_size", batch_size)];
        call_rag(slf.as_any(), "batch_upsert_texts", arguments)
    }

    /// Embeds a text and returns the records nearest to it, with metadata and text.
    ///
    /// Parameters
    /// ----------
    /// text : str
    ///     What to search for.
    /// embedder : TextEmbedder or callable
    ///     Turns the text into a vector; its `embed_query`, if it has one.
    /// k, filter, params
    ///     As those of `query`.
    ///
    /// Returns
    /// -------
    /// list of Neighbor
    ///
    /// Examples
    /// --------
    /// >>> from vecstore.rag import HashingEmbedder
    /// >>> texts, embedder = vecstore.VecStore(":memory:"), HashingEmbedder(64)
    /// >>> texts.batch_upsert_texts([("a", "The log is synced."), ("b", "Snakes eat mice.")], embedder)
    /// 2
    /// >>> texts.query_text("what do snakes eat", embedder, k=1)[0].text
    /// 'Snakes eat mice.'
    #[pyo3(signature = (text, embedder, k=None, filter=None, *, params=None),
           text_signature = "($self, text, embedder, k=10, filter=None, *, params=None)")]
    fn query_text<'py>(
        slf: &Bound<'py, Self>,
        text: Bound<'py, PyAny>,
        embedder: Bound<'py, PyAny>,
        k: Option<Bound<'py, PyAny>>,
        filter: Option<Bound<'py, PyAny>>,
        params: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let arguments = [
            ("text", Some(text)),
            ("embedder", Some(embedder)),
            ("k", k),
            ("filter", filter),
            ("params", params),
        ];
        call_rag(slf.as_any(), "query_text", arguments)
    }
}
