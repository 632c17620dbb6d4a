use std::collections::BTreeSet;

use vecstore::{ErrorKind, GroupQuery, Include, Metadata, Metric, Value, VecStore};

use super::world::{DIM, METRICS, World};

/// Returns the values that a record is grouped by.
fn values(metadata: &Metadata, by: &str) -> Vec<String> {
    let shown = |value: &Value| match value {
        Value::Int(value) => value.to_string(),
        Value::Str(value) => value.clone(),
        other => panic!("{other:?}"),
    };
    let values: BTreeSet<String> = match metadata.get(by) {
        Some(Value::List(values)) => values.iter().map(shown).collect(),
        Some(value) => [shown(value)].into(),
        None => BTreeSet::new(),
    };
    values.into_iter().collect()
}

#[test]
fn groups_are_full_even_where_one_has_most_records() {
    for metric in METRICS {
        let mut world = World::new(metric, 6);
        for by in ["group", "tags"] {
            for filter in world.filters() {
                for (groups, size) in [(1, 1), (3, 2), (10, 3), (10, 1000)] {
                    let vector = world.rng.vector(DIM);
                    let query = GroupQuery::new(vector.clone(), by).groups(groups).group_size(size);
                    let found = world.store.group_query(&query.filter(filter.clone()).exact(true)).unwrap();
                    let ranked = world.ranked(filter.as_ref(), |record| world.score(&vector, &record.vector));
                    let mut expected: Vec<(String, Vec<&str>)> = Vec::new();
                    for (id, _) in &ranked {
                        for value in values(&world.records[id].metadata, by) {
                            match expected.iter_mut().find(|(other, _)| *other == value) {
                                Some((_, ids)) => ids.push(id),
                                None => expected.push((value, vec![id])),
                            }
                        }
                    }
                    let what = format!("{metric} {by} {groups} {size} {filter:?}");
                    assert_eq!(found.len(), groups.min(expected.len()), "{what}");
                    // Of elements of one list, which are as good, any may come first.
                    let mut left = expected;
                    for group in found {
                        let name = match &group.value {
                            Value::Int(value) => value.to_string(),
                            value => value.as_str().unwrap().to_owned(),
                        };
                        let at = left.iter().position(|(other, _)| *other == name).unwrap();
                        let (_, expected) = left.remove(at);
                        let got = group.hits.to_neighbors(Include::default()).unwrap();
                        let got: Vec<&str> = got.iter().map(|neighbor| neighbor.id.as_str()).collect();
                        assert_eq!(got, expected[..size.min(expected.len())], "{what} {name}");
                    }
                }
            }
        }
    }
}

#[test]
fn values_are_the_same_by_value() {
    let store = VecStore::options().open_in_memory().unwrap();
    for (id, value) in [
        ("int", Value::from(1)),
        ("float", Value::from(1.0)),
        ("bool", Value::from(true)),
        ("text", Value::from("1")),
        ("null", Value::Null),
        ("nan", Value::from(f64::NAN)),
        ("map", Value::from(Metadata::new())),
        ("list", Value::from([Value::from(1), Value::from("1"), Value::from(1)])),
    ] {
        store.upsert(id, &[1.0, 0.5], &Metadata::from([("v", value)])).unwrap();
    }
    store.upsert("none", &[1.0, 0.5], &Metadata::new()).unwrap();
    let groups = store.group_query(&GroupQuery::new([1.0, 0.5], "v").group_size(9)).unwrap();
    let mut members: Vec<Vec<String>> = groups
        .iter()
        .map(|group| group.hits.iter().map(|hit| hit.id().unwrap().to_owned()).collect())
        .collect();
    members.sort();
    let expected: [&[&str]; 3] = [&["bool"], &["float", "int", "list"], &["list", "text"]];
    assert_eq!(members, expected.map(<[&str]>::to_vec));
}

#[test]
fn bad_arguments_are_refused() {
    let world = World::new(Metric::Cosine, 7);
    let query = GroupQuery::new([1.0; DIM], "group");
    for (query, expected) in [
        (query.clone().groups(0), "groups"),
        (query.clone().group_size(0), "group_size"),
        (query.clone().offset(1), "offset"),
        (GroupQuery::new([1.0; DIM], ""), "by"),
    ] {
        let error = world.store.group_query(&query).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().contains(expected), "{error}");
    }
}
