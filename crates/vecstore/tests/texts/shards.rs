//! Records in several stores are found by words as in one, if each is told what all of them counted.

use proptest::prelude::*;
use vecstore::{Neighbor, Record, TextQuery, TextStatistics, VecStore};

use crate::in_memory;

const QUERIES: [&str; 7] = ["w1", "w1 w2 w7", "+w3 -w1", "w*", "+w1* w4", "\"w1 w2\" w5", "-w* w2"];

fn found(store: &VecStore, query: &TextQuery) -> Vec<Neighbor> {
    store.text_query(query).unwrap()
}

/// Returns the best of several answers, each best first.
fn merged(mut answers: Vec<Neighbor>, k: usize) -> Vec<Neighbor> {
    answers.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    answers.truncate(k);
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn several_stores_score_as_one(
        texts in prop::collection::vec(prop::collection::vec(0u8..14, 0..9), 1..60),
        deleted in prop::collection::vec(any::<prop::sample::Index>(), 0..9),
        k in 1usize..30,
    ) {
        let (one, many) = (in_memory(), [in_memory(), in_memory(), in_memory()]);
        for (n, words) in texts.iter().enumerate() {
            let text: Vec<String> = words.iter().map(|word| format!("w{word}")).collect();
            let record = Record::new(format!("id {n}"), [1.0, n as f32]).with_text(text.join(" "));
            one.upsert_record(&record, None).unwrap();
            many[n % 3].upsert_record(&record, None).unwrap();
        }
        for index in &deleted {
            let n = index.index(texts.len());
            one.delete(&format!("id {n}")).unwrap();
            many[n % 3].delete(&format!("id {n}")).unwrap();
        }
        for keywords in QUERIES {
            let query = TextQuery::new(keywords).k(k);
            let mut statistics = TextStatistics::default();
            for store in &many {
                statistics.add(&store.text_statistics(&query).unwrap());
            }
            prop_assert_eq!(&statistics, &one.text_statistics(&query).unwrap());
            let query = query.statistics(statistics);
            let answers = many.iter().flat_map(|store| found(store, &query)).collect();
            prop_assert_eq!(merged(answers, k), found(&one, &TextQuery::new(keywords).k(k)), "{}", keywords);
        }
    }
}

#[test]
fn statistics_that_cannot_be_are_harmless() {
    let store = in_memory();
    store.upsert_record(&Record::new("a", [1.0, 0.0]).with_text("red fox"), None).unwrap();
    let query = TextQuery::new("red fo*");
    let mut wrong = store.text_statistics(&query).unwrap();
    wrong.fields = vec![(0, u64::MAX)];
    wrong.terms.values_mut().for_each(|rows| *rows = u64::MAX);
    for statistics in [wrong, TextStatistics::default()] {
        for neighbor in found(&store, &query.clone().statistics(statistics)) {
            assert!(neighbor.score.is_finite(), "{neighbor:?}");
        }
    }
}

#[test]
fn records_of_ids_are_whole_and_hidden_ones_are_among_them() {
    let store = in_memory();
    let record = Record::new("b", [1.0, 2.0]).with_text("red fox");
    store.upsert_record(&record, None).unwrap();
    store.upsert_record(&Record::new("a", [3.0, 4.0]), None).unwrap();
    assert!(store.soft_delete("a").unwrap());
    let records: Vec<Record> =
        store.records_of(["b", "absent", "a"]).unwrap().collect::<vecstore::Result<_>>().unwrap();
    assert_eq!(records[0], record);
    assert_eq!((records[1].id.as_str(), records[1].deleted, records.len()), ("a", true, 2));
    assert!(store.records_of([""]).is_err());
}
