//! Texts into a collection and out of it: chunks of documents with where they are.

use std::ops::Range;

use vecstore::{
    Batch, Collection, Filter, Include, Metadata, Neighbor, Query, Record, ScrollRequest, Value, field,
};

use crate::error::{Error, Result};
use crate::flow::{Driver, EmbedTexts, Need, Response, drive};
use crate::models::Embedder;
use crate::passage::Passage;
use crate::spans::{Chunk, MergedChunk, merge_chunks};

/// How many texts an embedder is given at once.
const BATCH_TEXTS: usize = 64;

/// A text on its way into a collection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextItem {
    /// The id of the record.
    pub id: String,
    /// The text, which is embedded.
    pub text: String,
    /// The metadata; the text is added to it as `text`.
    pub metadata: Metadata,
}

/// Embeds texts and upserts them as one atomic write. Returns the number of distinct ids.
///
/// # Errors
///
/// `Callback` with the embedder's own error, `InvalidInput` for vectors of a wrong number or shape, `Store`.
pub fn batch_upsert_texts(
    collection: &Collection,
    items: impl IntoIterator<Item = TextItem>,
    embedder: &impl Embedder,
) -> Result<usize> {
    let items: Vec<TextItem> = items.into_iter().collect();
    let texts = items.iter().map(|item| item.text.clone()).collect();
    let vectors = embed(embedder, texts)?;
    let Some(dim) = vectors.first().map(Vec::len) else { return Ok(0) };
    let mut batch = Batch::with_capacity(dim, items.len())?;
    for (item, vector) in items.into_iter().zip(vectors) {
        let metadata = item.metadata.with("text", item.text.as_str());
        batch.push(&Record::new(item.id, vector).with_metadata(metadata).with_text(item.text), None)?;
    }
    Ok(collection.upsert_many(batch)?)
}

/// Splits a document, embeds its chunks and upserts them with the ids `{doc_id}_{i}`; their metadata are `text`,
/// `chunk_index`, `doc_id`, and `start` and `end` in characters. Chunks of an earlier, longer version are removed.
/// Returns the number of chunks.
///
/// `split` returns byte ranges of the text, in order.
///
/// # Errors
///
/// As [`batch_upsert_texts`], and `InvalidInput` for a range that is none of the text.
///
/// # Examples
///
/// ```
/// use vecstore::VecStore;
/// use vecstore_rag::{HashingEmbedder, query_text, upsert_chunks};
///
/// let store = VecStore::options().open_in_memory()?;
/// let embedder = HashingEmbedder::new(64);
/// let text = "The log is synced. Segments are sealed.";
/// assert_eq!(upsert_chunks(&store, "doc", text, |_| vec![0..18, 19..39], &embedder)?, 2);
/// let found = query_text(&store, "synced log", &embedder, 1, None)?;
/// assert_eq!(found[0].id, "doc_0");
/// # Ok::<(), vecstore_rag::Error>(())
/// ```
pub fn upsert_chunks(
    collection: &Collection,
    doc_id: &str,
    text: &str,
    split: impl FnOnce(&str) -> Vec<Range<usize>>,
    embedder: &impl Embedder,
) -> Result<usize> {
    let ranges = split(text);
    let (mut at_byte, mut at_char) = (0, 0);
    let mut characters = |to: usize, text: &str| {
        // Overlapping chunks begin before the last one ended.
        if to < at_byte {
            (at_byte, at_char) = (0, 0);
        }
        at_char += text[at_byte..to].chars().count();
        at_byte = to;
        at_char
    };
    let mut items = Vec::with_capacity(ranges.len());
    for (index, range) in ranges.iter().enumerate() {
        let Some(content) = text.get(range.clone()) else {
            return Err(Error::invalid(format!(
                "split: chunk {index} is {}..{}, which is no range of characters of a text of {} bytes",
                range.start,
                range.end,
                text.len()
            )));
        };
        let start = characters(range.start, text);
        let end = characters(range.end, text);
        let metadata = Metadata::new()
            .with("text", content)
            .with("chunk_index", index as i64)
            .with("doc_id", doc_id)
            .with("start", start as i64)
            .with("end", end as i64);
        items.push(TextItem { id: format!("{doc_id}_{index}"), text: content.to_owned(), metadata });
    }
    let count = items.len();
    batch_upsert_texts(collection, items, embedder)?;
    // A crash before this leaves chunks of the old version, which the next upsert of the document removes.
    let is_old = field("doc_id").eq(doc_id).and(field("chunk_index").gte(count as i64));
    collection.delete_where(&is_old)?;
    Ok(count)
}

/// Embeds a query and returns the nearest records, with metadata and text.
pub fn query_text(
    collection: &Collection,
    text: &str,
    embedder: &impl Embedder,
    k: usize,
    filter: impl Into<Option<Filter>>,
) -> Result<Vec<Neighbor>> {
    let vector = embed(embedder, vec![text.to_owned()])?.pop().unwrap_or_default();
    let hits = collection.search(&Query::new(vector).k(k).filter(filter))?;
    Ok(hits.to_neighbors(Include { metadata: true, vector: false, text: true })?)
}

/// Embeds texts on this thread.
pub(crate) fn embed(embedder: &impl Embedder, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
    struct Calls<'a, E>(&'a E);
    impl<E: Embedder> Driver for Calls<'_, E> {
        type Error = Error;

        fn respond(&mut self, need: Need) -> Result<Response> {
            match need {
                Need::Vectors(texts) => self.0.embed(&texts).map(Response::Vectors).map_err(Error::Callback),
                other => Err(Error::invalid(format!("an embedder does not answer {other:?}"))),
            }
        }

        fn is_transient(&self, _: &Error) -> (bool, Option<std::time::Duration>) {
            (false, None)
        }
    }
    drive(&mut EmbedTexts::new(texts, BATCH_TEXTS), &mut Calls(embedder))
}

/// Returns, for passages that are chunks, each with the `before` chunks before and the `after` chunks after it in its document,
/// merged where they meet. Passages that are no chunks stay as they are. The result of several passages has the score of the
/// best of them.
pub fn with_neighboring_chunks(
    collection: &Collection,
    passages: Vec<Passage>,
    before: usize,
    after: usize,
) -> Result<Vec<Passage>> {
    let mut chunks: Vec<Passage> = Vec::new();
    let mut others = Vec::new();
    for passage in passages {
        let (Some(doc_id), Some(index), Some(_)) =
            (passage.string("doc_id"), passage.number("chunk_index"), passage.number("start"))
        else {
            others.push(passage);
            continue;
        };
        let near = (index.saturating_sub(before)..=index.saturating_add(after)).filter(|&near| near != index);
        let ids: Vec<String> = near.map(|near| format!("{doc_id}_{near}")).collect();
        let records = collection.get_many(ids.iter().map(String::as_str))?;
        let score = passage.score;
        chunks.push(passage);
        chunks.extend(records.into_iter().flatten().map(|record| of_record(record, score)));
    }
    let mut merged = merged(&chunks, 0);
    merged.extend(others);
    merged.sort_by(|left, right| right.score.total_cmp(&left.score));
    Ok(merged)
}

/// Returns the documents that passages are chunks of, put together from all their chunks, best first. Passages that are no
/// chunks stay as they are.
pub fn parent_documents(collection: &Collection, passages: Vec<Passage>) -> Result<Vec<Passage>> {
    let mut parents: Vec<Passage> = Vec::new();
    for passage in passages {
        let Some(doc_id) = passage.string("doc_id").map(str::to_owned) else {
            parents.push(passage);
            continue;
        };
        if parents.iter().any(|parent| parent.string("doc_id") == Some(&doc_id)) {
            continue;
        }
        let mut chunks = Vec::new();
        let request = ScrollRequest::new().filter(field("doc_id").eq(doc_id.as_str())).vectors(false);
        for record in collection.records(&request)? {
            chunks.push(of_record(record?, passage.score));
        }
        chunks.retain(|chunk| chunk.number("start").is_some());
        parents.extend(merged(&chunks, usize::MAX));
    }
    Ok(parents)
}

fn of_record(record: Record, score: f64) -> Passage {
    let text = record.text.or_else(|| record.metadata.get("text").and_then(Value::as_str).map(str::to_owned));
    Passage { id: record.id, text: text.unwrap_or_default(), score, vector: None, metadata: record.metadata }
}

/// Merges passages that are chunks. Each result has the metadata of its best chunk, with its own `text`, `start` and `end`.
fn merged(passages: &[Passage], gap: usize) -> Vec<Passage> {
    let chunk = |passage: &Passage| Chunk {
        doc_id: passage.string("doc_id").unwrap_or_default().to_owned(),
        start: passage.number("start").unwrap_or_default(),
        text: passage.text.clone(),
    };
    let chunks: Vec<Chunk> = passages.iter().map(chunk).collect();
    let passage = |merged: MergedChunk| {
        let best = merged
            .chunks
            .iter()
            .map(|&at| &passages[at])
            .reduce(|best, other| if other.score > best.score { other } else { best });
        let best = best.cloned().unwrap_or_default();
        let metadata = best
            .metadata
            .with("text", merged.text.as_str())
            .with("start", merged.start as i64)
            .with("end", merged.end as i64);
        Passage { id: best.id, text: merged.text, score: best.score, vector: None, metadata }
    };
    merge_chunks(&chunks, gap).into_iter().map(passage).collect()
}
