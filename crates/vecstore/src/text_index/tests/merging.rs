use proptest::prelude::*;

use super::super::{Clauses, Sink, TextIndex, Weight, search, sparse_key};
use super::{Row, index, word_key};
use crate::error::Result;

/// The best rows, by a scan of what is offered, in the order of the score and then the row.
struct Best {
    k: usize,
    rows: Vec<(f32, u32)>,
}

impl Sink for Best {
    fn least(&self) -> f32 {
        if self.rows.len() < self.k { f32::NEG_INFINITY } else { self.rows[self.k - 1].0 }
    }

    fn wanted(&self) -> usize {
        self.k
    }

    fn accepts(&mut self, row: u32) -> Result<bool> {
        Ok(is_taken(row))
    }

    fn offer(&mut self, row: u32, score: f32) -> Result<()> {
        if !is_taken(row) {
            return Ok(());
        }
        self.rows.push((score, row));
        self.rows.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.rows.truncate(self.k);
        Ok(())
    }
}

/// As if a filter let through most rows.
fn is_taken(row: u32) -> bool {
    row % 7 != 3
}

#[derive(Clone, Debug)]
struct Query {
    words: Vec<(u16, f32)>,
    dimensions: Vec<(u32, f32)>,
    required: Vec<Vec<u16>>,
    excluded: Vec<u16>,
    among: Option<Vec<u32>>,
    k: usize,
}

const BASE: f32 = 0.3;
const SLOPE: f32 = 0.09;

fn found(index: &TextIndex<'_>, rows: usize, query: &Query) -> Vec<(f32, u32)> {
    let mut clauses = Clauses::default();
    let mut at = std::collections::HashMap::new();
    for &(word, weight) in &query.words {
        if let Some(list) = index.find(&word_key(word)).unwrap() {
            at.insert(word, clauses.scored.len());
            let weight = Weight::Text { weight, base: BASE, slope: SLOPE };
            clauses.scored.push(index.cursor(&list, weight).unwrap());
        }
    }
    for &(dimension, weight) in &query.dimensions {
        if let Some(list) = index.find(&sparse_key(dimension)).unwrap() {
            clauses.scored.push(index.cursor(&list, Weight::Sparse { weight }).unwrap());
        }
    }
    for group in &query.required {
        clauses.required.push(group.iter().filter_map(|word| at.get(word).copied()).collect());
    }
    for word in &query.excluded {
        if let Some(list) = index.find(&word_key(*word)).unwrap() {
            clauses.excluded.push(index.cursor(&list, Weight::Nothing).unwrap());
        }
    }
    let mut best = Best { k: query.k, rows: Vec::new() };
    search(&mut clauses, rows, query.among.as_deref(), &mut best).unwrap();
    best.rows
}

fn expected(rows: &[Row], query: &Query) -> Vec<(f32, u32)> {
    let mut best = Best { k: query.k, rows: Vec::new() };
    for (n, row) in rows.iter().enumerate() {
        let words = row.words.clone().unwrap_or_default();
        let has = |word: &u16| words.contains(word);
        if query.among.as_ref().is_some_and(|among| !among.contains(&(n as u32)))
            || query.excluded.iter().any(has)
            || !query.required.iter().all(|group| group.iter().any(has))
        {
            continue;
        }
        let (mut sum, mut any) = (0.0f64, false);
        for (word, weight) in &query.words {
            let count = words.iter().filter(|other| *other == word).count() as f32;
            if count > 0.0 {
                any = true;
                sum += f64::from(weight * (count / (count + (BASE + SLOPE * words.len() as f32))));
            }
        }
        for &(dimension, weight) in &query.dimensions {
            for &(_, value) in row.sparse.iter().filter(|pair| pair.0 == dimension) {
                any = true;
                sum += f64::from(weight * value);
            }
        }
        if any {
            best.offer(n as u32, sum as f32).unwrap();
        }
    }
    best.rows
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    // Words of which some are in most rows, some in few; a common one makes lists of several blocks.
    let word = prop_oneof![4 => 0u16..3, 2 => 3u16..20, 1 => 20u16..400];
    let words = prop::option::weighted(0.95, prop::collection::vec(word, 0..12));
    let sparse = prop::collection::btree_map(0u32..12, -2.0f32..4.0, 0..4);
    let row = (words, sparse).prop_map(|(words, sparse)| Row { words, sparse: sparse.into_iter().collect() });
    prop_oneof![prop::collection::vec(row.clone(), 1..60), prop::collection::vec(row, 1500..3000)]
}

fn query() -> impl Strategy<Value = Query> {
    let word = || prop_oneof![0u16..3, 3u16..20, 20u16..400];
    (
        prop::collection::btree_map(word(), 0.1f32..5.0, 1..6),
        prop::collection::btree_map(0u32..12, -1.0f32..3.0, 0..3),
        prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 1..3), 0..3),
        any::<bool>(),
        prop::collection::vec(word(), 0..2),
        prop::option::weighted(0.2, prop::collection::btree_set(0u32..3000, 0..300)),
        1usize..20,
    )
        .prop_map(|(words, dimensions, required, has_required, excluded, among, k)| {
            let words: Vec<(u16, f32)> = words.into_iter().collect();
            let group = |group: &Vec<prop::sample::Index>| {
                group.iter().map(|at| words[at.index(words.len())].0).collect()
            };
            let required = if has_required { required.iter().map(group).collect() } else { Vec::new() };
            Query {
                required,
                dimensions: dimensions.into_iter().collect(),
                excluded: excluded.into_iter().filter(|word| !words.iter().any(|(w, _)| w == word)).collect(),
                among: among.map(|among| among.into_iter().collect()),
                words,
                k,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_search_finds_what_a_scan_of_everything_finds(
        rows in rows(),
        queries in prop::collection::vec(query(), 12),
    ) {
        let Some(memory) = index(&rows) else { return Ok(()) };
        let index = memory.index().unwrap();
        index.verify().unwrap();
        for query in queries {
            prop_assert_eq!(found(&index, rows.len(), &query), expected(&rows, &query), "{:?}", query);
        }
    }
}

#[test]
fn windows_of_many_rows_and_lists_of_many_blocks_find_the_same() {
    let mut state = 7_u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    // Word n is in about one of 2^n rows, so that windows are of all sizes.
    let rows: Vec<Row> = (0..30_000)
        .map(|_| {
            let words = (0..draw(14)).map(|_| draw(1 << 12).leading_zeros() as u16 - 52).collect();
            Row { words: Some(words), sparse: Vec::new() }
        })
        .collect();
    let memory = index(&rows).unwrap();
    let index = memory.index().unwrap();
    index.verify().unwrap();
    for n in 0..24 {
        let mut words: Vec<(u16, f32)> =
            (0..13).filter(|_| draw(3) == 0).map(|word| (word, (1 << (word / 2)) as f32 * 0.1)).collect();
        words.push((13, 1.0));
        let excluded = if n % 4 == 3 { vec![(n % 12) as u16] } else { Vec::new() };
        words.retain(|(word, _)| !excluded.contains(word));
        let k = [1, 10, 100, 300][n % 4];
        let (dimensions, required) = (Vec::new(), Vec::new());
        let query = Query { words, dimensions, required, excluded, among: None, k };
        assert_eq!(found(&index, rows.len(), &query), expected(&rows, &query), "{query:?}");
    }
}

#[test]
fn what_one_list_tells_is_exact_at_block_boundaries() {
    for count in [1usize, 2, 127, 128, 129, 256, 257, 4096] {
        let rows: Vec<Row> = (0..count)
            .map(|row| Row { words: Some(vec![1; 1 + row % 5]), sparse: vec![(u32::MAX, row as f32)] })
            .collect();
        let memory = index(&rows).unwrap();
        let index = memory.index().unwrap();
        index.verify().unwrap();
        let query = Query {
            words: vec![(1, 2.0)],
            dimensions: vec![(u32::MAX, 1.0)],
            required: Vec::new(),
            excluded: Vec::new(),
            among: None,
            k: 5,
        };
        assert_eq!(found(&index, count, &query), expected(&rows, &query), "{count}");
    }
}

#[test]
fn prefixes_find_every_term_that_starts_so() {
    let rows: Vec<Row> =
        [1, 10, 11, 100, 2].map(|word| Row { words: Some(vec![word]), sparse: vec![(7, 1.0)] }).into();
    let memory = index(&rows).unwrap();
    let index = memory.index().unwrap();
    let mut keys = Vec::new();
    index
        .for_each_with_prefix(&word_key(1), |key, list| {
            keys.push((String::from_utf8_lossy(&key[1..]).into_owned(), list.rows));
            Ok(())
        })
        .unwrap();
    let expected = ["w1", "w10", "w100", "w11"].map(|term| (term.to_owned(), 1));
    assert_eq!(keys, expected);
}
