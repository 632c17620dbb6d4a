//! A hash table from id to row, of the same form in memory and in a segment.
//!
//! Open addressing with linear probing over u64 entries: 0 is free, otherwise the upper 32 bits are the upper half
//! of the id's hash and the lower 32 bits the row plus one. The capacity is a power of two of at least 4/3 of the
//! rows. An entry only proposes a row; the caller compares the id itself.

/// Returns the hash of an id (XXH3, 64 bits, seed 0).
pub(crate) fn hash_id(id: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(id.as_bytes())
}

/// Returns the number of entries of a table for `rows` rows.
pub(crate) fn capacity(rows: usize) -> usize {
    (rows + rows / 3 + 1).next_power_of_two()
}

/// Adds `row` under `hash`; the table must have a free entry.
pub(crate) fn insert(table: &mut [u64], hash: u64, row: u32) {
    let mask = table.len() - 1;
    let mut slot = hash as usize & mask;
    while table[slot] != 0 {
        slot = (slot + 1) & mask;
    }
    table[slot] = hash >> 32 << 32 | (u64::from(row) + 1);
}

/// Iterates over the rows that may have the id of this hash. `entry` reads an entry of a table of `capacity`
/// entries, and ends the search by returning `None`.
pub(crate) fn candidates(
    capacity: usize,
    hash: u64,
    mut entry: impl FnMut(usize) -> Option<u64>,
) -> impl Iterator<Item = u32> {
    let mask = capacity - 1;
    let start = hash as usize & mask;
    // A damaged table could lack a free entry: one round is the bound.
    (0..capacity)
        .map_while(move |step| entry((start + step) & mask).filter(|&found| found != 0))
        .filter(move |&found| found >> 32 == hash >> 32)
        .map(|found| (found as u32).wrapping_sub(1))
}
