//! What is left of a damaged segment: flipped bits are put back, and the rows that can still be read are told from
//! those that cannot.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::path::Path;

use super::row_sum::row_sum;
use super::{BLOCK_BYTES, Footer, MAGIC, RowSource, Segment, TAIL_BYTES};
use vecstore_interrupt::Interrupt;

use crate::codec::{Reader, WriteFields};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::MAX_ID_BYTES;
use crate::metadata;
use crate::storage::body::Body;
use crate::storage::flipped_bit::FlippedBits;
use crate::storage::manifest::SegmentEntry;
use crate::storage::{Uuid, id_index};
use crate::vfs::Vfs;

use xxhash_rust::xxh3::xxh3_64;

/// A segment as it was found.
#[derive(Debug)]
pub(crate) struct Remains {
    pub(crate) segment: Segment,
    /// What is wrong; empty if all is well.
    pub(crate) problems: Vec<Error>,
    footer: Footer,
    /// The place and the right bytes of blocks with a bit put back.
    patches: Vec<(usize, Vec<u8>)>,
    footer_restored: bool,
}

impl Remains {
    /// Reads a segment, whole or not. Without the `checksum` that a manifest has of it, its own has to do.
    /// Flipped bits are put back by way of `bits`.
    ///
    /// # Errors
    ///
    /// If the footer is lost: without it nobody knows what is where. `Unsupported` if a newer version wrote it,
    /// `Interrupted` if the call was asked to end.
    pub(crate) fn examine(
        vfs: &dyn Vfs,
        path: &Path,
        (uuid, collection): (Uuid, Uuid),
        checksum: Option<u64>,
        bits: &mut FlippedBits,
    ) -> Result<Self> {
        let map = vfs.map(path).map_err(|error| Error::io("map", path, error))?;
        let mut problems = Vec::new();
        let (footer, found) = match intact_footer(&map, checksum) {
            Ok(footer) => footer,
            Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
            Err(error) => {
                let Some(footer) = restored_footer(&map, (uuid, collection), checksum, bits) else {
                    Error::check_interrupt(&Interrupt::current())?;
                    return Err(Error::corrupted(format!(
                        "`{}` is damaged: {}",
                        path.display(),
                        error.message()
                    )));
                };
                problems.push(error);
                footer
            }
        };
        if footer.uuid != uuid || footer.collection != collection {
            return Err(Error::corrupted(format!(
                "`{}` is another segment than its name says",
                path.display()
            )));
        }
        let segment = Segment::from_footer(path, map, footer.clone(), found)?;
        let footer_restored = !problems.is_empty();
        let mut remains = Self { segment, problems, footer, patches: Vec::new(), footer_restored };
        remains.check_blocks(bits);
        Error::check_interrupt(&Interrupt::current())?;
        Ok(remains)
    }

    fn check_blocks(&mut self, bits: &mut FlippedBits) {
        for block in self.segment.blocks_until_interrupted() {
            let Err(error) = self.segment.check_block(block) else { continue };
            self.problems.push(error);
            let mut bytes = self.segment.block(block).to_vec();
            let sum = self.footer.blocks[block];
            if bits.restore(&mut bytes, |bytes| xxh3_64(bytes) == sum) {
                self.patches.push((block, bytes));
            }
        }
        if self.problems.is_empty() {
            self.problems.extend(self.segment.verify_rows());
        }
    }

    /// Returns what a manifest says of the segment.
    pub(crate) fn entry(&self) -> SegmentEntry {
        let (uuid, rows) = (self.segment.uuid(), self.segment.len() as u64);
        SegmentEntry { uuid, rows, checksum: self.segment.checksum(), marks: None }
    }

    /// Returns whether something was put right, so that more can be read from a copy than from the segment.
    pub(crate) fn is_mended(&self) -> bool {
        self.footer_restored || !self.patches.is_empty()
    }

    /// Writes the segment to another file and syncs it (not its name), with the blocks that were put right. What is
    /// damaged still is damaged in the copy. Returns the checksum of its footer.
    pub(crate) fn copy(&self, vfs: &dyn Vfs, path: &Path, uuid: Uuid) -> Result<u64> {
        let footer = Footer { uuid, ..self.footer.clone() }.encode();
        let checksum = xxh3_64(&footer);
        let write = || {
            let file = vfs.create(path)?;
            for block in self.segment.blocks_until_interrupted() {
                let patch = self.patches.iter().find(|(patched, _)| *patched == block);
                let bytes = patch.map_or(self.segment.block(block), |(_, bytes)| bytes);
                file.write_all_at(&[IoSlice::new(bytes)], (block * BLOCK_BYTES) as u64)?;
            }
            if vecstore_interrupt::is_requested() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let mut end = footer;
            end.put_u64(self.segment.data_bytes() as u64);
            end.put_u64(checksum);
            end.put_u64(0);
            end.put(MAGIC);
            file.write_all_at(&[IoSlice::new(&end)], self.segment.data_bytes() as u64)?;
            file.sync()
        };
        let written = write();
        Error::check_interrupt(&Interrupt::current())?;
        written.map_err(|error| Error::io("write", path, error))?;
        Ok(checksum)
    }
}

/// The rows of a damaged segment that are whole, in ascending order. They can be read as if nothing were wrong.
#[derive(Debug)]
pub(crate) struct SalvagedRows<'a> {
    segment: &'a Segment,
    rows: Vec<u32>,
}

/// A row, read without a look at the checksums of its blocks.
struct RawRow<'a> {
    id: &'a [u8],
    vector: &'a [u8],
    body: &'a [u8],
    expiry: u64,
}

impl Segment {
    fn raw(&self, range: Range<usize>) -> Result<&[u8]> {
        self.map.get(range).ok_or_else(|| self.malformed("a row is beyond the file"))
    }

    fn raw_u64(&self, section: &Range<usize>, n: usize) -> Result<u64> {
        let start = section.start + n * 8;
        Reader::new(self.raw(start..start + 8)?, "segment").u64()
    }

    fn raw_item(&self, ends: &Range<usize>, bytes: &Range<usize>, row: usize) -> Result<&[u8]> {
        let start = if row == 0 { 0 } else { self.raw_u64(ends, row - 1)? };
        let end = self.raw_u64(ends, row)?;
        if start > end || end > bytes.len() as u64 {
            return Err(self.malformed("an item is beyond its section"));
        }
        self.raw(bytes.start + start as usize..bytes.start + end as usize)
    }

    fn raw_row(&self, row: u32) -> Result<RawRow<'_>> {
        let row = row as usize;
        let width = self.dim() * 4;
        let start = self.vectors.start + row * width;
        Ok(RawRow {
            id: self.raw_item(&self.id_ends, &self.ids, row)?,
            vector: self.raw(start..start + width)?,
            body: self.raw_item(&self.body_ends, &self.bodies, row)?,
            expiry: self.expiry.as_ref().map_or(Ok(0), |expiry| self.raw_u64(expiry, row))?,
        })
    }

    /// Returns the id of a row that is not whole, if the table of ids says that it is right.
    pub(crate) fn id_of_lost(&self, row: u32) -> Option<&str> {
        let id = std::str::from_utf8(self.raw_row(row).ok()?.id).ok()?;
        let entry = |n| self.raw_u64(&self.id_table, n).ok();
        let mut rows = id_index::candidates(self.id_table.len() / 8, id_index::hash_id(id), entry);
        rows.any(|candidate| candidate == row).then_some(id)
    }

    /// Returns whether everything that makes a record can be trusted: by the checksum of the row or, in a segment that
    /// has none, by those of all its blocks.
    pub(crate) fn is_whole(&self, row: u32) -> bool {
        let by_sum = || -> Result<bool> {
            let Some(sums) = &self.row_sums else { return Ok(false) };
            let raw = self.raw_row(row)?;
            Ok(row_sum(raw.id, raw.vector, raw.body, raw.expiry) == self.raw_u64(sums, row as usize)?)
        };
        let by_blocks = || -> Result<bool> {
            self.vector(row)?;
            self.body_bytes(row)?;
            self.expiry(row)?;
            self.id(row).map(|_| true)
        };
        let is_sound = || -> Result<bool> {
            let raw = self.raw_row(row)?;
            metadata::decode(Body::decode(raw.body)?.document)?;
            Ok((1..=MAX_ID_BYTES).contains(&raw.id.len()) && std::str::from_utf8(raw.id).is_ok())
        };
        (by_sum().unwrap_or(false) || by_blocks().unwrap_or(false)) && is_sound().unwrap_or(false)
    }
}

impl<'a> SalvagedRows<'a> {
    /// Takes rows all of which are whole.
    pub(crate) fn new(segment: &'a Segment, rows: Vec<u32>) -> Self {
        Self { segment, rows }
    }
}

impl RowSource for SalvagedRows<'_> {
    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn dim(&self) -> usize {
        self.segment.dim()
    }

    fn vector(&self, row: usize) -> Result<&[f32]> {
        let unaligned =
            |_| Error::unsupported("the file system maps files at addresses that are no multiple of 4");
        bytemuck::try_cast_slice(self.segment.raw_row(self.rows[row])?.vector).map_err(unaligned)
    }

    fn id(&self, row: usize) -> Result<&str> {
        let id = std::str::from_utf8(self.segment.raw_row(self.rows[row])?.id);
        id.map_err(|_| self.segment.malformed("an id is not UTF-8"))
    }

    fn body_bytes(&self, row: usize) -> Result<&[u8]> {
        Ok(self.segment.raw_row(self.rows[row])?.body)
    }

    fn expiry(&self, row: usize) -> Result<u64> {
        Ok(self.segment.raw_row(self.rows[row])?.expiry)
    }
}

fn intact_footer(map: &[u8], checksum: Option<u64>) -> Result<(Footer, u64)> {
    let own = || {
        let body = map.len().checked_sub(TAIL_BYTES)?;
        map[body + 8..].first_chunk::<8>().map(|sum| u64::from_le_bytes(*sum))
    };
    let checksum = checksum.or_else(own).unwrap_or_default();
    Segment::footer(map, checksum).map(|footer| (footer, checksum))
}

/// Finds the footer by the identities that it starts with, and puts back a bit that flipped in it.
fn restored_footer(
    map: &[u8],
    (uuid, collection): (Uuid, Uuid),
    checksum: Option<u64>,
    bits: &mut FlippedBits,
) -> Option<(Footer, u64)> {
    let body = map.len().checked_sub(TAIL_BYTES)?;
    let own = u64::from_le_bytes(*map[body + 8..].first_chunk::<8>()?);
    let checksum = checksum.unwrap_or(own);
    let told = u64::from_le_bytes(*map[body..].first_chunk::<8>()?);
    let has = |start: usize, uuid: Uuid, at: usize| map.get(start + at..start + at + 16) == Some(&uuid.0[..]);
    // A flipped bit leaves one of the two identities, or the place that the tail tells, as it was.
    let is_likely =
        |start: &usize| *start as u64 == told || has(*start, uuid, 8) || has(*start, collection, 24);
    let starts = (0..body).step_by(super::SECTION_ALIGN as usize).rev();
    for start in starts.filter(is_likely).take(FOOTERS_TRIED) {
        let mut bytes = map[start..body].to_vec();
        let is_right = |bytes: &[u8]| xxh3_64(bytes) == checksum;
        if (is_right(&bytes) || bits.restore(&mut bytes, is_right))
            && let Ok(footer) = Footer::decode(&bytes, start as u64)
        {
            return Some((footer, checksum));
        }
    }
    None
}

/// Bytes that look like the start of a footer and are none are rare.
const FOOTERS_TRIED: usize = 8;
