//! The ranking of brute force, whatever was written, removed, sealed, merged and reopened before.

use std::collections::BTreeMap;

use proptest::prelude::*;
use vecstore::{Record, SparseQuery, SparseVector, TextQuery, VecStore, field};
use vecstore_testkit::{Texts, check_ranking, ranked_sparse};

#[derive(Clone, Debug)]
enum Step {
    Upsert(u16, Vec<u8>, Option<u32>),
    UpsertMany(Vec<(u16, Vec<u8>)>),
    Delete(u16),
    Hide(u16),
    Restore(u16),
    Retext(u16, Vec<u8>),
    Compact,
    Reopen,
    Ask(Vec<u8>, usize, bool),
}

fn word(word: u8) -> String {
    format!("w{word}")
}

fn text(words: &[u8]) -> String {
    words.iter().map(|&w| word(w)).collect::<Vec<_>>().join(" ")
}

fn id(n: u16) -> String {
    format!("id-{n:03}")
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let words = || prop::collection::vec(prop_oneof![3 => 0u8..3, 1 => 3u8..30], 0..9);
    let number = || 0u16..80;
    let step = prop_oneof![
        6 => (number(), words(), prop::option::of(0u32..4)).prop_map(|(n, w, s)| Step::Upsert(n, w, s)),
        2 => prop::collection::vec((number(), words()), 1..60).prop_map(Step::UpsertMany),
        2 => number().prop_map(Step::Delete),
        1 => number().prop_map(Step::Hide),
        1 => number().prop_map(Step::Restore),
        1 => (number(), words()).prop_map(|(n, w)| Step::Retext(n, w)),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
        6 => (prop::collection::vec(0u8..30, 1..4), 1usize..12, any::<bool>())
            .prop_map(|(w, k, f)| Step::Ask(w, k, f)),
    ];
    prop::collection::vec(step, 1..60)
}

fn record(n: u16, words: &[u8], sparse: Option<u32>) -> Record {
    let record = Record::new(id(n), [1.0, f32::from(n)])
        .with_metadata([("even", n.is_multiple_of(2).into())])
        .with_text(text(words));
    match sparse {
        Some(s) => record.with_sparse(SparseVector::new([(s, 1.0 + f32::from(n)), (s + 1, -0.5)]).unwrap()),
        None => record,
    }
}

fn check(store: &VecStore, model: &BTreeMap<String, Record>, words: &[u8], k: usize, filtered: bool) {
    let mut texts = Texts::default();
    for record in model.values() {
        texts.add(&record.id, record.text.as_deref().unwrap(), record.deleted);
    }
    let terms: Vec<String> = words.iter().map(|&w| word(w)).collect();
    let terms: Vec<&str> = terms.iter().map(String::as_str).collect();
    let matches = |id: &str| !filtered || model[id].metadata.get("even") == Some(&true.into());
    let filter = filtered.then(|| field("even").eq(true));
    let query = TextQuery::new(terms.join(" ")).k(k).filter(filter);
    let found = store.text_query(&query).unwrap();
    let found: Vec<(&str, f32)> = found.iter().map(|hit| (hit.id.as_str(), hit.score)).collect();
    assert_eq!(check_ranking(&found, &texts.ranked(&terms, matches), k), Ok(()), "{terms:?}");
    let sparse = [(2, 1.0f32), (0, 0.5)];
    let found = store.sparse_query(&SparseQuery::new(SparseVector::new(sparse).unwrap()).k(k)).unwrap();
    let found: Vec<(&str, f32)> = found.iter().map(|hit| (hit.id.as_str(), hit.score)).collect();
    let visible = model.values().filter(|record| !record.deleted);
    let vectors =
        visible.filter_map(|record| Some((record.id.as_str(), record.sparse.as_ref()?.components())));
    assert_eq!(check_ranking(&found, &ranked_sparse(&sparse, vectors), k), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_best_are_those_of_brute_force_after_any_writes(steps in steps()) {
        let directory = tempfile::tempdir().unwrap();
        let open = || {
            let options = VecStore::options().durability(vecstore::Durability::None).background(false);
            options.open(directory.path()).unwrap()
        };
        let mut store = open();
        let mut model: BTreeMap<String, Record> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Upsert(n, words, sparse) => {
                    let record = record(n, &words, sparse);
                    store.upsert_record(&record, None).unwrap();
                    model.insert(id(n), record);
                }
                Step::UpsertMany(records) => {
                    let mut batch = vecstore::Batch::new(2).unwrap();
                    for (n, words) in records {
                        let record = record(n, &words, None);
                        batch.push(&record, None).unwrap();
                        model.insert(id(n), record);
                    }
                    store.upsert_many(batch).unwrap();
                }
                Step::Delete(n) => {
                    store.delete(&id(n)).unwrap();
                    model.remove(&id(n));
                }
                Step::Hide(n) => {
                    store.soft_delete(&id(n)).unwrap();
                    model.entry(id(n)).and_modify(|record| record.deleted = true);
                }
                Step::Restore(n) => {
                    store.restore(&id(n)).unwrap();
                    model.entry(id(n)).and_modify(|record| record.deleted = false);
                }
                Step::Retext(n, words) => {
                    if let Some(record) = model.get_mut(&id(n)).filter(|record| !record.deleted) {
                        store.index_text(&id(n), &text(&words)).unwrap();
                        record.text = Some(text(&words));
                        assert_eq!(store.text(&id(n)).unwrap(), record.text);
                        assert_eq!(store.get(&id(n)).unwrap().as_ref(), Some(&*record));
                    }
                }
                Step::Compact => _ = store.compact().unwrap(),
                Step::Reopen => {
                    store.close().unwrap();
                    store = open();
                }
                Step::Ask(words, k, filtered) => check(&store, &model, &words, k, filtered),
            }
        }
        check(&store, &model, &[0, 1, 7], 10, false);
        assert!(store.verify().unwrap().is_ok());
    }
}

#[test]
fn thousands_of_texts_in_several_segments_rank_as_brute_force() {
    let store = super::in_memory();
    let mut texts = Texts::default();
    let mut state = 7u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for part in 0..3 {
        let mut batch = vecstore::Batch::new(2).unwrap();
        for n in 0..2500 {
            let id = format!("{part}-{n}");
            // Words by rank: the first are in most texts.
            let words: Vec<String> = (0..3 + draw(20))
                .map(|_| {
                    let r = draw(40);
                    format!("w{}", draw(r * r + 1))
                })
                .collect();
            texts.add(&id, &words.join(" "), false);
            batch.push(&Record::new(id, [1.0, n as f32]).with_text(words.join(" ")), None).unwrap();
        }
        store.upsert_many(batch).unwrap();
        if part == 1 {
            store.compact().unwrap();
        }
    }
    for query in ["w0", "w0 w1 w2", "w900", "w3 w50 w700", "w0 w0 w1", "w1 w2 w3 w4 w5 w6 w7 w8 w300"] {
        let terms: Vec<&str> = query.split(' ').collect();
        for k in [1, 10, 100] {
            let found = store.text_query(&TextQuery::new(query).k(k)).unwrap();
            let found: Vec<(&str, f32)> = found.iter().map(|hit| (hit.id.as_str(), hit.score)).collect();
            assert_eq!(check_ranking(&found, &texts.ranked(&terms, |_| true), k), Ok(()), "{query}");
        }
    }
}
