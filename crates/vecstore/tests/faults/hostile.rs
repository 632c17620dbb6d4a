//! Files that somebody made up, with checksums that hold: typed errors, no panic, no large allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use vecstore::{
    Durability, Error, ErrorKind, HybridQuery, Query, Record, SparseQuery, SparseVector, TextQuery, VecStore,
};
use vecstore_testkit::{FaultVfs, Rng};

use crate::rot::{Sample, sample};
use crate::script::DIM;
use crate::subject::{PATH, open, options, read};

/// No file of the sample has as much as this.
const ALLOCATION_BYTES_MAX: usize = 32 << 20;

/// Larger ones fail, so that a test that provokes one ends before the machine does.
const ALLOCATION_BYTES_REFUSED: usize = 1 << 33;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

/// Notes the largest allocation of a thread.
struct Watched;

// SAFETY: every call is passed on to the system's allocator as it is, or fails.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        if layout.size() > ALLOCATION_BYTES_REFUSED {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(new_size);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, new_size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watched = Watched;

fn note(bytes: usize) {
    // A thread that is ending has no cell any more, and nothing to note.
    _ = LARGEST.try_with(|largest| largest.set(largest.get().max(bytes)));
}

/// Does everything with a store that its files allow.
fn use_it(disk: &FaultVfs, read_only: bool) -> Result<(), Error> {
    let store: VecStore = options(disk, Durability::Commit).read_only(read_only).open(PATH)?;
    _ = store.verify();
    _ = store.stats();
    _ = store.get("old-1");
    _ = read(&store);
    _ = store.query(&Query::new([0.5; DIM]).k(5));
    _ = store.text_query(&TextQuery::new("a +red text* -none"));
    _ = store.text_query(&TextQuery::new("\"a red\""));
    _ = store.sparse_query(&SparseQuery::new(SparseVector::new([(2, 1.0), (3, 1.0)])?));
    _ = store.hybrid_query(&HybridQuery::new([0.5; DIM], "red"));
    if !read_only {
        _ = store.upsert_record(&Record::new("new", [0.5; DIM]), None);
        _ = store.delete("old-2");
        _ = store.compact();
    }
    store.close()
}

#[derive(Debug, Default)]
struct Tally {
    tried: usize,
    refused: usize,
    failures: Vec<String>,
}

impl Tally {
    fn try_out(&mut self, disk: &FaultVfs, what: &dyn Fn() -> String) {
        for read_only in [true, false] {
            let disk = disk.fork();
            LARGEST.set(0);
            self.tried += 1;
            match panic::catch_unwind(AssertUnwindSafe(|| use_it(&disk, read_only))) {
                Ok(outcome) => self.refused += usize::from(outcome.is_err()),
                Err(_) => self.failures.push(format!("{}: panicked, see above", what())),
            }
            if LARGEST.get() > ALLOCATION_BYTES_MAX {
                self.failures.push(format!("{}: allocated {} bytes at once", what(), LARGEST.get()));
            }
        }
    }

    fn report(&self) {
        println!("{} tried, {} refused", self.tried, self.refused);
        let shown: Vec<&String> = self.failures.iter().take(30).collect();
        assert!(self.failures.is_empty(), "{} of {} failed: {shown:#?}", self.failures.len(), self.tried);
    }
}

fn xxh3(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

pub(crate) fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

pub(crate) fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

pub(crate) fn find(disk: &FaultVfs, part: &str) -> Vec<PathBuf> {
    let paths = disk.files().into_iter().map(|(path, _)| path);
    paths.filter(|path| path.to_string_lossy().contains(part)).collect()
}

fn newest_manifest(disk: &FaultVfs) -> PathBuf {
    find(disk, "manifest-").pop().unwrap()
}

/// Writes a manifest as the only one, its checksum right.
fn put_manifest(disk: &FaultVfs, path: &Path, bytes: &mut [u8]) {
    let end = bytes.len() - 8;
    let sum = xxh3(&bytes[..end]);
    put_u64(bytes, end, sum);
    for other in find(disk, "manifest-").iter().filter(|other| *other != path) {
        vecstore::vfs::Vfs::remove_file(disk, other).unwrap();
    }
    disk.write(path, bytes).unwrap();
}

/// Puts a new checksum where the manifest has an old one.
fn replace_checksum(disk: &FaultVfs, old: u64, new: u64) {
    let path = newest_manifest(disk);
    let mut bytes = disk.read(&path).unwrap();
    let at = bytes.windows(8).position(|window| window == old.to_le_bytes()).unwrap();
    put_u64(&mut bytes, at, new);
    put_manifest(disk, &path, &mut bytes);
}

/// Makes the checksums of a segment right, and that of the manifest.
pub(crate) fn put_segment(disk: &FaultVfs, path: &Path, bytes: &mut [u8]) {
    let tail = bytes.len() - 32;
    let footer = u64_at(bytes, tail) as usize;
    let old = u64_at(bytes, tail + 8);
    let blocks = footer.div_ceil(64 << 10);
    for block in 0..blocks {
        let start = block * (64 << 10);
        let sum = xxh3(&bytes[start..footer.min(start + (64 << 10))]);
        put_u64(bytes, tail - (blocks - block) * 8, sum);
    }
    let sum = xxh3(&bytes[footer..tail]);
    put_u64(bytes, tail + 8, sum);
    disk.write(path, bytes).unwrap();
    replace_checksum(disk, old, sum);
}

pub(crate) fn put_marks(disk: &FaultVfs, path: &Path, bytes: &mut [u8]) {
    let end = bytes.len() - 8;
    let (old, new) = (u64_at(bytes, end), xxh3(&bytes[..end]));
    put_u64(bytes, end, new);
    disk.write(path, bytes).unwrap();
    replace_checksum(disk, old, new);
}

/// Makes the checksums of a log right: of the header, and of each frame as far as the lengths lead.
fn put_log(disk: &FaultVfs, path: &Path, bytes: &mut [u8]) {
    let sum = crc32c::crc32c(&bytes[..60]);
    put_u32(bytes, 60, sum);
    let seed = crc32c::crc32c(&bytes[16..32]);
    let mut at = 64;
    while at + 32 <= bytes.len() && matches!(bytes[at + 24], 1 | 2) {
        let len = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        if let Some(payload) = bytes.get(at + 32..at + 32 + len) {
            let sum = crc32c::crc32c(payload);
            put_u32(bytes, at + 4, sum);
        }
        let sum = crc32c::crc32c_append(seed, &bytes[at..at + 28]);
        put_u32(bytes, at + 28, sum);
        at += 32 + len.next_multiple_of(8);
    }
    disk.write(path, bytes).unwrap();
}

/// Overwrites the bytes at every place by each of some values, and tries the result out.
fn overwrite_everywhere(
    sample: &Sample,
    path: &Path,
    places: impl Iterator<Item = usize>,
    put: impl Fn(&FaultVfs, &Path, &mut [u8]),
) {
    let original = sample.disk.read(path).unwrap();
    let values: [&[u8]; 7] = [
        &[0xff; 8],
        &[0xff; 4],
        &[0; 8],
        &[0xff, 0xff, 0xff, 0x7f],
        &[0, 0, 0, 0x80],
        &[1, 0, 0, 0],
        &[0xfe; 8],
    ];
    let mut tally = Tally::default();
    for at in places {
        for value in values {
            if at + value.len() > original.len() {
                continue;
            }
            let mut bytes = original.clone();
            bytes[at..at + value.len()].copy_from_slice(value);
            let disk = sample.disk.fork();
            put(&disk, path, &mut bytes);
            tally.try_out(&disk, &|| format!("{value:?} at {at} of {}", path.display()));
        }
    }
    println!("{}", path.display());
    tally.report();
}

#[test]
fn a_forged_manifest_is_refused_or_harmless() {
    let sample = sample(true);
    let path = newest_manifest(&sample.disk);
    let len = sample.disk.read(&path).unwrap().len();
    overwrite_everywhere(&sample, &path, 0..len - 8, put_manifest);
}

#[test]
fn a_forged_log_is_refused_or_harmless() {
    let sample = sample(true);
    let path = find(&sample.disk, ".log").pop().unwrap();
    overwrite_everywhere(&sample, &path, (0..420).chain((420..1500).step_by(13)), put_log);
}

#[test]
fn a_forged_footer_of_a_segment_is_refused_or_harmless() {
    let sample = sample(true);
    let path = find(&sample.disk, ".seg").pop().unwrap();
    let bytes = sample.disk.read(&path).unwrap();
    let footer = u64_at(&bytes, bytes.len() - 32) as usize;
    let blocks = footer.div_ceil(64 << 10) * 8;
    // Behind the sections are only checksums, which are put right.
    overwrite_everywhere(&sample, &path, footer..bytes.len() - 32 - blocks, put_segment);
}

#[test]
fn a_forged_section_of_a_segment_is_refused_or_harmless() {
    let sample = sample(true);
    let path = find(&sample.disk, ".seg").pop().unwrap();
    let bytes = sample.disk.read(&path).unwrap();
    let footer = u64_at(&bytes, bytes.len() - 32) as usize;
    overwrite_everywhere(&sample, &path, (0..footer).step_by(7), put_segment);
}

#[test]
fn forged_marks_are_refused_or_harmless() {
    let sample = sample(true);
    let path = find(&sample.disk, ".del").pop().unwrap();
    let len = sample.disk.read(&path).unwrap().len();
    overwrite_everywhere(&sample, &path, (0..80).chain((80..len - 8).step_by(97)), put_marks);
}

/// The names are right, the contents are noise, or noise behind a right beginning.
#[test]
fn noise_in_place_of_any_file_is_refused() {
    let sample = sample(true);
    let mut rng = Rng::new(9);
    let mut tally = Tally::default();
    for (path, len) in sample.disk.files() {
        for kept in [0, 8, 16, 64, 200] {
            for noise in [0, 1, 40, 5_000] {
                let mut bytes = sample.disk.read(&path).unwrap();
                bytes.truncate(kept.min(len) as usize);
                bytes.extend((0..noise).map(|_| rng.next_u64() as u8));
                let disk = sample.disk.fork();
                disk.write(&path, &bytes).unwrap();
                tally
                    .try_out(&disk, &|| format!("{kept} bytes kept, {noise} of noise in {}", path.display()));
            }
        }
    }
    tally.report();
}

/// Names that parse as those of files but with numbers at their limits, or not as the engine writes them.
#[test]
fn forged_names_are_refused_or_ignored() {
    let sample = sample(true);
    let mut tally = Tally::default();
    let log = find(&sample.disk, ".log").pop().unwrap();
    let directory = log.parent().unwrap();
    let manifest = newest_manifest(&sample.disk);
    let numbers =
        ["18446744073709551615", "18446744073709551614", "+5", "0", "5", "99999999999999999999999", "-1"];
    for number in numbers {
        for copy in [true, false] {
            let forged = directory.join(format!("wal-{number}.log"));
            let disk = sample.disk.fork();
            disk.write(&forged, &if copy { disk.read(&log).unwrap() } else { Vec::new() }).unwrap();
            tally.try_out(&disk, &|| format!("{}", forged.display()));
            let forged = Path::new(PATH).join(format!("manifest-{number}"));
            let disk = sample.disk.fork();
            let mut bytes = disk.read(&manifest).unwrap();
            if copy && let Ok(generation) = number.parse() {
                put_u64(&mut bytes, 32, generation);
                put_manifest(&disk, &forged, &mut bytes);
            } else {
                disk.write(&forged, &[]).unwrap();
            }
            tally.try_out(&disk, &|| format!("{}", forged.display()));
        }
    }
    tally.report();
}

/// A log of a store that was not closed, whose numbers are at their limits.
#[test]
fn a_log_with_forged_numbers_is_refused_or_harmless() {
    let vfs = FaultVfs::new();
    let store = open(&vfs, Durability::Commit).unwrap();
    for n in 0..3 {
        store.upsert_record(&Record::new(format!("old-{n}"), [0.5; DIM]), None).unwrap();
    }
    let disk = vfs.fork();
    let path = find(&disk, ".log").pop().unwrap();
    let original = disk.read(&path).unwrap();
    let mut tally = Tally::default();
    for first in [0, 1, 2, u64::MAX - 1, u64::MAX] {
        for durable in [0, 1, u64::MAX] {
            for calls in 0..4 {
                let mut bytes = original.clone();
                put_u64(&mut bytes, 48, first);
                let mut at = 64;
                for n in 0..calls {
                    put_u64(&mut bytes, at + 8, first.wrapping_add(n));
                    put_u64(&mut bytes, at + 16, durable);
                    let len = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
                    at += 32 + len.next_multiple_of(8);
                }
                // What comes next is no call, but says something of the last.
                put_u64(&mut bytes, at + 8, first.wrapping_add(calls).wrapping_sub(1));
                put_u64(&mut bytes, at + 16, durable);
                bytes[at + 24] = 2;
                let forged = disk.fork();
                put_log(&forged, &path, &mut bytes);
                tally.try_out(&forged, &|| format!("{calls} calls from {first}, durable to {durable}"));
            }
        }
    }
    tally.report();
}

/// A sparse file takes no space on disk; its length must not decide how much memory is asked for.
#[test]
fn a_log_longer_than_any_can_be_is_refused() {
    let sample = sample(true);
    let path = find(&sample.disk, ".log").pop().unwrap();
    for read_only in [true, false] {
        let disk = sample.disk.fork();
        disk.truncate(&path, 1 << 40).unwrap();
        assert_eq!(use_it(&disk, read_only).unwrap_err().kind(), ErrorKind::Corrupted);
    }
}

#[test]
fn the_sample_is_sound() {
    let sample = sample(true);
    assert!(read(&open(&sample.disk, Durability::Commit).unwrap()).unwrap() == sample.expected);
}
