//! Times of matching, encoding and decoding, and of counting in the columns of a segment: `cargo bench -p vecstore --bench filters`.

use std::hint::black_box;
use std::time::Instant;

use vecstore::metadata::{DocumentRef, decode, encode};
use vecstore::{Batch, Durability, Metadata, Record, Result, Value, VecStore, field};

/// Prints the best time of one call over several rounds.
fn measure(name: &str, call: impl FnMut()) {
    measure_calls(name, 100_000, call);
}

fn measure_calls(name: &str, calls: u32, mut call: impl FnMut()) {
    const ROUNDS: usize = 15;
    let best = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| call());
            start.elapsed() / calls
        })
        .min()
        .unwrap_or_default();
    println!("{name:40} {best:?}");
}

fn product() -> Metadata {
    Metadata::new()
        .with("title", "A short title of a product")
        .with("category", "books")
        .with("price", 12.5)
        .with("stock", 37)
        .with("tags", ["new", "sale", "paper"])
        .with("year", 2021)
}

/// Counts in one segment of 60,000 products.
fn count_in_columns() -> Result<()> {
    const ROWS: usize = 60_000;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = VecStore::options().durability(Durability::None).open(directory.path())?;
    let mut batch = Batch::with_capacity(2, ROWS)?;
    for n in 0..ROWS {
        let metadata = product()
            .with("title", format!("product {n}"))
            .with("category", format!("category {}", n % 58))
            .with("stock", (n * 7_919 % 10_000) as i64);
        batch.push(&Record::new(format!("id-{n}"), [1.0, n as f32]).with_metadata(metadata), None)?;
    }
    store.upsert_many(batch)?;
    store.compact()?;
    for (name, filter) in [
        ("count: category =", field("category").eq("category 7")),
        ("count: stock < (half)", field("stock").lt(5_000)),
        ("count: category = and stock <", field("category").eq("category 7") & field("stock").lt(5_000)),
        ("count: title starts with", field("title").starts_with("product 12")),
    ] {
        assert!(store.count(&filter)? > 0, "{name}");
        measure_calls(name, 1_000, || {
            let _ = black_box(store.count(black_box(&filter)));
        });
    }
    store.close()
}

fn main() -> Result<()> {
    let product = product();
    let bytes = encode(&product)?;
    let document = DocumentRef::new(&bytes)?;
    println!("a document of {} bytes", bytes.len());
    let ids: Vec<Value> = (0..10_000).map(Value::from).collect();
    let nested = Metadata::new().with("a", product.clone()).with("price", 1);
    let nested_bytes = encode(&nested)?;
    let nested_document = DocumentRef::new(&nested_bytes)?;
    for (name, filter, document) in [
        ("match: category = and price <", field("category").eq("books") & field("price").lt(20), document),
        (
            "match: stock between and year >=",
            field("stock").between(1, 50) & field("year").gte(2000),
            document,
        ),
        ("match: tags = third element", field("tags").eq("paper"), document),
        ("match: year in 10,000 ints", field("year").is_in(ids), document),
        ("match: a.year >= (nested)", field("a.year").gte(2000), nested_document),
        ("match: title like %short%", field("title").like("%short%"), document),
        ("match: title regex sh.rt", field("title").regex("sh.rt"), document),
        ("match: title text", field("title").text("product short"), document),
    ] {
        let matcher = filter.compile()?;
        assert!(matcher.matches(document), "{name}");
        measure(name, || {
            black_box(matcher.matches(black_box(document)));
        });
    }
    measure("encode", || {
        let _ = black_box(encode(black_box(&product)));
    });
    measure("decode and drop", || {
        let _ = black_box(decode(black_box(&bytes)));
    });
    let filter = field("category").eq("books") & field("price").lt(20);
    measure("compile", || {
        let _ = black_box(filter.compile());
    });
    for flat in
        [Value::List(vec![Value::Int(1); 1_000]), Value::List(vec![Value::List(vec![Value::Int(1)]); 1_000])]
    {
        let mut copies = vec![flat; 1_000];
        let start = Instant::now();
        copies.clear();
        println!("drop of one of 1,000,000 values           {:?}", start.elapsed() / 1_000_000);
    }
    count_in_columns()?;
    Ok(())
}
