//! Opens a store, writes three records, searches them, and finds them again after reopening.
//!
//! `cargo run -p vecstore --example quickstart`

use vecstore::{Metadata, Query, VecStore, field};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;

    let store = VecStore::open(directory.path())?;
    // The first record sets the dimension. When `upsert` returns, the record survives a power cut.
    store.upsert("apple", &[0.9, 0.1, 0.0], &Metadata::new().with("kind", "fruit").with("price", 3))?;
    store.upsert("leek", &[0.1, 0.9, 0.0], &Metadata::new().with("kind", "vegetable").with("price", 2))?;
    store.upsert("pear", &[0.8, 0.2, 0.1], &Metadata::new().with("kind", "fruit").with("price", 4))?;

    let query = Query::new([1.0, 0.0, 0.0]).k(2);
    println!("The two nearest to the query:");
    print_neighbors(&store, &query)?;

    println!("The nearest that cost less than 3:");
    print_neighbors(&store, &query.filter(field("price").lt(3)))?;

    // Entries that are not named stay as they were; `update_metadata` would replace them all.
    store.patch_metadata("pear", &Metadata::new().with("price", 1))?;
    println!("Deleted the apple: {}", store.delete("apple")?);

    // Dropping the store closes it, too; `close` reports what went wrong.
    store.close()?;

    let store = VecStore::open(directory.path())?;
    println!("After reopening, {} records:", store.len()?);
    for record in store.iter()? {
        let record = record?;
        println!("  {:5} {:?} {:?}", record.id, record.vector, record.metadata.get("price"));
    }
    Ok(())
}

/// Prints what `store` answers, best first. The default metric is cosine: a score of 1 is the same direction.
fn print_neighbors(store: &VecStore, query: &Query) -> vecstore::Result<()> {
    for neighbor in store.query(query)? {
        let price = neighbor.metadata.as_ref().and_then(|metadata| metadata.get("price")?.as_int());
        println!("  {:5} score {:.3}, price {price:?}", neighbor.id, neighbor.score);
    }
    Ok(())
}
