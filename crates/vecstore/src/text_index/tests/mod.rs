//! Promises of the inverted index: the answers of a scan of everything, and no bytes do harm.

mod forged;
mod merging;

use super::{MemoryTextIndex, TextConfig, text_key};
use crate::storage::body::{Body, SparseRef, encode_sparse};

/// A row to be: the words of its text, and its sparse vector.
#[derive(Clone, Debug, Default)]
struct Row {
    words: Option<Vec<u16>>,
    sparse: Vec<(u32, f32)>,
}

impl Row {
    fn text(&self) -> Option<String> {
        let words = self.words.as_ref()?;
        Some(words.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" "))
    }
}

fn index(rows: &[Row]) -> Option<MemoryTextIndex> {
    let texts: Vec<Option<String>> = rows.iter().map(Row::text).collect();
    let sparse: Vec<Vec<u8>> = rows.iter().map(|row| encode_sparse(&row.sparse)).collect();
    let bodies = texts.iter().zip(&sparse).map(|(text, sparse)| {
        let sparse = (!sparse.is_empty()).then(|| SparseRef::new(sparse));
        Ok(Some(Body { document: &[], text: text.as_deref(), sparse, tokens: None }))
    });
    MemoryTextIndex::new(&TextConfig::default(), bodies).unwrap()
}

fn word_key(word: u16) -> Vec<u8> {
    text_key(0, &format!("w{word}"))
}
