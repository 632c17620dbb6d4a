use proptest::collection::vec;
use proptest::prelude::*;

use super::{Caps, encoded, write, write_chosen};
use crate::field_index::{Choice, FieldChoices, FieldIndex, FieldKind};
use crate::filter::tests::strategies::{document, filter, leaf_condition};
use crate::filter::{Filter, field};
use crate::metadata::{DocumentRef, Metadata, Value};

fn caps() -> impl Strategy<Value = Caps> {
    let all = Just(Caps::new(0));
    let some = (1usize..12, 1usize..4, 1usize..4, 0usize..12, 1usize..20, 0usize..40, 0usize..2_000)
        .prop_map(|(paths, path_bytes, path_dots, value_bytes, row_values, text_bytes, writer_bytes)| Caps {
            paths,
            path_bytes,
            path_dots,
            value_bytes,
            row_values,
            text_bytes,
            writer_bytes,
        });
    let one = (0..7, 1usize..12).prop_map(|(which, cap)| {
        let mut caps = Caps::new(0);
        *[
            &mut caps.paths,
            &mut caps.path_bytes,
            &mut caps.path_dots,
            &mut caps.value_bytes,
            &mut caps.row_values,
            &mut caps.text_bytes,
            &mut caps.writer_bytes,
        ][which as usize] = cap;
        caps
    });
    prop_oneof![2 => all, 1 => some, 1 => one]
}

/// Paths with an index that was asked for or dropped.
fn choices() -> impl Strategy<Value = FieldChoices> {
    let path =
        prop::sample::select(vec!["a", "b", "c", "a.b", "a.b.c", "c.lat", "a.0", "missing", "missing.too"]);
    let asked = prop::sample::select(FieldKind::ALL.to_vec()).prop_map(Choice::Asked);
    let choice = prop_oneof![3 => asked, 1 => Just(Choice::Dropped)];
    prop_oneof![
        1 => Just(Vec::new()),
        2 => vec((path, choice), 1..5),
    ]
    .prop_map(|chosen| {
        let mut choices = FieldChoices::default();
        chosen.into_iter().for_each(|(path, choice)| choices.set(path, choice).unwrap());
        choices
    })
}

/// Documents, some of them many times over, so that values become dense.
fn documents() -> impl Strategy<Value = Vec<Metadata>> {
    let few = vec(document(), 1..24);
    let many =
        (vec(document(), 1..6), vec(any::<prop::sample::Index>(), 0..400)).prop_map(|(kinds, picks)| {
            let picked: Vec<Metadata> = picks.iter().map(|pick| pick.get(&kinds).clone()).collect();
            kinds.iter().cloned().chain(picked).collect()
        });
    prop_oneof![3 => few, 1 => many]
}

/// Compares everything a plan says with what the documents say.
fn check(index: &FieldIndex<'_>, filter: &Filter, documents: &[Vec<u8>]) -> Result<(), TestCaseError> {
    let matcher = filter.compile()?;
    let matches = |row: u32| matcher.matches(DocumentRef::new(&documents[row as usize]).expect("encoded"));
    let rows = documents.len() as u32;
    let expected: Vec<u32> = (0..rows).filter(|&row| matches(row)).collect();
    let plan = index.plan(&matcher)?;
    let selection = plan.select()?;
    let all: Vec<u32> = selection.rows.iter().collect();
    prop_assert!(all.is_sorted_by(|a, b| a < b) && all.last().is_none_or(|&row| row < rows));
    prop_assert_eq!(all.len(), selection.cardinality());
    let undecided: Vec<u32> = selection.undecided.iter().collect();
    prop_assert!(undecided.iter().all(|row| selection.rows.contains(*row)));
    prop_assert_eq!(selection.is_exact(), undecided.is_empty());
    let decided: Vec<u32> =
        all.iter().copied().filter(|&row| !selection.undecided.contains(row) || matches(row)).collect();
    prop_assert_eq!(&decided, &expected, "selected {:?}, undecided {:?}", all, undecided);
    let cardinality = plan.cardinality()?;
    prop_assert!(
        (cardinality.at_least..=cardinality.at_most).contains(&expected.len()),
        "{:?}, got {}",
        cardinality,
        expected.len()
    );
    let filter = plan.row_filter()?;
    for row in 0..rows {
        let passes = filter.matches(row);
        prop_assert!(passes || !matches(row), "row {}", row);
        prop_assert!(!filter.is_exact() || passes == matches(row), "row {}", row);
    }
    filter.matches(rows + 64); // of no meaning, but no harm either
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn selections_are_what_the_documents_say(
        documents in documents(),
        filters in vec(filter(), 8),
        caps in caps(),
        choices in choices(),
    ) {
        let documents = encoded(&documents);
        let bytes = write_chosen(&documents, caps, &choices);
        let index = bytes.index(documents.len())?;
        index.verify()?;
        prop_assert!(index.honors(&choices)?);
        for filter in &filters {
            check(&index, filter, &documents)?;
            check(&index, &!filter.clone(), &documents)?;
        }
    }

    #[test]
    fn every_condition_selects_what_the_documents_say(
        documents in documents(),
        conditions in vec(leaf_condition(), 12),
        caps in caps(),
        choices in choices(),
    ) {
        let documents = encoded(&documents);
        let bytes = write_chosen(&documents, caps, &choices);
        let index = bytes.index(documents.len())?;
        for condition in conditions {
            for path in ["a", "b", "a.b", "a.0", "c.lat"] {
                let filter = Filter::Field { path: path.to_owned(), condition: condition.clone() };
                check(&index, &filter, &documents)?;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn conditions_on_one_path_select_together_what_the_documents_say(
        documents in documents(),
        conditions in vec(leaf_condition(), 2..5),
        path in prop::sample::select(vec!["a", "b", "a.b"]),
        caps in caps(),
    ) {
        let documents = encoded(&documents);
        let bytes = write(&documents, caps);
        let index = bytes.index(documents.len())?;
        let of = |condition| Filter::Field { path: path.to_owned(), condition };
        let all = conditions.into_iter().map(of).reduce(|a, b| a & b).expect("there are two");
        check(&index, &all, &documents)?;
        check(&index, &!all, &documents)?;
    }
}

#[test]
fn how_many_rows_lie_between_two_bounds_is_known() {
    let documents = encoded(&rule(6_000));
    let bytes = write(&documents, Caps::new(documents.len()));
    let index = bytes.index(documents.len()).unwrap();
    for (filter, rows) in [
        (field("n").gte(300) & field("n").lt(330), 10),
        (field("n").gt(300) & field("n").lte(330) & field("n").lt(312), 3),
        (field("n").gt(330) & field("n").lt(300), 0),
        (field("float").gte(1) & field("float").lt(1.5), 12),
        (field("name").gte("name 1") & field("name").lt("name 2") & field("n").lt(0), 0),
    ] {
        let plan = index.plan(&filter.compile().unwrap()).unwrap();
        assert_eq!(plan.cardinality().unwrap().exact(), Some(rows), "{filter:?}");
        check(&index, &filter, &documents).unwrap();
    }
}

/// Rows from a rule, so many that every form of row set and every width occurs.
fn rule(rows: u32) -> Vec<Metadata> {
    let document = |row: u32| {
        let mut document = Metadata::new()
            .with("n", i64::from(row) * 3)
            .with("float", f64::from(row % 1_000) / 4.0)
            .with("kind", ["x", "y", "z"][row as usize % 3])
            .with("name", format!("name {}", row.wrapping_mul(2_654_435_761)))
            .with("group", i64::from(row % 300));
        if row.is_multiple_of(10) {
            document.insert("sparse", Value::Int(i64::from(row / 10)));
        }
        if !row.is_multiple_of(1_000) {
            document.insert("mostly", Value::Bool(row % 7 < 3));
        }
        if row.is_multiple_of(2) {
            document.insert("tags", Value::from([i64::from(row % 5), i64::from(row % 7), 2]));
        }
        document
    };
    (0..rows).map(document).collect()
}

#[test]
fn large_segments_select_what_the_documents_say() {
    for rows in [63, 64, 65, 6_000, 70_000] {
        let documents = encoded(&rule(rows));
        let bytes = write(&documents, Caps::new(documents.len()));
        let index = bytes.index(documents.len()).unwrap();
        index.verify().unwrap();
        let half = i64::from(rows) * 3 / 2;
        for filter in [
            field("n").lt(half),
            field("n").between(half, half + 60),
            field("n").gte(half) & field("kind").eq("y"),
            field("kind").ne("x"),
            field("kind").is_in(["x", "z", "missing"]),
            field("float").gt(100) & field("float").lte(200.25),
            field("name").starts_with("name 1"),
            field("name").regex("7$"),
            field("name").eq("name 0"),
            field("group").eq(7),
            field("group").is_in([7, 8, 9, 250]) & field("mostly").eq(true) & field("n").lt(half),
            field("sparse").gte(3),
            field("sparse").exists(false),
            field("sparse").eq(Value::Null),
            field("mostly").exists(true),
            field("mostly").eq(false) | field("tags").eq(3),
            field("tags").contains(2) & !field("tags").contains(4),
            field("tags").contains_all([2, 6]),
            field("tags").size(3),
            field("tags").eq(2),
            !(field("n").lt(half) | field("kind").eq("z")),
        ] {
            check(&index, &filter, &documents).unwrap();
            let plan = index.plan(&filter.compile().unwrap()).unwrap();
            assert!(plan.select().unwrap().is_exact(), "{filter:?}");
        }
    }
}

#[test]
fn the_same_documents_make_the_same_bytes() {
    let documents = encoded(&rule(2_000));
    assert!(write(&documents, Caps::new(2_000)).0 == write(&documents, Caps::new(2_000)).0);
}

#[test]
fn paths_into_lists_and_documents_that_cannot_be_read_are_left_to_the_documents() {
    let mut documents = encoded(&[
        Metadata::new().with("a", [1, 2]),
        Metadata::new().with("a", 1),
        Metadata::new().with("a.0", 1),
        Metadata::new().with("a", Metadata::new().with("0", 1)).with("a.0", 2),
    ]);
    documents.push(vec![1, 1, b'a']);
    let bytes = write(&documents, Caps::new(5));
    let index = bytes.index(5).unwrap();
    let selection = index.plan(&field("a.0").eq(1).compile().unwrap()).unwrap().select().unwrap();
    assert_eq!(selection.rows.iter().collect::<Vec<_>>(), [0, 2, 3, 4]);
    assert_eq!(selection.undecided.iter().collect::<Vec<_>>(), [0, 3, 4]);
}
