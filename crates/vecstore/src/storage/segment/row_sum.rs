//! The checksum of one row, by which repair tells the whole rows of a damaged block from the others.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Returns the checksum of everything that makes a record: XXH3-64 of the id, then with that as the seed of the vector,
/// and so on of the body and of the eight bytes of the expiry.
pub(super) fn row_sum(id: &[u8], vector: &[u8], body: &[u8], expiry: u64) -> u64 {
    let expiry = expiry.to_le_bytes();
    [id, vector, body, &expiry[..]].into_iter().fold(0, |sum, bytes| xxh3_64_with_seed(bytes, sum))
}
