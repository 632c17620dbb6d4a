//! Vectors of texts that were embedded before, by a hash of their content.

use std::collections::VecDeque;
use std::path::Path;

use parking_lot::Mutex;
use vecstore::{Batch, Durability, Metric, Record, VecStore};
use xxhash_rust::xxh3::xxh3_128;

use crate::error::Result;

/// Keeps vectors by the hash of their text, in a store in memory or on disk. The text itself is kept beside it and compared, so
/// that two texts of one hash are never taken for each other.
///
/// A cache is for the vectors of one model.
#[derive(Debug)]
pub struct EmbeddingCache {
    store: VecStore,
    capacity: Option<usize>,
    /// The ids of entries, oldest first, where there is a capacity.
    order: Mutex<VecDeque<String>>,
}

impl EmbeddingCache {
    /// Makes a cache in memory that forgets its oldest entries beyond `capacity`.
    pub fn in_memory(capacity: usize) -> Result<Self> {
        let store = VecStore::options().metric(Metric::Euclidean).open_in_memory()?;
        Ok(Self { store, capacity: Some(capacity), order: Mutex::default() })
    }

    /// Opens the cache in a directory, without a bound. What was written within the last 100 ms may be lost in a power cut.
    ///
    /// # Errors
    ///
    /// `Store` if another process has it open, or it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        // Euclidean accepts vectors of zeros, which some models return for empty texts.
        let options = VecStore::options().metric(Metric::Euclidean).durability(Durability::Interval);
        Ok(Self { store: options.open(path)?, capacity: None, order: Mutex::default() })
    }

    /// Returns the number of entries.
    pub fn len(&self) -> Result<usize> {
        Ok(self.store.len()?)
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.store.is_empty()?)
    }

    /// Returns the vector of each text that has one here.
    pub fn get_many(&self, texts: &[impl AsRef<str>]) -> Result<Vec<Option<Vec<f32>>>> {
        let ids: Vec<String> = texts.iter().map(|text| id_of(text.as_ref())).collect();
        let records = self.store.get_many(ids.iter().map(String::as_str))?;
        let vector = |(record, text): (Option<Record>, &str)| {
            record.filter(|record| record.text.as_deref() == Some(text)).map(|record| record.vector)
        };
        Ok(records.into_iter().zip(texts.iter().map(AsRef::as_ref)).map(vector).collect())
    }

    /// Keeps vectors of texts.
    ///
    /// # Errors
    ///
    /// `Store` for vectors of another dimension than those that are here.
    pub fn insert_many<'a>(&self, entries: impl IntoIterator<Item = (&'a str, &'a [f32])>) -> Result<()> {
        let mut batch: Option<Batch> = None;
        let mut ids = Vec::new();
        for (text, vector) in entries {
            let record = Record::new(id_of(text), vector).with_text(text);
            let batch = match &mut batch {
                Some(batch) => batch,
                none => none.insert(Batch::new(vector.len())?),
            };
            batch.push(&record, None)?;
            ids.push(record.id);
        }
        let Some(batch) = batch else { return Ok(()) };
        self.store.upsert_many(batch)?;
        let Some(capacity) = self.capacity else { return Ok(()) };
        let mut order = self.order.lock();
        order.extend(ids);
        let surplus = order.len().saturating_sub(capacity);
        let forgotten: Vec<String> = order.drain(..surplus).collect();
        self.store.delete_many(forgotten.iter().map(String::as_str))?;
        Ok(())
    }

    /// Makes everything durable and closes the cache.
    pub fn close(&self) -> Result<()> {
        Ok(self.store.close()?)
    }
}

fn id_of(text: &str) -> String {
    format!("{:032x}", xxh3_128(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_comes_back_also_after_reopening() {
        let directory = tempfile::tempdir().unwrap();
        {
            let cache = EmbeddingCache::open(directory.path()).unwrap();
            cache.insert_many([("a", &[1.0, 2.0][..]), ("", &[0.0, 0.0])]).unwrap();
            cache.close().unwrap();
        }
        let cache = EmbeddingCache::open(directory.path()).unwrap();
        assert_eq!(
            cache.get_many(&["", "b", "a"]).unwrap(),
            [Some(vec![0.0, 0.0]), None, Some(vec![1.0, 2.0])]
        );
        assert!(cache.insert_many([("c", &[1.0][..])]).is_err());
    }

    #[test]
    fn the_oldest_go_first() {
        let cache = EmbeddingCache::in_memory(2).unwrap();
        for text in ["a", "b", "c"] {
            cache.insert_many([(text, &[1.0][..])]).unwrap();
        }
        assert_eq!(
            cache.get_many(&["a", "b", "c"]).unwrap().iter().map(Option::is_some).collect::<Vec<_>>(),
            [false, true, true]
        );
        assert_eq!(cache.len().unwrap(), 2);
    }
}
