//! Distinct byte strings, numbered in the order they came.

/// Strings in one run of bytes, found through a table of open addressing.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    /// The number of a string plus 1, or 0; at most half full.
    table: Vec<u32>,
}

impl Interner {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the bytes of the strings.
    pub(crate) fn text_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + 4 * (self.ends.capacity() + self.table.len())
    }

    pub(crate) fn get(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start as usize..self.ends[number] as usize]
    }

    /// Returns the number of a string, if it is there.
    pub(crate) fn find(&self, text: &[u8]) -> Option<u32> {
        if self.table.is_empty() {
            return None;
        }
        match self.table[self.slot(text)] {
            0 => None,
            found => Some(found - 1),
        }
    }

    /// Returns the number of a string, a new one if need be. The caller keeps all strings under 4 GiB.
    pub(crate) fn intern(&mut self, text: &[u8]) -> u32 {
        if self.ends.len() * 2 >= self.table.len() {
            self.grow();
        }
        let slot = self.slot(text);
        if self.table[slot] != 0 {
            return self.table[slot] - 1;
        }
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        self.table[slot] = self.ends.len() as u32;
        self.table[slot] - 1
    }

    /// Returns the place of a string in the table, or the free one where it belongs.
    fn slot(&self, text: &[u8]) -> usize {
        let mask = self.table.len() - 1;
        let mut slot = xxhash_rust::xxh3::xxh3_64(text) as usize & mask;
        while self.table[slot] != 0 && self.get(self.table[slot] - 1) != text {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.table = vec![0; (self.table.len() * 2).max(16)];
        let mask = self.table.len() - 1;
        for number in 0..self.ends.len() as u32 {
            let mut slot = xxhash_rust::xxh3::xxh3_64(self.get(number)) as usize & mask;
            while self.table[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.table[slot] = number + 1;
        }
    }
}
