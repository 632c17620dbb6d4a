//! What a search found, read from the snapshot only as far as the caller asks.

use std::sync::Arc;

use super::score::Scoring;
use super::topk::Candidate;
use crate::collection::{Location, Snapshot};
use crate::error::Result;
use crate::metadata::{self, DocumentRef, Metadata};

/// A row that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundRow {
    pub(crate) key: f32,
    pub(crate) part: u32,
    pub(crate) row: u32,
}

impl FoundRow {
    /// Returns where the row is.
    pub(crate) fn location(self) -> Location {
        Location { part: self.part as usize, row: self.row }
    }
}

impl From<&Candidate<'_>> for FoundRow {
    fn from(found: &Candidate<'_>) -> Self {
        Self { key: found.key, part: found.part, row: found.row }
    }
}

/// The hits of a search, best first. Holds the snapshot it was answered from: what it returns does not change
/// while the collection does.
#[derive(Clone, Debug)]
pub struct Hits {
    snapshot: Arc<Snapshot>,
    scores: Scores,
    rows: Vec<FoundRow>,
    /// Scores that are not those of the keys, for each row, if there are such.
    rescored: Option<Vec<f32>>,
}

/// What the keys of hits mean.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scores {
    /// Distances of vectors.
    Metric(Scoring),
    /// Scores with their signs changed, as of texts and of what several searches found.
    Plain,
}

impl Scores {
    pub(crate) fn score(self, key: f32) -> f32 {
        match self {
            Self::Metric(scoring) => scoring.score(key),
            Self::Plain => -key,
        }
    }

    fn distance(self, key: f32) -> f32 {
        match self {
            Self::Metric(scoring) => scoring.distance(key),
            Self::Plain => key,
        }
    }
}

impl Hits {
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        scores: Scores,
        rows: Vec<FoundRow>,
        offset: usize,
        min_score: Option<f32>,
    ) -> Self {
        let enough = |found: &FoundRow| min_score.is_none_or(|min| scores.score(found.key) >= min);
        let rows = rows.into_iter().skip(offset).take_while(enough).collect();
        Self { snapshot, scores, rows, rescored: None }
    }

    /// Takes rows with scores of their own, best first; distances stay those of the keys.
    pub(crate) fn rescored(
        snapshot: Arc<Snapshot>,
        scores: Scores,
        rows: impl IntoIterator<Item = (FoundRow, f32)>,
    ) -> Self {
        let (rows, rescored) = rows.into_iter().unzip();
        Self { snapshot, scores, rows, rescored: Some(rescored) }
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the rows with their scores.
    pub(crate) fn scored(&self) -> impl Iterator<Item = (FoundRow, f32)> {
        self.iter().map(|hit| (hit.found, hit.score()))
    }

    /// Returns the number of hits.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the hit at a rank, the best at 0.
    pub fn get(&self, rank: usize) -> Option<Hit<'_>> {
        self.rows.get(rank).map(|&found| Hit { hits: self, found, rank })
    }

    /// Iterates over the hits, best first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Hit<'_>> {
        self.rows.iter().enumerate().map(|(rank, &found)| Hit { hits: self, found, rank })
    }

    /// Copies the hits out of the snapshot.
    ///
    /// # Errors
    ///
    /// `Corrupted` if a record's bytes fail their checksum.
    pub fn to_neighbors(&self, include: Include) -> Result<Vec<Neighbor>> {
        self.iter().map(|hit| hit.to_neighbor(include)).collect()
    }
}

/// One hit.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    hits: &'a Hits,
    found: FoundRow,
    rank: usize,
}

impl<'a> Hit<'a> {
    fn part(&self) -> &'a crate::collection::Part {
        &self.hits.snapshot.parts[self.found.part as usize].part
    }

    /// Returns the position of the part it is in.
    pub(super) fn position(&self) -> u32 {
        self.found.part
    }

    /// Returns the id.
    ///
    /// # Errors
    ///
    /// This and the following: `Corrupted` if the bytes fail their checksum.
    pub fn id(&self) -> Result<&'a str> {
        self.part().id(self.found.row)
    }

    /// Returns the score: larger is better.
    pub fn score(&self) -> f32 {
        match &self.hits.rescored {
            Some(rescored) => rescored[self.rank],
            None => self.hits.scores.score(self.found.key),
        }
    }

    /// Returns the distance in the metric's own unit: smaller is nearer. Of a search of texts, of sparse vectors or of
    /// both kinds it is the score with its sign changed.
    pub fn distance(&self) -> f32 {
        self.hits.scores.distance(self.found.key)
    }

    /// Returns what the hits of a search by a vector are ordered by, smaller first, ties by id: a distance that was not rounded
    /// when it became one in the metric's own unit.
    pub fn key(&self) -> f32 {
        self.found.key
    }

    /// Returns the metadata as [`crate::metadata::decode`] takes it, to be kept when the hits are gone.
    pub fn encoded_metadata(&self) -> Result<&'a [u8]> {
        Ok(self.part().body(self.found.row)?.document)
    }

    /// Returns the metadata, encoded.
    pub fn document(&self) -> Result<DocumentRef<'a>> {
        DocumentRef::new(self.part().body(self.found.row)?.document)
    }

    /// Returns the text, if the record has one.
    pub fn text(&self) -> Result<Option<&'a str>> {
        Ok(self.part().body(self.found.row)?.text)
    }

    /// Returns the vector.
    pub fn vector(&self) -> Result<&'a [f32]> {
        self.part().vector(self.found.row)
    }

    /// Copies the hit out of the snapshot.
    pub fn to_neighbor(&self, include: Include) -> Result<Neighbor> {
        let body = self.part().body(self.found.row)?;
        Ok(Neighbor {
            id: self.id()?.to_owned(),
            score: self.score(),
            distance: self.distance(),
            metadata: if include.metadata { Some(metadata::decode(body.document)?) } else { None },
            vector: if include.vector { Some(self.vector()?.to_vec()) } else { None },
            text: if include.text { body.text.map(str::to_owned) } else { None },
        })
    }
}

/// Which parts of a record a result carries besides its id and score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Include {
    /// The metadata.
    pub metadata: bool,
    /// The vector.
    pub vector: bool,
    /// The text.
    pub text: bool,
}

impl Default for Include {
    fn default() -> Self {
        Self { metadata: true, vector: false, text: false }
    }
}

/// A record near the query.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Neighbor {
    /// The id.
    pub id: String,
    /// Larger is better: the cosine similarity, the dot product, or 1 / (1 + distance); of a search of texts the sum of what
    /// their terms are worth.
    pub score: f32,
    /// Smaller is nearer, in the metric's own unit; of a search of texts the score with its sign changed.
    pub distance: f32,
    /// The metadata, if it was asked for.
    pub metadata: Option<Metadata>,
    /// The vector, if it was asked for.
    pub vector: Option<Vec<f32>>,
    /// The text, if it was asked for and there is one.
    pub text: Option<String>,
}
