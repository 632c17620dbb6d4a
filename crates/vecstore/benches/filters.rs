//! Times of matching, encoding and decoding: `cargo bench -p vecstore --bench filters`.

use std::hint::black_box;
use std::time::Instant;

use vecstore::metadata::{DocumentRef, decode, encode};
use vecstore::{Metadata, Result, Value, field};

/// Prints the best time of one call over several rounds.
fn measure(name: &str, mut call: impl FnMut()) {
    const ROUNDS: usize = 15;
    const CALLS: u32 = 100_000;
    let best = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..CALLS).for_each(|_| call());
            start.elapsed() / CALLS
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
    Ok(())
}
