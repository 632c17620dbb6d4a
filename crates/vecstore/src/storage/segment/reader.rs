//! Reading of segments.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use vecstore_interrupt::Interrupt;
use vecstore_kernels::{Kernels, Metric, QueryCodes};

use super::graph::{Layers, Sections};
use super::resident::{Resident, ResidentSigns};
use super::{BLOCK_BYTES, Footer, Kind, MAGIC, TAIL_BYTES};
use crate::codec::Reader;
use crate::error::{Error, Result};
use crate::field_index::{FieldIndex, Source};
use crate::index::{FlatSigns, SignRuns, SignStretch};
use crate::limits::{MAX_DIM, MAX_ID_BYTES};
use crate::query::Scoring;
use crate::storage::body::Body;
use crate::storage::{Uuid, id_index};
use crate::text_index::{TextIndex, TextState};
use crate::vfs::{Mapping, Vfs};

/// The codes of some rows, with what is needed to read them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codes<'a> {
    pub(crate) codes: &'a [i8],
    pub(crate) scales: &'a [f32],
    pub(crate) errors: &'a [f32],
    pub(crate) norms: &'a [f32],
}

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    path: PathBuf,
    pub(super) map: Mapping,
    uuid: Uuid,
    checksum: u64,
    rows: usize,
    dim: usize,
    pub(super) vectors: Range<usize>,
    norms: Option<Range<usize>>,
    pub(super) id_ends: Range<usize>,
    pub(super) ids: Range<usize>,
    pub(super) id_table: Range<usize>,
    pub(super) body_ends: Range<usize>,
    pub(super) bodies: Range<usize>,
    pub(super) expiry: Option<Range<usize>>,
    pub(super) row_sums: Option<Range<usize>>,
    fields: Option<Range<usize>>,
    text: Option<Range<usize>>,
    codes: Option<(Range<usize>, Range<usize>)>,
    pub(super) graph: Option<Sections>,
    /// Everything before the footer.
    data_bytes: usize,
    blocks: Vec<u64>,
    /// One bit a block: it was checked and is right.
    checked: Vec<AtomicU64>,
    sorted: OnceLock<Arc<Vec<u32>>>,
    signs: OnceLock<Option<Box<FlatSigns>>>,
    sign_runs: SignRuns,
    texts: TextState,
    /// Its rows cannot have a graph, as was found when it was written.
    graphless: AtomicBool,
    /// Searches of the graph.
    pub(super) walks: AtomicU32,
    pub(super) resident: OnceLock<Resident>,
    /// Searches of which many rows match, and a walk would not find those that do.
    pub(super) matches_scored: AtomicU32,
    pub(super) sign_rows: OnceLock<ResidentSigns>,
}

impl Segment {
    /// Maps a segment and checks its footer against what the manifest says of it.
    pub(crate) fn open(
        vfs: &dyn Vfs,
        path: &Path,
        uuid: Uuid,
        collection: Uuid,
        checksum: u64,
    ) -> Result<Self> {
        let map = vfs.map(path).map_err(|error| Error::io("map", path, error))?;
        let footer = Self::footer(&map, checksum).map_err(|error| in_file(path, &error))?;
        if footer.uuid != uuid || footer.collection != collection {
            return Err(Error::corrupted(format!(
                "`{}` is another segment than its name says",
                path.display()
            )));
        }
        Self::from_footer(path, map, footer, checksum).map_err(|error| in_file(path, &error))
    }

    pub(super) fn footer(map: &[u8], checksum: u64) -> Result<Footer> {
        let body = map.len().checked_sub(TAIL_BYTES);
        let body = body.ok_or_else(|| Error::corrupted(format!("the file has only {} bytes", map.len())))?;
        let mut tail = Reader::new(&map[body..], "segment tail");
        let (offset, found, zero) = (tail.u64()?, tail.u64()?, tail.u64()?);
        if tail.bytes(8)? != MAGIC || zero != 0 {
            return Err(Error::corrupted("the file does not end as a segment does"));
        }
        let footer = usize::try_from(offset).ok().and_then(|start| map.get(start..body));
        let footer = footer.ok_or_else(|| Error::corrupted("the footer is beyond the file"))?;
        if found != checksum || xxhash_rust::xxh3::xxh3_64(footer) != checksum {
            return Err(Error::corrupted("the footer fails its checksum"));
        }
        Footer::decode(footer, offset)
    }

    pub(super) fn from_footer(path: &Path, map: Mapping, footer: Footer, checksum: u64) -> Result<Self> {
        let find = |kind: Kind| {
            let section = footer.sections.iter().find(|section| section.kind == kind)?;
            Some(section.offset as usize..(section.offset + section.len) as usize)
        };
        let need = |kind| find(kind).ok_or_else(|| Error::corrupted(format!("section {kind:?} is missing")));
        let rows = u32::try_from(footer.rows).map_err(|_| Error::corrupted("too many rows"))? as usize;
        let dim = footer.dim as usize;
        let mut segment = Self {
            path: path.to_owned(),
            uuid: footer.uuid,
            checksum,
            rows,
            dim,
            vectors: need(Kind::Vectors)?,
            norms: find(Kind::Norms),
            id_ends: need(Kind::IdEnds)?,
            ids: need(Kind::Ids)?,
            id_table: need(Kind::IdTable)?,
            body_ends: need(Kind::BodyEnds)?,
            bodies: need(Kind::Bodies)?,
            expiry: find(Kind::Expiry),
            row_sums: find(Kind::RowSums),
            fields: find(Kind::Fields),
            text: find(Kind::Text),
            codes: find(Kind::Codes).zip(find(Kind::Factors)),
            graph: None,
            checked: (0..footer.blocks.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            blocks: footer.blocks,
            data_bytes: footer.offset as usize,
            map,
            sorted: OnceLock::new(),
            signs: OnceLock::new(),
            sign_runs: SignRuns::default(),
            texts: TextState::default(),
            graphless: AtomicBool::new(false),
            walks: AtomicU32::new(0),
            resident: OnceLock::new(),
            matches_scored: AtomicU32::new(0),
            sign_rows: OnceLock::new(),
        };
        let fits = |range: &Range<usize>, width: usize| range.len() == rows * width;
        let right = (1..=MAX_DIM).contains(&dim)
            && fits(&segment.vectors, dim * 4)
            && segment.norms.as_ref().is_none_or(|norms| fits(norms, 4))
            && fits(&segment.id_ends, 8)
            && fits(&segment.body_ends, 8)
            && segment.expiry.as_ref().is_none_or(|expiry| fits(expiry, 8))
            && segment.row_sums.as_ref().is_none_or(|sums| fits(sums, 8))
            && segment.codes.as_ref().is_none_or(|(codes, factors)| fits(codes, dim) && fits(factors, 12))
            && segment.id_table.len() == id_index::capacity(rows) * 8;
        if !right {
            return Err(Error::corrupted("the lengths of the sections do not fit the number of rows"));
        }
        if let Some(head) = find(Kind::GraphHead) {
            let layers = match (find(Kind::GraphBlocks), find(Kind::GraphNibbles), find(Kind::GraphFactors)) {
                (Some(blocks), _, _) => Layers::Blocks(blocks),
                (None, Some(codes), _) => Layers::Nibbles {
                    adjacency: need(Kind::GraphNeighbors)?,
                    row_bytes: codes.len() / rows.max(1),
                    rows: codes,
                },
                (None, None, Some(factors)) if segment.has_codes() => {
                    Layers::Bytes { adjacency: need(Kind::GraphNeighbors)?, factors }
                }
                _ => Layers::Full { adjacency: need(Kind::GraphNeighbors)? },
            };
            segment.graph = Some(Sections::new(head, need(Kind::GraphEntries)?, layers));
        }
        Ok(segment)
    }

    pub(crate) fn uuid(&self) -> Uuid {
        self.uuid
    }

    pub(crate) fn checksum(&self) -> u64 {
        self.checksum
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file_bytes(&self) -> u64 {
        self.map.len() as u64
    }

    /// Returns the bytes of the vectors, ids, metadata and texts.
    pub(crate) fn record_bytes(&self) -> u64 {
        (self.vectors.len() + self.ids.len() + self.bodies.len()) as u64
    }

    /// Notes that the rows cannot have a graph.
    pub(crate) fn give_up_graph(&self) {
        self.graphless.store(true, Ordering::Relaxed);
    }

    /// Returns whether the rows are known to have no graph for a reason that writing them again would not change.
    pub(crate) fn is_graphless(&self) -> bool {
        self.graphless.load(Ordering::Relaxed)
    }

    /// Returns the place for the rows in one bit a component.
    pub(crate) fn signs(&self) -> &OnceLock<Option<Box<FlatSigns>>> {
        &self.signs
    }

    /// Returns some rows in one bit a component; `None` if their metric, or vectors of extreme length, rule it out. Encodes
    /// them the first time, and those about them: 60 bytes a row at 384 components.
    pub(crate) fn signs_of(
        &self,
        scoring: Scoring,
        rows: &Range<usize>,
    ) -> Result<Option<Vec<SignStretch<'_>>>> {
        self.sign_runs.get(self.rows, rows, |run| {
            let vector = |row: usize| self.vector((run.start + row) as u32);
            let Some(space) = scoring.space(self.dim, run.len(), vector)? else { return Ok(None) };
            FlatSigns::encode(scoring.kernels, space, self.dim, run.len(), vector).map(Some)
        })
    }

    /// Returns the place for the rows in order of id.
    pub(crate) fn sorted(&self) -> &OnceLock<Arc<Vec<u32>>> {
        &self.sorted
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// Returns the bytes of a range of the file, all of whose blocks are right.
    pub(super) fn checked(&self, range: Range<usize>) -> Result<&[u8]> {
        if let Some(bytes) = self.resident.get().and_then(|resident| resident.get(&range)) {
            return Ok(bytes);
        }
        self.check(&range)?;
        Ok(&self.map[range])
    }

    /// Returns the bytes of a range of the file, of which only those may be read that were checked.
    pub(super) fn region(&self, range: Range<usize>) -> &[u8] {
        match self.resident.get().and_then(|resident| resident.get(&range)) {
            Some(bytes) => bytes,
            None => &self.map[range],
        }
    }

    /// Returns what searches read all over, as a range of the file without vectors and metadata; `None` if it is none.
    pub(super) fn hot_range(&self) -> Option<Range<usize>> {
        let end = self.ids.end;
        let is_in = |section: &Range<usize>| self.vectors.end <= section.start && section.end <= end;
        let sections =
            [self.codes.as_ref().map(|(codes, _)| codes), self.norms.as_ref(), Some(&self.id_ends)];
        let graph = self.graph.as_ref()?.ranges();
        let all = graph.iter().copied().chain(sections.into_iter().flatten());
        let is_apart = self.bodies.start >= end && self.body_ends.start >= end;
        (is_apart && all.clone().all(is_in)).then_some(())?;
        Some(all.map(|section| section.start).min()?..end)
    }

    /// Fails unless all blocks of a range of the file are right.
    #[inline]
    pub(super) fn check(&self, range: &Range<usize>) -> Result<()> {
        // Never in a build that anybody uses: the bench `checksums` compares with it.
        if cfg!(vecstore_unchecked) {
            return Ok(());
        }
        let (first, last) = (range.start / BLOCK_BYTES, range.end.saturating_sub(1) / BLOCK_BYTES);
        // Most ranges lie within one block.
        let is_right =
            self.is_checked(first) && (first >= last || last == first + 1 && self.is_checked(last));
        if is_right || range.is_empty() { Ok(()) } else { self.check_blocks(first..=last) }
    }

    /// Returns whether a block was checked and is right.
    #[inline]
    fn is_checked(&self, block: usize) -> bool {
        // Relaxed is enough: the bit stands for bytes that never change, not for anything another thread wrote.
        self.checked.get(block / 64).is_some_and(|bits| bits.load(Ordering::Relaxed) >> (block % 64) & 1 == 1)
    }

    #[cold]
    fn check_blocks(&self, blocks: RangeInclusive<usize>) -> Result<()> {
        for block in blocks {
            if !self.is_checked(block) {
                self.check_block(block)?;
                self.checked[block / 64].fetch_or(1 << (block % 64), Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Returns the bytes of a block, right or not.
    pub(super) fn block(&self, block: usize) -> &[u8] {
        let start = block * BLOCK_BYTES;
        // The last block ends where the footer starts; sections never reach beyond it.
        &self.map[start..self.data_bytes.min(start + BLOCK_BYTES)]
    }

    /// Returns the number of bytes before the footer.
    pub(super) fn data_bytes(&self) -> usize {
        self.data_bytes
    }

    #[cold]
    pub(super) fn check_block(&self, block: usize) -> Result<()> {
        let bytes = self.block(block);
        if xxhash_rust::xxh3::xxh3_64(bytes) == self.blocks[block] {
            return Ok(());
        }
        let start = block * BLOCK_BYTES;
        Err(Error::corrupted(format!(
            "`{}` is damaged: block {block} (bytes {start}..{}) fails its checksum",
            self.path.display(),
            start + bytes.len()
        )))
    }

    /// Returns the vectors of rows `rows`, row-major.
    pub(crate) fn vectors(&self, rows: Range<usize>) -> Result<&[f32]> {
        let start = self.vectors.start;
        self.floats(start + rows.start * self.dim * 4..start + rows.end * self.dim * 4)
    }

    /// Returns the vectors of all rows, of which the listed ones are checked: no other may be read. So a search of few
    /// rows need not wait for the checksums of all.
    pub(crate) fn vectors_of(&self, rows: &[u32]) -> Result<&[f32]> {
        for &row in rows {
            self.vector(row)?;
        }
        let all = self.region(self.vectors.clone());
        bytemuck::try_cast_slice(all).map_err(|_| unaligned())
    }

    pub(crate) fn vector(&self, row: u32) -> Result<&[f32]> {
        self.vectors(row as usize..row as usize + 1)
    }

    /// Returns the inverse norms of rows `rows`.
    pub(crate) fn inverse_norms(&self, rows: Range<usize>) -> Result<&[f32]> {
        let norms = self
            .norms
            .as_ref()
            .ok_or_else(|| Error::corrupted("a segment of a cosine collection has no norms"))?;
        self.floats(norms.start + rows.start * 4..norms.start + rows.end * 4)
    }

    /// Returns whether the vectors' inverse norms are there, as they are under cosine.
    pub(crate) fn has_norms(&self) -> bool {
        self.norms.is_some()
    }

    /// Returns whether there are codes.
    pub(crate) fn has_codes(&self) -> bool {
        self.codes.is_some()
    }

    /// Returns the codes of rows `rows`, and their scales, errors and norms.
    pub(crate) fn codes(&self, rows: Range<usize>) -> Result<Codes<'_>> {
        let (codes, factors) = self.codes.as_ref().ok_or_else(no_codes)?;
        let column = |n: usize| {
            let start = factors.start + n * self.rows * 4;
            self.floats(start + rows.start * 4..start + rows.end * 4)
        };
        let bytes = self.checked(codes.start + rows.start * self.dim..codes.start + rows.end * self.dim)?;
        let (scales, errors, norms) = (column(0)?, column(1)?, column(2)?);
        Ok(Codes { codes: bytemuck::cast_slice(bytes), scales, errors, norms })
    }

    /// Returns values that order rows as the distances of their codes from a query do, with the rows.
    pub(crate) fn code_distances(
        &self,
        scoring: Scoring,
        query: &[f32],
        rows: &[u32],
    ) -> Result<Vec<(f32, u32)>> {
        self.check_codes(rows)?;
        let codes = self.all_codes()?;
        let [scales, _, norms] = self.code_factors()?;
        let query = QueryCodes::new(query);
        let mut products = vec![0; rows.len()];
        scoring.kernels.gather_codes(&query, codes, rows, &mut products);
        let unit = query.factors.scale;
        let distance = |(&row, product): (&u32, i32)| {
            let (scale, norm) = (scales[row as usize], norms[row as usize]);
            let product = unit * scale * product as f32;
            let distance = match scoring.metric {
                Metric::Cosine => -product / norm,
                Metric::Euclidean => norm * norm - 2.0 * product,
                _ => -product,
            };
            (distance, row)
        };
        Ok(rows.iter().zip(products).map(distance).collect())
    }

    /// Fails unless the codes of some rows are right.
    pub(super) fn check_codes(&self, rows: &[u32]) -> Result<()> {
        let start = self.codes_start().ok_or_else(no_codes)?;
        rows.iter().try_for_each(|&row| {
            let start = start + row as usize * self.dim;
            self.checked(start..start + self.dim).map(drop)
        })
    }

    /// Returns what is needed to read the codes: scales, errors and norms, each of all rows.
    pub(super) fn factors(&self) -> Result<&[f32]> {
        let (_, factors) = self.codes.as_ref().ok_or_else(no_codes)?;
        self.floats(factors.clone())
    }

    /// Returns the codes of one row.
    pub(super) fn row_codes(&self, row: u32) -> Result<&[i8]> {
        let start = self.codes_start().ok_or_else(no_codes)?;
        let start = start + row as usize * self.dim;
        Ok(bytemuck::cast_slice(self.checked(start..start + self.dim)?))
    }

    /// Returns where the codes of the rows start.
    pub(super) fn codes_start(&self) -> Option<usize> {
        self.codes.as_ref().map(|(codes, _)| codes.start)
    }

    /// Returns the 8-bit codes of all rows, of which only those may be read that were checked.
    pub(super) fn all_codes(&self) -> Result<&[i8]> {
        let (codes, _) = self.codes.as_ref().ok_or_else(no_codes)?;
        Ok(bytemuck::cast_slice(self.region(codes.clone())))
    }

    /// Returns a range of the file, of which only those bytes may be read that were checked.
    pub(super) fn unchecked<T: bytemuck::AnyBitPattern>(&self, range: Range<usize>) -> Result<&[T]> {
        bytemuck::try_cast_slice(self.region(range)).map_err(|_| unaligned())
    }

    /// Returns a range of the file as numbers.
    #[inline]
    pub(super) fn numbers(&self, range: Range<usize>) -> Result<&[u32]> {
        bytemuck::try_cast_slice(self.checked(range)?).map_err(|_| unaligned())
    }

    fn floats(&self, range: Range<usize>) -> Result<&[f32]> {
        bytemuck::try_cast_slice(self.checked(range)?).map_err(|_| unaligned())
    }

    fn u64_at(&self, section: &Range<usize>, n: usize) -> Result<u64> {
        let start = section.start + n * 8;
        let bytes = self.checked(start..start + 8)?;
        bytes.try_into().map(u64::from_le_bytes).map_err(|_| self.malformed("a number is cut short"))
    }

    /// Returns the bytes of item `row` of a column of ends and bytes.
    fn item(&self, ends: &Range<usize>, bytes: &Range<usize>, row: u32) -> Result<&[u8]> {
        let row = row as usize;
        let start = if row == 0 { 0 } else { self.u64_at(ends, row - 1)? };
        let end = self.u64_at(ends, row)?;
        if start > end || end > bytes.len() as u64 {
            return Err(self.malformed("an item is beyond its section"));
        }
        self.checked(bytes.start + start as usize..bytes.start + end as usize)
    }

    pub(super) fn malformed(&self, what: &str) -> Error {
        Error::corrupted(format!("`{}` is malformed: {what}", self.path.display()))
    }

    pub(crate) fn id(&self, row: u32) -> Result<&str> {
        let bytes = self.item(&self.id_ends, &self.ids, row)?;
        std::str::from_utf8(bytes).map_err(|_| self.malformed("an id is not UTF-8"))
    }

    /// Asks the processor for the first components of the vector of a row.
    #[inline]
    pub(super) fn prefetch_vector_start(&self, kernels: Kernels, row: u32) {
        let at = self.vectors.start + row as usize * self.dim * size_of::<f32>();
        kernels.prefetch(self.map.get(at..at + size_of::<f32>()).unwrap_or_default());
    }

    /// Asks the processor for what scoring a row on its vector reads, and for what says where its id is.
    #[inline]
    pub(crate) fn prefetch_row(&self, kernels: Kernels, row: u32) {
        let row = row as usize;
        let prefetch = |section: &Range<usize>, bytes: usize| {
            let at = section.start + row * bytes;
            kernels.prefetch(self.region(at..at + bytes));
        };
        prefetch(&self.vectors, self.dim * size_of::<f32>());
        prefetch(&self.id_ends, size_of::<u64>());
        if let Some(norms) = &self.norms {
            prefetch(norms, size_of::<f32>());
        }
    }

    /// Asks the processor for the id of a row.
    #[inline]
    pub(crate) fn prefetch_id(&self, kernels: Kernels, row: u32) {
        if let Ok(end) = self.u64_at(&self.id_ends, row as usize) {
            let at = self.ids.start.saturating_add(end as usize).min(self.ids.end);
            kernels.prefetch(self.region(at.saturating_sub(1)..at));
        }
    }

    pub(crate) fn body_bytes(&self, row: u32) -> Result<&[u8]> {
        self.item(&self.body_ends, &self.bodies, row)
    }

    pub(crate) fn body(&self, row: u32) -> Result<Body<'_>> {
        Body::decode(self.body_bytes(row)?)
    }

    pub(crate) fn has_expiry(&self) -> bool {
        self.expiry.is_some()
    }

    pub(crate) fn expiry(&self, row: u32) -> Result<u64> {
        self.expiry.as_ref().map_or(Ok(0), |expiry| self.u64_at(expiry, row as usize))
    }

    pub(crate) fn find(&self, id: &str, hash: u64) -> Result<Option<u32>> {
        let mut failure = None;
        let entry = |n| self.u64_at(&self.id_table, n).map_err(|error| failure = Some(error)).ok();
        let mut found = None;
        for row in id_index::candidates(self.id_table.len() / 8, hash, entry) {
            if row as usize >= self.rows {
                return Err(self.malformed("the id table names a row beyond the last"));
            }
            if self.id(row)? == id {
                found = Some(row);
                break;
            }
        }
        failure.map_or(Ok(found), Err)
    }

    /// Returns the columns over the metadata, if the segment has any.
    pub(crate) fn fields(&self) -> Result<Option<FieldIndex<'_>>> {
        let Some(range) = &self.fields else { return Ok(None) };
        FieldIndex::open(self, range.clone(), self.rows).map(Some)
    }

    /// Returns the text index, if the segment has one of its own.
    pub(crate) fn text(&self) -> Result<Option<TextIndex<'_>>> {
        let Some(range) = &self.text else { return Ok(None) };
        TextIndex::open(self, range.clone(), self.rows).map(Some).map_err(|error| in_file(&self.path, &error))
    }

    /// Returns whether the segment has a text index of its own.
    pub(crate) fn has_text(&self) -> bool {
        self.text.is_some()
    }

    /// Returns what is known of the texts beside that.
    pub(crate) fn texts(&self) -> &TextState {
        &self.texts
    }

    fn verify_text(&self) -> Result<()> {
        self.text()?.map_or(Ok(()), |text| text.verify()).map_err(|error| in_file(&self.path, &error))
    }

    fn verify_fields(&self) -> Result<()> {
        self.fields()?.map_or(Ok(()), |fields| fields.verify()).map_err(|error| in_file(&self.path, &error))
    }

    /// Checks every block, and that every row can be read and found by its id. Returns what is wrong. A graph found
    /// damaged is not used any more.
    ///
    /// # Errors
    ///
    /// `Interrupted` if the call was asked to end, and not all was looked at.
    pub(crate) fn verify(&self) -> Result<Vec<Error>> {
        let mut problems = Vec::new();
        for block in self.blocks_until_interrupted() {
            if let Err(error) = self.check_block(block) {
                self.leave_graph_at(block * BLOCK_BYTES..(block + 1) * BLOCK_BYTES);
                problems.push(error);
            }
        }
        if problems.is_empty() {
            problems = self.verify_rows();
        }
        Error::check_interrupt(&Interrupt::current())?;
        Ok(problems)
    }

    /// Returns the numbers of the blocks, up to when the call is asked to end.
    pub(super) fn blocks_until_interrupted(&self) -> impl Iterator<Item = usize> {
        (0..self.blocks.len()).take_while(|_| !vecstore_interrupt::is_requested())
    }

    /// Checks that every row can be read and found by its id, and the columns over the metadata. Ends early if the call is
    /// to.
    pub(super) fn verify_rows(&self) -> Vec<Error> {
        let rows = (0..self.rows as u32).take_while(|_| !vecstore_interrupt::is_requested());
        let rows = rows.filter_map(|row| self.verify_row(row).err());
        rows.chain(self.verify_fields().err()).chain(self.verify_text().err()).collect()
    }

    fn verify_row(&self, row: u32) -> Result<()> {
        let id = self.id(row)?;
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(self.malformed(&format!("the id of row {row} has {} bytes", id.len())));
        }
        if self.find(id, id_index::hash_id(id))? != Some(row) {
            return Err(self.malformed(&format!("row {row} is not found by its id")));
        }
        crate::metadata::decode(self.body(row)?.document)?;
        self.expiry(row).map(drop)
    }
}

impl Source for Segment {
    fn bytes(&self, range: Range<usize>) -> Result<&[u8]> {
        self.checked(range)
    }
}

fn no_codes() -> Error {
    Error::corrupted("the segment has no codes")
}

fn unaligned() -> Error {
    Error::unsupported("the file system maps files at addresses that are no multiple of 4")
}

fn in_file(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("`{}`: {}", path.display(), error.message()))
}
