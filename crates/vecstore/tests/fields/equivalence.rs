//! Random writes, choices of indexes, seals, merges and reopenings: every answer is the one that reading all records gives.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use vecstore::{
    DateTime, Facet, FieldKind, Filter, Metadata, OrderBy, Record, ScrollRequest, Value, VecStore, field,
};

use super::support::{store, store_at};

/// A reproducible source of choices.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }
}

const PATHS: [&str; 7] = ["n", "s", "mixed", "tags", "m.x", "missing", "tags.0"];

fn scalar(random: &mut Random) -> Value {
    let small = random.below(6) as i64;
    match random.below(12) {
        0 => Value::Null,
        1 => Value::Bool(small % 2 == 0),
        2 | 3 => Value::Int(small - 2),
        4 | 5 => Value::Float(small as f64 / 2.0),
        6 => Value::Float(f64::NAN),
        7 => Value::Bytes(vec![small as u8]),
        8 => Value::DateTime(DateTime::new(small * 1_000_000, 3_600).unwrap()),
        9 => Value::from("long ".repeat(60 + small as usize)),
        _ => Value::from(["a", "ab", "b", "", "1970-01-01T00:00:02Z", "\u{e9}"][small as usize]),
    }
}

fn metadata(random: &mut Random) -> Metadata {
    let mut metadata = Metadata::new();
    if random.below(4) > 0 {
        let n = random.below(8) as i64;
        metadata.insert("n", if n % 3 == 0 { Value::Float(n as f64) } else { Value::Int(n) });
    }
    if random.below(4) > 0 {
        metadata.insert("s", Value::from(random.pick(&["red", "green", "blue", "rouge"])));
    }
    if random.below(3) > 0 {
        metadata.insert("mixed", scalar(random));
    }
    if random.below(3) > 0 {
        let items: Vec<Value> = (0..random.below(4))
            .map(|_| match random.below(8) {
                0 => Value::List(vec![scalar(random)]),
                1 => Value::from(Metadata::new().with("k", random.below(2) as i64)),
                _ => scalar(random),
            })
            .collect();
        metadata.insert("tags", Value::List(items));
    }
    match random.below(6) {
        0 => metadata.insert("m", Value::from(Metadata::new().with("x", scalar(random)))),
        1 => metadata.insert("m.x", scalar(random)),
        2 => metadata.insert("m", scalar(random)),
        _ => None,
    };
    metadata
}

fn condition(random: &mut Random) -> Filter {
    let path = random.pick(&PATHS);
    let operand = loop {
        let operand = scalar(random);
        if !operand.is_null() && !matches!(operand, Value::Bool(_)) {
            break operand;
        }
    };
    match random.below(9) {
        0 => field(path).eq(scalar(random)),
        1 => field(path).gte(operand),
        2 => field(path).lt(operand),
        3 => field(path).gt(0) & field(path).lte(3),
        4 => field(path).exists(random.below(2) == 0),
        5 => field(path).is_in([scalar(random), scalar(random)]),
        6 => field(path).contains(scalar(random)),
        7 => !field(path).starts_with("a"),
        _ => field(path).regex("^[a-r]"),
    }
}

/// What a value is ordered by: type first.
fn rank(value: &Value) -> Option<u8> {
    match value {
        Value::Bool(value) => Some(u8::from(*value)),
        Value::Int(_) => Some(2),
        Value::Float(number) => (!number.is_nan()).then_some(2),
        Value::DateTime(_) => Some(3),
        Value::Str(_) => Some(4),
        Value::Bytes(_) => Some(5),
        Value::Null | Value::List(_) | Value::Map(_) => None,
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        _ => 0.0,
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.unix_micros().cmp(&b.unix_micros()),
        _ => number(a).partial_cmp(&number(b)).unwrap(),
    })
}

fn at<'a>(metadata: &'a Metadata, path: &str) -> Option<&'a Value> {
    if let Some(value) = metadata.get(path) {
        return Some(value);
    }
    let (head, rest) = path.split_once('.')?;
    match metadata.get(head)? {
        Value::Map(map) => at(map, rest),
        Value::List(items) => items.get(rest.parse::<usize>().ok()?),
        _ => None,
    }
}

/// The key that equal values share.
fn key(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "0".to_owned(),
        Value::Bool(value) => format!("1{value}"),
        Value::Int(_) | Value::Float(_) => {
            rank(value)?;
            format!("2{}", number(value) + 0.0)
        }
        Value::DateTime(time) => format!("3{}", time.unix_micros()),
        Value::Str(text) => format!("4{text}"),
        Value::Bytes(bytes) => format!("5{bytes:?}"),
        Value::List(items) => {
            format!("6{:?}", items.iter().map(|item| key(item).unwrap_or_default()).collect::<Vec<_>>())
        }
        Value::Map(map) => {
            let mut entries: Vec<(String, String)> =
                map.iter().map(|(name, value)| (name.to_owned(), key(value).unwrap_or_default())).collect();
            entries.sort();
            format!("7{entries:?}")
        }
    })
}

fn counts(records: &[&Record], path: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        let mut keys: Vec<String> = match at(&record.metadata, path) {
            None => continue,
            Some(Value::List(items)) => items.iter().filter_map(key).collect(),
            Some(value) => key(value).into_iter().collect(),
        };
        keys.sort();
        keys.dedup();
        keys.into_iter().for_each(|key| *counts.entry(key).or_default() += 1);
    }
    counts
}

fn check(store: &VecStore, model: &BTreeMap<String, Record>, random: &mut Random) {
    let filter = match random.below(4) {
        0 => Filter::default(),
        1 => condition(random) & condition(random),
        2 => condition(random) | condition(random),
        _ => condition(random),
    };
    let matcher = filter.compile().unwrap();
    let matches = |record: &Record| {
        let document = vecstore::metadata::encode(&record.metadata).unwrap();
        matcher.matches(vecstore::metadata::DocumentRef::new(&document).unwrap())
    };
    let matching: Vec<&Record> = model.values().filter(|record| matches(record)).collect();
    assert_eq!(store.count(&filter).unwrap(), matching.len(), "{filter:?}");

    let path = random.pick(&PATHS);
    let expected = counts(&matching, path);
    let facets = store.facets(path, Some(&filter), None).unwrap();
    let found: BTreeMap<String, usize> =
        facets.iter().map(|facet| (key(&facet.value).unwrap(), facet.count)).collect();
    assert_eq!(found, expected, "{path} {filter:?}");
    assert_eq!(found.len(), facets.len());
    assert!(facets.is_sorted_by_key(|facet| std::cmp::Reverse(facet.count)), "{facets:?}");
    let some: Vec<Facet> = store.facets(path, Some(&filter), Some(3)).unwrap();
    assert_eq!(format!("{some:?}"), format!("{:?}", &facets[..facets.len().min(3)]));
    let distinct = store.distinct(path, Some(&filter)).unwrap();
    let keys: Vec<String> = distinct.iter().map(|value| key(value).unwrap()).collect();
    let mut sorted = keys.clone();
    sorted.sort();
    assert_eq!(sorted, expected.into_keys().collect::<Vec<_>>());
    assert!(keys.is_sorted_by_key(|key| key.as_bytes()[0]), "{keys:?}");

    let descending = random.below(2) == 0;
    let place = |record: &Record| at(&record.metadata, path).filter(|value| rank(value).is_some()).cloned();
    let mut ordered: Vec<(Option<Value>, String)> =
        matching.iter().map(|record| (place(record), record.id.clone())).collect();
    ordered.sort_by(|(a, a_id), (b, b_id)| {
        let values = match (a, b) {
            (Some(a), Some(b)) if descending => order(b, a),
            (Some(a), Some(b)) => order(a, b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        };
        values.then_with(|| a_id.cmp(b_id))
    });
    let order = if descending { OrderBy::descending(path) } else { OrderBy::ascending(path) };
    let request = ScrollRequest::new().filter(filter).order_by(order).vectors(false);
    let all: Vec<String> = store.records(&request).unwrap().map(|record| record.unwrap().id).collect();
    let expected: Vec<String> = ordered.into_iter().map(|(_, id)| id).collect();
    assert_eq!(all, expected, "{path} {descending}");
    let (mut listed, mut cursor) = (Vec::new(), None);
    let limit = 1 + random.below(20) as usize;
    loop {
        let page = store.scroll(&request.clone().limit(limit).after(cursor)).unwrap();
        assert!(page.records.len() <= limit);
        listed.extend(page.records.into_iter().map(|record| record.id));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(listed, expected, "{path} {descending} {limit}");
}

fn run(seed: u64, directory: Option<&std::path::Path>) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let open = || directory.map_or_else(store, store_at);
    let mut store = open();
    let mut model: BTreeMap<String, Record> = BTreeMap::new();
    for _ in 0..40 {
        let id = format!("id-{:03}", random.below(120));
        match random.below(16) {
            0..=5 => {
                for _ in 0..random.below(25) {
                    let id = format!("id-{:03}", random.below(120));
                    let record =
                        Record::new(&*id, [1.0, random.below(9) as f32]).with_metadata(metadata(&mut random));
                    if random.below(12) == 0 {
                        store.upsert_record(&record, Some(Duration::ZERO)).unwrap();
                        model.remove(&id);
                    } else {
                        store.upsert_record(&record, None).unwrap();
                        model.insert(id, record);
                    }
                }
            }
            6 => assert!(store.delete(&id).unwrap() || !model.contains_key(&id)),
            7 => _ = store.soft_delete(&id).unwrap(),
            8 => {
                let filter = condition(&mut random) & field("s").eq("red");
                let before = store.count(&filter).unwrap();
                assert_eq!(store.delete_where(&filter).unwrap(), before);
                let matcher = filter.compile().unwrap();
                model.retain(|_, record| {
                    let document = vecstore::metadata::encode(&record.metadata).unwrap();
                    !matcher.matches(vecstore::metadata::DocumentRef::new(&document).unwrap())
                });
                continue;
            }
            9 | 10 => store.create_index(random.pick(&PATHS), random.pick(&FieldKind::ALL)).unwrap(),
            11 => _ = store.drop_index(random.pick(&PATHS)).unwrap(),
            12 | 13 => store.seal().unwrap(),
            14 => _ = store.compact().unwrap(),
            _ if directory.is_some() => {
                store.close().unwrap();
                store = open();
            }
            _ => {}
        }
        if !store.contains(&id).unwrap() {
            model.remove(&id);
        }
        check(&store, &model, &mut random);
    }
    store.compact().unwrap();
    check(&store, &model, &mut random);
    assert!(store.verify().unwrap().is_ok());
}

#[test]
fn answers_are_the_same_whatever_is_indexed_and_whatever_happened_to_the_files() {
    (0..60).for_each(|seed| run(seed, None));
}

#[test]
fn answers_are_the_same_after_reopening() {
    for seed in 1_000..1_002 {
        let directory = tempfile::tempdir().unwrap();
        run(seed, Some(directory.path()));
    }
}
