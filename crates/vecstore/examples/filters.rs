//! Writes one filter in three spellings, counts with filters, searches under one, and deletes by one.
//!
//! `cargo run -p vecstore --example filters`

use vecstore::{Batch, Filter, Metadata, Query, Record, Value, VecStore, field};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let store = VecStore::open(directory.path())?;
    store.upsert_many(books()?)?;

    // 1. The builder, checked by the compiler.
    let built = field("year").gte(1960) & field("tags").contains("space");

    // 2. A string, for filters that people type. Values that come from outside are bound, never pasted in.
    let parameters = Metadata::new().with("year", 1960);
    let parsed = Filter::parse("year >= :year AND tags CONTAINS 'space'", &parameters)?;

    // 3. A Mongo-style document, for filters that programs pass around.
    let document = Metadata::new()
        .with("year", Metadata::new().with("$gte", 1960))
        .with("tags", Metadata::new().with("$contains", "space"));
    let read = Filter::from_value(&Value::from(document))?;

    assert_eq!(built, parsed);
    assert_eq!(built, read);
    println!("About space, since 1960: {} of {} book(s)", store.count(&built)?, store.len()?);

    // A search under a filter returns the nearest that match: k of them, or all if there are fewer.
    for neighbor in store.query(&Query::new([1.0, 0.2]).k(10).filter(built))? {
        println!("  {:12} score {:.3}", neighbor.id, neighbor.score);
    }

    // Logic is two-valued: a field that is missing equals null, and `ne` is true for records that lack the field.
    for text in
        ["rating = 5", "rating != 5", "rating IS NULL", "NOT rating > 3", "author.name LIKE '%Le Guin'"]
    {
        println!("{text:28} {} book(s)", store.count(&Filter::parse(text, &Metadata::new())?)?);
    }

    // What cannot be meant is an error that says where, not an empty answer.
    if let Err(error) = Filter::parse("year >= 1960 AND", &Metadata::new()) {
        println!("refused: {error}");
    }

    // One atomic call: after a crash all of them are gone, or none.
    let deleted = store.delete_where(&field("year").lt(1960))?;
    println!("Deleted {deleted} book(s) of before 1960, {} left", store.len()?);
    Ok(())
}

fn books() -> vecstore::Result<Batch> {
    let book = |id: &str, vector: [f32; 2], year: i32, author: &str, tags: &[&str]| {
        let tags: Vec<Value> = tags.iter().map(|&tag| tag.into()).collect();
        Record::new(id, vector).with_metadata([
            ("year", year.into()),
            ("author", Metadata::new().with("name", author).into()),
            ("tags", tags.into()),
        ])
    };
    let mut rated = book("solaris", [0.9, 0.3], 1961, "Stanislaw Lem", &["space", "ocean"]);
    rated.metadata.insert("rating", 5);
    let mut batch = Batch::new(2)?;
    batch.push(&rated, None)?;
    batch.push(&book("dune", [0.8, 0.6], 1965, "Frank Herbert", &["space", "desert"]), None)?;
    batch.push(&book("earthsea", [0.1, 0.9], 1968, "Ursula K. Le Guin", &["magic", "ocean"]), None)?;
    batch.push(&book("foundation", [1.0, 0.1], 1951, "Isaac Asimov", &["space"]), None)?;
    batch.push(&book("left-hand", [0.7, 0.4], 1969, "Ursula K. Le Guin", &["space", "ice"]), None)?;
    Ok(batch)
}
