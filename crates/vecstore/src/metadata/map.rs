//! The ordered map of a record's metadata.

use indexmap::IndexMap;

use crate::metadata::Value;

/// A map from strings to [`Value`]s that keeps the order its keys were given in; equality ignores that order.
///
/// # Examples
///
/// ```
/// use vecstore::{Metadata, Value};
///
/// let book = Metadata::from([("title", "Dune".into()), ("price", 10.into())]);
/// let same = Metadata::new().with("price", 10).with("title", "Dune");
/// assert_eq!(book, same);
/// assert_eq!(book.get("price").and_then(Value::as_int), Some(10));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata(IndexMap<String, Value>);

impl Metadata {
    /// Makes an empty map, without allocating.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty map with room for `capacity` entries.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(IndexMap::with_capacity(capacity))
    }

    /// Returns the map with `key` set to `value`.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.insert(key.into(), value.into());
        self
    }

    /// Returns the value at `key`, read literally: a dot in it separates nothing.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Returns the value at `key` for changing in place.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.get_mut(key)
    }

    /// Returns whether `key` is present, with any value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Sets `key` to `value` and returns the value it replaced; a replaced key keeps its position.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(key.into(), value.into())
    }

    /// Removes `key` and returns its value; the order of the others stays. O(entries).
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key)
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over the entries in the order they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + DoubleEndedIterator {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Iterates over the keys in the order they were given.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.0.values_mut()
    }
}

impl<K: Into<String>, const N: usize> From<[(K, Value); N]> for Metadata {
    fn from(entries: [(K, Value); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl<K: Into<String>> Extend<(K, Value)> for Metadata {
    fn extend<I: IntoIterator<Item = (K, Value)>>(&mut self, entries: I) {
        self.0.extend(entries.into_iter().map(|(key, value)| (key.into(), value)));
    }
}

impl IntoIterator for Metadata {
    type Item = (String, Value);
    type IntoIter = indexmap::map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Metadata {
    type Item = (&'a String, &'a Value);
    type IntoIter = indexmap::map::Iter<'a, String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
