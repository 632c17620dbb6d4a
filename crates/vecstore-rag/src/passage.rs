//! A text that was found, and how well it fits.

use vecstore::{Metadata, Neighbor, Value};

/// A text that was found, as rerankers, packing and citations take it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Passage {
    /// The id of its record.
    pub id: String,
    /// The text: that of the record, or else the entry `text` of its metadata.
    pub text: String,
    /// Larger is better.
    pub score: f64,
    /// The vector, where a search was asked for it.
    pub vector: Option<Vec<f32>>,
    /// The metadata.
    pub metadata: Metadata,
}

impl Passage {
    /// Makes a passage without vector and metadata.
    pub fn new(id: impl Into<String>, text: impl Into<String>, score: f64) -> Self {
        Self { id: id.into(), text: text.into(), score, ..Self::default() }
    }

    /// Returns the passage with only the beginning of its text. `end` and `page_breaks` of the metadata follow, so that they
    /// still say where the text is.
    pub(crate) fn beginning(&self, text: &str) -> Self {
        if text.len() == self.text.len() {
            return self.clone();
        }
        let length = text.chars().count();
        let mut metadata = self.metadata.clone();
        if self.string("text").is_some() {
            metadata = metadata.with("text", text);
        }
        if let (Some(start), Some(_)) = (self.number("start"), self.number("end")) {
            metadata = metadata.with("end", (start + length) as i64);
        }
        if let Some(breaks) = self.metadata.get("page_breaks").and_then(Value::as_list) {
            let inside = |place: &&Value| place.as_int().is_some_and(|place| place < length as i64);
            let breaks: Vec<Value> = breaks.iter().filter(inside).cloned().collect();
            metadata = metadata.with("page_breaks", Value::List(breaks));
        }
        Self { text: text.to_owned(), metadata, ..self.clone() }
    }

    /// Returns an entry of the metadata that is a whole number of at least 0.
    pub(crate) fn number(&self, key: &str) -> Option<usize> {
        self.metadata.get(key).and_then(Value::as_int).and_then(|number| usize::try_from(number).ok())
    }

    /// Returns an entry of the metadata that is a string.
    pub(crate) fn string(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).and_then(Value::as_str)
    }
}

impl From<Neighbor> for Passage {
    fn from(neighbor: Neighbor) -> Self {
        let metadata = neighbor.metadata.unwrap_or_default();
        let text = neighbor.text.or_else(|| metadata.get("text").and_then(Value::as_str).map(str::to_owned));
        Self {
            id: neighbor.id,
            text: text.unwrap_or_default(),
            score: f64::from(neighbor.score),
            vector: neighbor.vector,
            metadata,
        }
    }
}
