//! Answers to questions that were asked before in other words.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use vecstore::{
    Clock, Durability, Metadata, Query, Record, ScrollRequest, SystemClock, Value, VecStore, field,
};

use crate::error::{Error, Result};

/// What similarities may be too low by, from rounding.
const TOLERANCE: f64 = 1e-6;

/// Names of the metadata of an entry.
const VALUE: &str = "value";
const SCOPE: &str = "scope";
const SEQUENCE: &str = "sequence";

/// The options of a [`SemanticCache`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SemanticCacheOptions {
    capacity: usize,
    similarity_threshold: f64,
    ttl: Option<Duration>,
    clock: Arc<dyn Clock>,
}

impl SemanticCacheOptions {
    /// Makes options of a cache of at most `capacity` entries that takes questions for the same from a cosine of
    /// `similarity_threshold` on. Entries do not expire.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a capacity of 0 or a threshold outside -1 to 1.
    pub fn new(capacity: usize, similarity_threshold: f64) -> Result<Self> {
        if capacity == 0 {
            return Err(Error::invalid("capacity: expected a number of at least 1, got 0"));
        }
        if !(-1.0..=1.0).contains(&similarity_threshold) {
            return Err(Error::invalid(format!(
                "similarity_threshold: expected a cosine from -1 to 1, got {similarity_threshold}"
            )));
        }
        Ok(Self { capacity, similarity_threshold, ttl: None, clock: Arc::new(SystemClock) })
    }

    /// Sets how long an entry lives.
    pub fn ttl(mut self, ttl: impl Into<Option<Duration>>) -> Self {
        self.ttl = ttl.into();
        self
    }

    /// Sets the clock that entries live by.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Makes a cache in memory.
    pub fn in_memory(self) -> Result<SemanticCache> {
        let store = VecStore::options().clock(Arc::clone(&self.clock)).open_in_memory()?;
        SemanticCache::with(store, self)
    }

    /// Opens the cache in a directory, making it if it is not there. What was written within the last 100 ms may be lost in a
    /// power cut. Entries beyond the capacity are removed, the oldest first.
    pub fn open(self, path: impl AsRef<Path>) -> Result<SemanticCache> {
        let options = VecStore::options().clock(Arc::clone(&self.clock)).durability(Durability::Interval);
        SemanticCache::with(options.open(path)?, self)
    }
}

/// A cache whose keys are vectors: it finds the nearest key, if that is near enough.
///
/// Every lookup is an exact search, so that an entry above the threshold is always found. Beyond the capacity, the entry that
/// was used least lately goes; the order of use is not kept on disk. Entries of one scope (a model, a user) are never returned
/// for another.
///
/// # Examples
///
/// ```
/// use vecstore_rag::SemanticCacheOptions;
///
/// let cache = SemanticCacheOptions::new(1000, 0.95)?.in_memory()?;
/// cache.insert("", &[1.0, 0.1], "What is a log?", "A file of writes.")?;
/// let hit = cache.get("", &[1.0, 0.12])?.expect("a near question was asked");
/// assert_eq!(hit.value.as_str(), Some("A file of writes."));
/// assert!(cache.get("", &[0.0, 1.0])?.is_none());
/// # Ok::<(), vecstore_rag::Error>(())
/// ```
#[derive(Debug)]
pub struct SemanticCache {
    store: VecStore,
    options: SemanticCacheOptions,
    state: Mutex<State>,
}

/// An entry that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct CacheHit {
    /// The id of the entry.
    pub id: String,
    /// What was kept.
    pub value: Value,
    /// The cosine of its key and the one asked for.
    pub similarity: f64,
    /// The question it was kept for, as it was given.
    pub query: String,
}

/// What a cache did since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Entries that can be found.
    pub entries: usize,
    /// The most there may be.
    pub capacity: usize,
    /// Lookups that found something.
    pub hits: u64,
    /// Lookups that did not.
    pub misses: u64,
    /// Entries that had to go for others.
    pub evictions: u64,
}

impl CacheStats {
    /// Returns the share of lookups that found something, 0 before the first.
    pub fn hit_rate(&self) -> f64 {
        let lookups = self.hits + self.misses;
        if lookups == 0 { 0.0 } else { self.hits as f64 / lookups as f64 }
    }
}

/// Who was used when.
#[derive(Debug, Default)]
struct State {
    used: HashMap<String, u64>,
    by_use: BTreeMap<u64, String>,
    tick: u64,
    sequence: i64,
    hits: u64,
    misses: u64,
    evictions: u64,
}

impl State {
    fn touch(&mut self, id: &str) {
        self.tick += 1;
        if let Some(before) = self.used.insert(id.to_owned(), self.tick) {
            self.by_use.remove(&before);
        }
        self.by_use.insert(self.tick, id.to_owned());
    }

    fn forget(&mut self, id: &str) {
        if let Some(tick) = self.used.remove(id) {
            self.by_use.remove(&tick);
        }
    }

    /// Takes those out that were used least lately, until there is room.
    fn surplus(&mut self, capacity: usize) -> Vec<String> {
        let mut surplus = Vec::new();
        while self.used.len() > capacity
            && let Some((_, id)) = self.by_use.pop_first()
        {
            self.used.remove(&id);
            surplus.push(id);
        }
        self.evictions += surplus.len() as u64;
        surplus
    }
}

impl SemanticCache {
    fn with(store: VecStore, options: SemanticCacheOptions) -> Result<Self> {
        let mut found: Vec<(i64, String)> = Vec::new();
        for record in store.records(&ScrollRequest::new().vectors(false))? {
            let record = record?;
            let sequence = record.metadata.get(SEQUENCE).and_then(Value::as_int).ok_or_else(|| {
                Error::invalid(format!(
                    "record `{}` has no `{SEQUENCE}`: the store is no semantic cache",
                    record.id
                ))
            })?;
            found.push((sequence, record.id));
        }
        found.sort_unstable();
        let mut state = State {
            sequence: found.last().map_or(0, |(sequence, _)| sequence.saturating_add(1)),
            ..State::default()
        };
        for (_, id) in &found {
            state.touch(id);
        }
        let cache = Self { store, options, state: Mutex::new(state) };
        cache.evict()?;
        cache.state.lock().evictions = 0;
        Ok(cache)
    }

    /// Keeps a value for a question, and returns the ids of the entry and of those that had to go. An entry of the same scope
    /// with the same key is replaced.
    ///
    /// # Errors
    ///
    /// `Store` for a vector that is zero, not finite or of another dimension than those before, or a value beyond 1 MiB.
    pub fn insert(
        &self,
        scope: &str,
        vector: &[f32],
        query: &str,
        value: impl Into<Value>,
    ) -> Result<(String, Vec<String>)> {
        let same = self.nearest(scope, vector, 1.0)?;
        let sequence = {
            let mut state = self.state.lock();
            state.sequence += 1;
            state.sequence - 1
        };
        let id = same.map_or_else(|| format!("{sequence:016x}"), |hit| hit.id);
        let metadata = Metadata::new().with(VALUE, value.into()).with(SCOPE, scope).with(SEQUENCE, sequence);
        let record = Record::new(id.as_str(), vector).with_metadata(metadata).with_text(query);
        self.store.upsert_record(&record, self.options.ttl)?;
        self.state.lock().touch(&id);
        Ok((id, self.evict()?))
    }

    /// Returns the entry of the scope whose key is nearest, if it is near enough and has not expired.
    pub fn get(&self, scope: &str, vector: &[f32]) -> Result<Option<CacheHit>> {
        let hit = self.nearest(scope, vector, self.options.similarity_threshold)?;
        let mut state = self.state.lock();
        match &hit {
            Some(hit) => {
                state.hits += 1;
                // An entry that another thread removed meanwhile stays removed.
                if state.used.contains_key(&hit.id) {
                    state.touch(&hit.id);
                }
            }
            None => state.misses += 1,
        }
        Ok(hit)
    }

    /// Returns whether [`Self::get`] would find something; that is no use and no lookup.
    pub fn contains(&self, scope: &str, vector: &[f32]) -> Result<bool> {
        Ok(self.nearest(scope, vector, self.options.similarity_threshold)?.is_some())
    }

    fn nearest(&self, scope: &str, vector: &[f32], threshold: f64) -> Result<Option<CacheHit>> {
        let query = Query::new(vector).k(1).exact(true).filter(field(SCOPE).eq(scope));
        let hits = self.store.search(&query)?;
        let Some(hit) = hits.get(0) else { return Ok(None) };
        let similarity = f64::from(hit.score());
        if similarity < threshold - TOLERANCE {
            return Ok(None);
        }
        let mut metadata = vecstore::metadata::decode(hit.encoded_metadata()?)?;
        Ok(Some(CacheHit {
            id: hit.id()?.to_owned(),
            value: metadata.remove(VALUE).unwrap_or_default(),
            similarity,
            query: hit.text()?.unwrap_or_default().to_owned(),
        }))
    }

    fn evict(&self) -> Result<Vec<String>> {
        let surplus = self.state.lock().surplus(self.options.capacity);
        if !surplus.is_empty() {
            self.store.delete_many(surplus.iter().map(String::as_str))?;
        }
        Ok(surplus)
    }

    /// Removes an entry. Returns whether it was there.
    pub fn remove(&self, id: &str) -> Result<bool> {
        self.state.lock().forget(id);
        Ok(self.store.delete(id)?)
    }

    /// Frees the space of entries that have expired, which no lookup returns. Returns their ids.
    pub fn remove_expired(&self) -> Result<Vec<String>> {
        let mut gone = Vec::new();
        if self.store.expire()? > 0 {
            let ids: Vec<String> = self.state.lock().used.keys().cloned().collect();
            for id in ids {
                if !self.store.contains(&id)? {
                    self.state.lock().forget(&id);
                    gone.push(id);
                }
            }
        }
        Ok(gone)
    }

    /// Removes all entries and forgets the counts.
    pub fn clear(&self) -> Result<()> {
        let ids: Vec<String> = {
            let mut state = self.state.lock();
            let ids = state.used.keys().cloned().collect();
            *state = State { sequence: state.sequence, ..State::default() };
            ids
        };
        self.store.delete_many(ids.iter().map(String::as_str))?;
        Ok(())
    }

    /// Returns what the cache did.
    pub fn stats(&self) -> Result<CacheStats> {
        let entries = self.store.len()?;
        let state = self.state.lock();
        let (hits, misses, evictions) = (state.hits, state.misses, state.evictions);
        Ok(CacheStats { entries, capacity: self.options.capacity, hits, misses, evictions })
    }

    /// Makes everything durable and closes the cache.
    pub fn close(&self) -> Result<()> {
        Ok(self.store.close()?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[derive(Debug)]
    struct SetClock(AtomicU64);

    impl Clock for SetClock {
        fn now_unix_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn value(cache: &SemanticCache, vector: &[f32]) -> Option<i64> {
        cache.get("", vector).unwrap().and_then(|hit| hit.value.as_int())
    }

    #[test]
    fn the_least_lately_used_goes() {
        let cache = SemanticCacheOptions::new(2, 0.99).unwrap().in_memory().unwrap();
        cache.insert("", &[1.0, 0.0, 0.0], "", 1).unwrap();
        cache.insert("", &[0.0, 1.0, 0.0], "", 2).unwrap();
        assert_eq!(value(&cache, &[1.0, 0.0, 0.0]), Some(1));
        let (_, gone) = cache.insert("", &[0.0, 0.0, 1.0], "", 3).unwrap();
        assert_eq!(gone.len(), 1);
        assert_eq!(value(&cache, &[0.0, 1.0, 0.0]), None);
        assert_eq!(value(&cache, &[1.0, 0.0, 0.0]), Some(1));
        let stats = cache.stats().unwrap();
        assert_eq!((stats.entries, stats.hits, stats.misses, stats.evictions), (2, 2, 1, 1));
        cache.clear().unwrap();
        assert_eq!(cache.stats().unwrap(), CacheStats { capacity: 2, ..CacheStats::default() });
    }

    #[test]
    fn scopes_are_apart_and_the_same_key_is_replaced() {
        let cache = SemanticCacheOptions::new(9, 1.0).unwrap().in_memory().unwrap();
        let key = [0.3, 0.4, 0.1];
        cache.insert("a", &key, "q", 1).unwrap();
        cache.insert("b", &key, "q", 2).unwrap();
        cache.insert("a", &key, "q", 3).unwrap();
        assert_eq!(cache.get("a", &key).unwrap().unwrap().value.as_int(), Some(3));
        assert_eq!(cache.get("b", &key).unwrap().unwrap().value.as_int(), Some(2));
        assert!(cache.get("c", &key).unwrap().is_none());
        assert_eq!(cache.stats().unwrap().entries, 2);
    }

    #[test]
    fn entries_expire_and_survive_reopening() {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock(AtomicU64::new(1_000_000)));
        let open = |capacity| {
            let options = SemanticCacheOptions::new(capacity, 0.9).unwrap();
            options.ttl(Duration::from_secs(60)).clock(clock.clone()).open(directory.path()).unwrap()
        };
        {
            let cache = open(9);
            cache.insert("", &[1.0, 0.0], "", 1).unwrap();
            cache.insert("", &[0.0, 1.0], "", 2).unwrap();
            cache.close().unwrap();
        }
        {
            let cache = open(1);
            assert_eq!(value(&cache, &[1.0, 0.0]), None);
            assert_eq!(value(&cache, &[0.0, 1.0]), Some(2));
            clock.0.fetch_add(59_000, Ordering::Relaxed);
            assert_eq!(value(&cache, &[0.0, 1.0]), Some(2));
            clock.0.fetch_add(2_000, Ordering::Relaxed);
            assert_eq!(value(&cache, &[0.0, 1.0]), None);
            assert_eq!(cache.remove_expired().unwrap().len(), 1);
            assert!(cache.remove_expired().unwrap().is_empty());
        }
    }

    #[test]
    fn bad_options_are_named() {
        assert!(SemanticCacheOptions::new(0, 0.9).unwrap_err().to_string().contains("capacity"));
        assert!(SemanticCacheOptions::new(1, 1.1).unwrap_err().to_string().contains("from -1 to 1, got 1.1"));
        let cache = SemanticCacheOptions::new(1, 0.9).unwrap().in_memory().unwrap();
        assert!(cache.insert("", &[0.0, 0.0], "", 1).is_err());
    }
}
