//! What keywords ask for.

use super::{add, ids, in_memory};
use vecstore::{ErrorKind, Highlight, Record, SparseVector, TextQuery, VecStore};

fn shelf() -> VecStore {
    let store = in_memory();
    add(&store, "a", "new york solar panels");
    add(&store, "b", "york is new to me, new and old");
    add(&store, "c", "solar power in new jersey");
    add(&store, "d", "panel of experts");
    store
}

fn found(store: &VecStore, keywords: &str) -> Vec<String> {
    let mut found: Vec<String> =
        store.text_query(&TextQuery::new(keywords)).unwrap().into_iter().map(|hit| hit.id).collect();
    found.sort();
    found
}

#[test]
fn words_may_must_and_must_not_be_there() {
    for compacted in [false, true] {
        let store = shelf();
        if compacted {
            store.compact().unwrap();
        }
        assert_eq!(found(&store, "york jersey"), ["a", "b", "c"]);
        assert_eq!(found(&store, "+new york"), ["a", "b", "c"]);
        assert_eq!(found(&store, "+new +york"), ["a", "b"]);
        assert_eq!(found(&store, "new -york"), ["c"]);
        assert_eq!(found(&store, "\"new york\""), ["a"]);
        assert_eq!(found(&store, "\"york new\""), [""; 0]);
        assert_eq!(found(&store, "new -\"new york\""), ["b", "c"]);
        assert_eq!(found(&store, "panel*"), ["a", "d"]);
        assert_eq!(found(&store, "+panel* solar"), ["a", "d"]);
        assert_eq!(found(&store, "new -pan*"), ["b", "c"]);
        assert_eq!(found(&store, "+missing new"), [""; 0]);
        assert_eq!(found(&store, "-new"), [""; 0]);
        assert_eq!(found(&store, ""), [""; 0]);
        assert_eq!(found(&store, "+ - \" *"), [""; 0]);
    }
}

#[test]
fn a_megabyte_of_keywords_is_refused_and_64_kib_are_not() {
    let store = shelf();
    let error = store.text_query(&TextQuery::new("new ".repeat(1 << 18))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("65536 bytes, got 1048576"), "{error}");
    let many: String = (0..8000).map(|n| format!("w{n} ")).collect();
    assert_eq!(found(&store, &(many + " york")), ["a", "b"]);
}

#[test]
fn fields_of_the_metadata_are_searched_with_boosts() {
    let store = VecStore::options().text_fields(["title", "tags"]).open_in_memory().unwrap();
    let record = |id: &str, title: &str, text: &str| {
        let tags = vecstore::Value::List(vec!["red tag".into(), 7.into()]);
        Record::new(id, [1.0, 2.0]).with_metadata([("title", title.into()), ("tags", tags)]).with_text(text)
    };
    store.upsert_record(&record("a", "wind power", "about something else"), None).unwrap();
    store.upsert_record(&record("b", "something else", "about wind power"), None).unwrap();
    let query = |query: TextQuery| store.text_query(&query).unwrap();
    assert_eq!(ids(&query(TextQuery::new("wind").boost("title", 5.0))), ["a", "b"]);
    assert_eq!(ids(&query(TextQuery::new("wind").boost("text", 5.0))), ["b", "a"]);
    assert_eq!(ids(&query(TextQuery::new("wind").boost("title", 0.0))), ["b"]);
    assert_eq!(ids(&query(TextQuery::new("+tag \"wind power\" -\"about wind\""))), ["a"]);
    let once = query(TextQuery::new("wind").boost("text", 0.0))[0].score;
    let twice = query(TextQuery::new("wind").boost("text", 0.0).boost("title", 2.0))[0].score;
    assert!((twice - 2.0 * once).abs() < 1e-6);
    let error = store.text_query(&TextQuery::new("wind").boost("name", 1.0)).unwrap_err();
    assert!(error.message().contains("`name`: the store has text, title, tags"), "{error}");
    let error = store.text_query(&TextQuery::new("wind").boost("text", f32::NAN)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_word_that_occurs_twice_counts_twice() {
    let store = shelf();
    let score = |keywords: &str| store.text_query(&TextQuery::new(keywords)).unwrap()[0].score;
    assert!((score("jersey jersey") - 2.0 * score("jersey")).abs() < 1e-6);
}

#[test]
fn replaced_and_deleted_texts_do_not_count_any_more() {
    let (store, fresh) = (shelf(), in_memory());
    for n in 0..40 {
        add(&store, "x", &format!("new text number {n}"));
        add(&store, "y", "solar solar solar");
    }
    store.delete("y").unwrap();
    store.compact().unwrap();
    add(&store, "x", "york");
    store.delete("b").unwrap();
    for (id, text) in [
        ("a", "new york solar panels"),
        ("c", "solar power in new jersey"),
        ("d", "panel of experts"),
        ("x", "york"),
    ] {
        add(&fresh, id, text);
    }
    let query = TextQuery::new("new york solar experts");
    assert_eq!(store.text_query(&query).unwrap(), fresh.text_query(&query).unwrap());
}

#[test]
fn sparse_vectors_are_checked() {
    let message = |pairs: &[(u32, f32)]| SparseVector::new(pairs.iter().copied()).unwrap_err().to_string();
    assert!(message(&[(3, 1.0), (1, 2.0), (3, 1.0)]).contains("expected each index once, got 3 twice"));
    assert!(message(&[(3, f32::NAN)]).contains("finite weight for index 3, got NaN"));
    let all = (0..70_000).map(|n| (n, 1.0));
    assert!(SparseVector::new(all).unwrap_err().message().contains("65536"));
    assert_eq!(SparseVector::new([(9, 1.0), (1, 2.0)]).unwrap().components(), [(1, 2.0), (9, 1.0)]);
}

#[test]
fn highlights_go_by_the_analyzer() {
    let store = VecStore::options().analyzer("english".parse().unwrap()).open_in_memory().unwrap();
    let shown = store.highlight("panel -solar", "Solar panels on roofs", &Highlight::default()).unwrap();
    assert_eq!(shown, ["Solar <b>panels</b> on roofs"]);
}

#[test]
fn scores_below_the_least_are_left_out_and_pages_follow_each_other() {
    let store = shelf();
    let all = store.text_query(&TextQuery::new("new solar york")).unwrap();
    let page = store.text_query(&TextQuery::new("new solar york").k(1).offset(1)).unwrap();
    assert_eq!(page, all[1..2]);
    let good = store.text_query(&TextQuery::new("new solar york").min_score(all[1].score)).unwrap();
    assert_eq!(good, all[..2]);
    assert_eq!(store.text_query(&TextQuery::new("new").k(0)).unwrap_err().kind(), ErrorKind::InvalidInput);
}
