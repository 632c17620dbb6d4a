//! What records look like in memory and on disk. Nothing here knows of threads, snapshots or queries.

pub(crate) mod body;
pub(crate) mod flipped_bit;
pub(crate) mod id_index;
pub(crate) mod manifest;
pub(crate) mod marks;
pub(crate) mod row_set;
pub(crate) mod rows;
pub(crate) mod segment;
pub(crate) mod settings;
pub(crate) mod wal;

/// The largest lsn, generation or sequence number that is read: anything above is forged.
pub(crate) const NUMBER_MAX: u64 = 1 << 62;

/// The identity of a file or collection: 128 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Uuid(pub(crate) [u8; 16]);

impl std::fmt::Display for Uuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Uuid {
    /// Reads what `Display` writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        for (n, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}
