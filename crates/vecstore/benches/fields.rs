//! Times of field indexes at a million rows in one segment: filters to row sets, counts, facets, pages in an order, and what it
//! takes to create and drop an index. `cargo bench -p vecstore --bench fields`, with `ROWS=62000` for another size, and
//! `STORE=directory` to keep the store for the next time, which then leaves out what changes it.
//!
//! The metric is one without a graph, so that making the segment takes seconds. A count needs the rows themselves where a row
//! was deleted: so the second round times the filters to row sets, and the first what is told by counts alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use vecstore::{
    Batch, DateTime, Durability, FieldKind, Metadata, Metric, OrderBy, Record, Result, ScrollRequest, Value,
    VecStore, field,
};

fn best(calls: u32, mut call: impl FnMut()) -> Duration {
    const ROUNDS: usize = 7;
    call();
    let round = |_| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed() / calls
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

fn once<T>(name: &str, call: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let value = call()?;
    println!("{name:56} {:>12.2?}", start.elapsed());
    Ok(value)
}

fn product(n: usize) -> Metadata {
    let mixed = n.wrapping_mul(0x9e37_79b9) >> 7;
    Metadata::new()
        .with("category", format!("category {}", mixed % 20))
        .with("brand", format!("brand {}", mixed % 2_000))
        .with("price", (mixed % 100_000) as f64 / 100.0)
        .with("stock", (mixed % 1_000) as i64)
        .with("name", format!("product {mixed:09} {n}"))
        .with("active", !mixed.is_multiple_of(10))
        .with("tags", [format!("t{}", mixed % 7), format!("t{}", mixed % 31)])
        .with(
            "added",
            Value::DateTime(DateTime::new((mixed % 31_536_000) as i64 * 1_000_000, 0).expect("a time")),
        )
}

fn filters(store: &VecStore) -> Result<()> {
    let year = |day: i64| Value::DateTime(DateTime::new(day * 86_400_000_000, 0).expect("a time"));
    for (name, filter) in [
        ("category = (1 in 20)", field("category").eq("category 7")),
        ("brand = (1 in 2,000)", field("brand").eq("brand 77")),
        ("name = (one row)", field("name").eq("product 000000000 0")),
        ("active = true (9 in 10)", field("active").eq(true)),
        ("tags = (1 in 6)", field("tags").eq("t3")),
        ("category != ", field("category").ne("category 7")),
        ("price < 500 (half)", field("price").lt(500)),
        ("price 100..110 (1 in 100), two comparisons", field("price").gte(100) & field("price").lt(110)),
        ("stock between 100 and 600 (half)", field("stock").between(100, 600)),
        ("added in a quarter", field("added").gte(year(90)) & field("added").lt(year(180))),
        (
            "AND of three: category, price half, active",
            field("category").eq("category 7") & field("price").lt(500) & field("active").eq(true),
        ),
        (
            "AND of three: active, price half, stock half",
            field("active").eq(true) & field("price").lt(500) & field("stock").lt(500),
        ),
        ("OR of two", field("category").eq("category 7") | field("stock").lt(100)),
        ("name starts with (1 in 100)", field("name").starts_with("product 00")),
    ] {
        let count = store.count(&filter)?;
        let time = best(10, || _ = black_box(store.count(black_box(&filter))));
        println!("  {name:54} {time:>12.2?}  {count:>8} rows");
    }
    Ok(())
}

fn fill(store: &VecStore, rows: usize) -> Result<()> {
    once(&format!("upsert {rows} rows"), || {
        for start in (0..rows).step_by(50_000) {
            let end = rows.min(start + 50_000);
            let mut batch = Batch::with_capacity(2, end - start)?;
            for n in start..end {
                let record = Record::new(format!("id-{n:08}"), [1.0, n as f32]).with_metadata(product(n));
                batch.push(&record, None)?;
            }
            store.upsert_many(batch)?;
        }
        Ok(())
    })?;
    once("merge into one segment", || store.compact()).map(drop)
}

fn main() -> Result<()> {
    let rows: usize = std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let temporary = tempfile::tempdir().expect("a temporary directory");
    let kept = std::env::var_os("STORE").map(std::path::PathBuf::from);
    let options =
        VecStore::options().durability(Durability::None).metric(Metric::Manhattan).background(false);
    let store = options.open(kept.as_deref().unwrap_or(temporary.path()))?;
    if store.is_empty()? {
        fill(&store, rows)?;
    }
    let bytes: u64 = once("list_indexes", || store.list_indexes())?.iter().map(|index| index.bytes).sum();
    println!("{:56} {:>12.1} bytes a row", "columns", bytes as f64 / rows as f64);
    println!("count, nothing deleted");
    filters(&store)?;
    once("facets(category)", || store.facets("category", None, None))?;
    once("facets(name), as many values as rows, the first 10", || store.facets("name", None, Some(10)))?;
    let half = field("price").lt(500);
    once("facets(category) of half", || store.facets("category", Some(&half), None))?;
    once("facets(tags) of half", || store.facets("tags", Some(&half), None))?;
    once("distinct(brand)", || store.distinct("brand", None))?;
    let bounds: Vec<Option<Value>> = (0..=10).map(|n| Some(Value::Int(n * 100))).collect();
    once("range_facets(price) of 10", || store.range_facets("price", None, &bounds))?;
    for (name, order, filter) in [
        ("price", OrderBy::ascending("price"), None),
        ("-added", OrderBy::descending("added"), None),
        ("category, ties of 50,000", OrderBy::ascending("category"), None),
        ("price, where brand =", OrderBy::ascending("price"), Some(field("brand").eq("brand 77"))),
        ("price, where active", OrderBy::ascending("price"), Some(field("active").eq(true))),
    ] {
        let request = ScrollRequest::new().order_by(order).filter(filter).vectors(false);
        once(&format!("first page of 100 by {name}"), || store.scroll(&request))?;
        let time = best(3, || _ = black_box(store.scroll(&request)));
        println!("  again {time:>60.2?}");
    }
    once("delete one record", || store.delete("id-00000001"))?;
    println!("count, with a deleted row: filter to rows");
    filters(&store)?;
    if kept.is_some() {
        return Ok(());
    }
    once("drop_index(name)", || store.drop_index("name"))?;
    once("create_index(name)", || store.create_index("name", FieldKind::Keyword))?;
    once("delete_where of half", || store.delete_where(&field("stock").lt(500)))?;
    Ok(())
}
