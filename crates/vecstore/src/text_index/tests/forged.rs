use proptest::prelude::*;

use super::super::{Clauses, Sink, TextConfig, TextIndex, TextWriter, Weight, search, sparse_key};
use super::{Row, word_key};
use crate::error::{Error, Result};
use crate::field_index::Source;
use crate::storage::body::{Body, SparseRef, encode_sparse};

struct Bytes(Vec<u64>, usize);

impl Source for Bytes {
    fn bytes(&self, range: std::ops::Range<usize>) -> Result<&[u8]> {
        let bytes: &[u8] = bytemuck::cast_slice(&self.0);
        bytes[..self.1].get(range).ok_or_else(|| Error::corrupted("beyond"))
    }
}

fn section(rows: &[Row]) -> Vec<u8> {
    let config = TextConfig::default();
    let mut writer = TextWriter::new(&config);
    for row in rows {
        let (text, sparse) = (row.text(), encode_sparse(&row.sparse));
        let sparse = Some(SparseRef::new(&sparse));
        writer.push(Some(Body { document: &[], text: text.as_deref(), sparse, tokens: None })).unwrap();
    }
    let mut bytes = Vec::new();
    writer
        .finish(&mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })
        .unwrap();
    bytes
}

/// Takes every row, of so many.
struct Everything(usize);

impl Sink for Everything {
    fn least(&self) -> f32 {
        f32::NEG_INFINITY
    }

    fn wanted(&self) -> usize {
        2
    }

    fn accepts(&mut self, row: u32) -> Result<bool> {
        assert!((row as usize) < self.0, "row {row} of {}", self.0);
        Ok(true)
    }

    fn offer(&mut self, row: u32, _score: f32) -> Result<()> {
        self.accepts(row).map(|_| ())
    }
}

fn use_everything(bytes: &[u8], rows: usize) -> Result<()> {
    let mut words = vec![0u64; bytes.len().div_ceil(8)];
    bytemuck::cast_slice_mut::<u64, u8>(&mut words)[..bytes.len()].copy_from_slice(bytes);
    let source = Bytes(words, bytes.len());
    let index = TextIndex::open(&source, 0..bytes.len(), rows)?;
    _ = index.verify();
    let mut clauses = Clauses::default();
    for word in 0..6 {
        if let Some(list) = index.find(&word_key(word))? {
            let weight = Weight::Text { weight: 1.0, base: 0.3, slope: 0.1 };
            clauses.scored.push(index.cursor(&list, weight)?);
        }
    }
    if let Some(list) = index.find(&sparse_key(3))? {
        clauses.scored.push(index.cursor(&list, Weight::Sparse { weight: 1.0 })?);
    }
    let required = if clauses.scored.is_empty() { Vec::new() } else { vec![vec![0]] };
    let mut all = Clauses { scored: clauses.scored.clone(), required, excluded: Vec::new() };
    search(&mut clauses, rows, None, &mut Everything(rows))?;
    search(&mut all, rows, None, &mut Everything(rows))?;
    index.for_each_with_prefix(&[0], |_, _| Ok(()))
}

fn rows() -> Vec<Row> {
    (0..700u16)
        .map(|n| Row {
            words: Some((0..n % 9).map(|m| (n * 7 + m * m) % (2 + m)).collect()),
            sparse: vec![(3, f32::from(n)), (10 + u32::from(n), 1.0)],
        })
        .collect()
}

#[test]
fn whole_sections_are_read_without_an_error() {
    use_everything(&section(&rows()), 700).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_make_a_reader_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        thread_local!(static SECTION: Vec<u8> = section(&rows()));
        let mut bytes = SECTION.with(Vec::clone);
        for (at, byte) in flips {
            // Half of them where the section says what is where.
            let at = if byte % 2 == 0 { at.index(bytes.len()) } else { bytes.len() - 1 - at.index(128) };
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()) / 8 * 8);
        }
        _ = use_everything(&bytes, 700);
    }
}
