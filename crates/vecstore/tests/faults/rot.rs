//! Bits rot, files are cut, swapped, replaced by older ones and lost: a typed error or the right answer, never a
//! wrong one, and never a panic.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use vecstore::{Durability, Error, ErrorKind, Record, SparseVector, Value, VecStore};
use vecstore_testkit::{CrashMode, FaultVfs, Rng};

use crate::script::{DIM, record};
use crate::soak::count;
use crate::subject::{PATH, check_answers, open, options, read};

/// A store with all kinds of files, its records, and the disk as it was at an earlier moment.
pub(crate) struct Sample {
    pub(crate) disk: FaultVfs,
    pub(crate) expected: BTreeMap<String, Record>,
    earlier: FaultVfs,
}

impl Sample {
    /// Reads the records as they were at the earlier moment.
    pub(crate) fn earlier_records(&self) -> BTreeMap<String, Record> {
        read(&open(&self.earlier.fork(), Durability::Commit).unwrap()).unwrap()
    }
}

/// Makes a store of two segments, marks for the older one with dead and hidden rows, and a log with calls in it.
pub(crate) fn sample(closed: bool) -> Sample {
    sample_with(closed, 0)
}

/// As [`sample`], with so many bytes more in each record.
fn sample_with(closed: bool, more_bytes: usize) -> Sample {
    let vfs = FaultVfs::new();
    let mut rng = Rng::new(5);
    let small = |rng: &mut Rng, id: String| {
        let mut record = record(rng, DIM);
        (record.id, record.text) = (id, Some("a red text".to_owned()));
        if more_bytes > 0 {
            let bytes: Vec<u8> = (0..more_bytes).map(|_| rng.next_u64() as u8).collect();
            record.metadata.insert("more", Value::Bytes(bytes));
        }
        record.sparse = Some(SparseVector::new([(2, 0.5), (3, 1.0)]).unwrap());
        record
    };
    let store = open(&vfs, Durability::Commit).unwrap();
    for n in 0..40 {
        store.upsert_record(&small(&mut rng, format!("old-{n}")), None).unwrap();
    }
    store.soft_delete("old-7").unwrap();
    store.compact().unwrap();
    store.delete("old-3").unwrap();
    store.soft_delete("old-30").unwrap();
    // Enough in the log that closing makes a segment of the rows, of which few are left.
    for _ in 0..11 {
        let text = "x".repeat(200_000);
        store.upsert_record(&Record::new("large", [0.5; DIM]).with_text(text), None).unwrap();
    }
    store.upsert_record(&Record::new("large", [0.5; DIM]), None).unwrap();
    for n in 0..10 {
        store.upsert_record(&small(&mut rng, format!("new-{n}")), None).unwrap();
    }
    store.close().unwrap();
    let store = open(&vfs, Durability::Commit).unwrap();
    assert_eq!(store.stats().unwrap().segments, 2);
    store.upsert_record(&small(&mut rng, "logged".to_owned()), None).unwrap();
    let earlier = vfs.fork();
    store.delete("old-5").unwrap();
    store.soft_delete("old-6").unwrap();
    store.restore("old-7").unwrap();
    store.upsert_record(&small(&mut rng, "last".to_owned()), None).unwrap();
    let expected = read(&store).unwrap();
    let killed = vfs.crash(&mut Rng::new(1), CrashMode::KeepAll);
    store.close().unwrap();
    Sample { disk: if closed { vfs } else { killed }, expected, earlier }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Manifest,
    Log,
    Segment,
    Marks,
    Lock,
}

fn kind(path: &Path) -> Kind {
    let name = path.file_name().unwrap().to_str().unwrap();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("log") => Kind::Log,
        Some("seg") => Kind::Segment,
        Some("del") => Kind::Marks,
        _ if name.starts_with("manifest-") => Kind::Manifest,
        _ if name == "LOCK" => Kind::Lock,
        _ => panic!("unknown file {}", path.display()),
    }
}

/// What became of damaged stores.
#[derive(Debug, Default)]
struct Tally {
    damaged: usize,
    refused: usize,
    refused_later: usize,
    reported: usize,
    /// Answered rightly, and `verify` saw nothing: by kind of file, with the places.
    unseen: BTreeMap<Kind, Vec<(PathBuf, u64)>>,
    wrong: Vec<String>,
}

/// What a damaged store did.
enum Verdict {
    Refused,
    RefusedLater,
    Reported,
    Unseen,
}

fn check_kind(error: &Error) {
    let damage = matches!(error.kind(), ErrorKind::Corrupted | ErrorKind::Unsupported);
    // A file that is gone altogether is the system's to report.
    let gone = error.kind() == ErrorKind::Io && error.message().contains("not found");
    assert!(damage || gone, "{:?}: {error}", error.kind());
}

fn look(disk: &FaultVfs, read_only: bool, expected: &BTreeMap<String, Record>) -> Verdict {
    let options = options(disk, Durability::Commit).read_only(read_only);
    let store = match options.open(PATH) {
        Ok(store) => store,
        Err(error) => {
            check_kind(&error);
            return Verdict::Refused;
        }
    };
    let reported = match store.verify() {
        Ok(report) => !report.is_ok(),
        Err(error) => {
            check_kind(&error);
            true
        }
    };
    let sound = ask(&store, expected);
    match sound {
        Err(error) => {
            check_kind(&error);
            assert!(reported, "verify did not see what a read did: {error}");
            Verdict::RefusedLater
        }
        Ok(()) if reported => Verdict::Reported,
        Ok(()) => Verdict::Unseen,
    }
}

/// Each step may fail by itself; what is returned must be right.
fn ask(store: &VecStore, expected: &BTreeMap<String, Record>) -> Result<(), Error> {
    let mut outcome = Ok(());
    for record in expected.values() {
        match store.get(&record.id) {
            Ok(got) => assert_eq!(got.as_ref(), Some(record).filter(|record| !record.deleted)),
            Err(error) => outcome = Err(error),
        }
    }
    let listed = read(store)?;
    assert!(listed == *expected, "the listing is wrong");
    check_answers(store, expected)?;
    outcome
}

impl Tally {
    fn look(&mut self, disk: &FaultVfs, read_only: bool, sample: &Sample, path: &Path, at: u64, what: &str) {
        self.damaged += 1;
        let look = AssertUnwindSafe(|| look(disk, read_only, &sample.expected));
        match panic::catch_unwind(look) {
            Ok(Verdict::Refused) => self.refused += 1,
            Ok(Verdict::RefusedLater) => self.refused_later += 1,
            Ok(Verdict::Reported) => self.reported += 1,
            Ok(Verdict::Unseen) => self.unseen.entry(kind(path)).or_default().push((path.to_owned(), at)),
            Err(_) => self.wrong.push(format!("{what} at {at} of {}", path.display())),
        }
    }

    fn report(&self) {
        let unseen: Vec<(Kind, usize)> =
            self.unseen.iter().map(|(&kind, places)| (kind, places.len())).collect();
        println!(
            "{} damaged: open refused {}, a read refused {}, verify reported {}, no trace of {unseen:?}",
            self.damaged, self.refused, self.refused_later, self.reported
        );
        let shown: Vec<&String> = self.wrong.iter().take(20).collect();
        assert!(self.wrong.is_empty(), "{} wrong answers or panics: {shown:#?}", self.wrong.len());
    }
}

/// Returns where the frames of a log end, and the ranges in front of that which carry nothing: the padding of frames.
fn log_layout(bytes: &[u8]) -> (u64, Vec<std::ops::Range<u64>>) {
    let (mut at, mut padding) = (64, Vec::new());
    while bytes.get(at + 24).is_some_and(|&kind| kind == 1) {
        let len = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let end = at + 32 + len;
        padding.push(end as u64..end.next_multiple_of(8) as u64);
        at = end.next_multiple_of(8);
    }
    (at as u64, padding)
}

/// Whether a byte carries nothing that an answer rests on.
fn is_idle(disk: &FaultVfs, path: &Path, at: u64) -> bool {
    match kind(path) {
        Kind::Lock => true,
        Kind::Log => {
            let (end, padding) = log_layout(&disk.read(path).unwrap());
            at >= end || padding.iter().any(|range| range.contains(&at))
        }
        _ => false,
    }
}

/// Returns where the part of a file ends that says something.
fn used(sample: &Sample, path: &Path, len: u64) -> u64 {
    if kind(path) == Kind::Log { log_layout(&sample.disk.read(path).unwrap()).0 + 64 } else { len }
}

/// Bytes that make a record of the sample so long that the store says about 60 KB.
const MORE_BYTES: usize = 900;

/// Flips a bit of every `step`-th byte in turn; `VECSTORE_ROT_STEP` in the environment changes that.
fn flip_bytes(closed: bool, read_only: bool, step: u64) -> Tally {
    let step = count("VECSTORE_ROT_STEP", step) as usize;
    let sample = sample_with(closed, MORE_BYTES);
    let mut tally = Tally::default();
    let (mut bytes, mut all) = (0, 0);
    for (path, len) in sample.disk.files() {
        // Behind its frames a log is zeros to the end of the space it has reserved; a few of them stand for all.
        let used = used(&sample, &path, len);
        all += used;
        let places = (0..used).step_by(step).chain((used..len).step_by(997));
        for at in places {
            bytes += 1;
            for bit in 0..count("VECSTORE_ROT_BITS", 1) {
                let disk = sample.disk.fork();
                // One bit goes round from byte to byte.
                disk.flip(&path, at, 1 << ((at + bit) % 8)).unwrap();
                tally.look(&disk, read_only, &sample, &path, at, "flip");
            }
        }
    }
    println!("closed {closed}, read_only {read_only}: {bytes} bytes flipped of a store of {all}");
    assert!((55_000..75_000).contains(&all), "{all}");
    tally.report();
    for (path, at) in tally.unseen.values().flatten() {
        // A writer removes a damaged manifest when it falls back on the other one.
        let repaired = !read_only && kind(path) == Kind::Manifest;
        assert!(
            repaired || is_idle(&sample.disk, path, *at),
            "verify missed byte {at} of {}",
            path.display()
        );
    }
    tally
}

#[test]
fn no_flipped_byte_of_a_closed_store_makes_a_wrong_answer() {
    flip_bytes(true, false, 1);
}

#[test]
fn no_flipped_byte_of_a_closed_store_makes_a_reader_answer_wrongly() {
    flip_bytes(true, true, 5);
}

#[test]
fn no_flipped_byte_of_a_killed_store_makes_a_wrong_answer() {
    flip_bytes(false, false, 5);
}

#[test]
fn no_truncated_file_makes_a_wrong_answer() {
    for closed in [true, false] {
        let sample = sample(closed);
        let mut tally = Tally::default();
        for (path, len) in sample.disk.files() {
            for cut in (0..used(&sample, &path, len)).chain((0..len).step_by(61)) {
                let disk = sample.disk.fork();
                disk.truncate(&path, cut).unwrap();
                tally.look(&disk, cut % 2 == 0, &sample, &path, cut, "cut");
            }
        }
        println!("closed {closed}");
        tally.report();
    }
}

#[test]
fn no_swapped_block_makes_a_wrong_answer() {
    let sample = sample(true);
    let mut tally = Tally::default();
    for (path, len) in sample.disk.files() {
        for block in [512, 64] {
            let blocks = (len.min(16_384) / block as u64).saturating_sub(1);
            for n in 0..blocks.min(60) {
                let (left, right) = (n * block as u64, (n * 7 % blocks + 1) * block as u64);
                let disk = sample.disk.fork();
                disk.swap_blocks(&path, left, right, block).unwrap();
                tally.look(&disk, n % 2 == 0, &sample, &path, left, "swap");
            }
        }
    }
    tally.report();
}

/// A write that never reached the disk leaves what was there before: zeros, what an earlier file had in the same place, or
/// what this one had at an earlier moment.
#[test]
fn no_stale_block_makes_a_wrong_answer() {
    let sample = sample(true);
    let mut tally = Tally::default();
    let files = sample.disk.files();
    for (path, len) in &files {
        let others = files.iter().filter(|(other, _)| other != path && kind(other) == kind(path));
        let mut contents: Vec<Vec<u8>> = others.map(|(other, _)| sample.disk.read(other).unwrap()).collect();
        contents.extend(sample.earlier.read(path));
        contents.push(vec![0; *len as usize]);
        let now = sample.disk.read(path).unwrap();
        for block in [64, 512, 4_096] {
            for start in (0..used(&sample, path, *len) as usize).step_by(block) {
                let end = (start + block).min(now.len());
                for content in &contents {
                    let Some(stale) = content.get(start..end).filter(|stale| *stale != &now[start..end])
                    else {
                        continue;
                    };
                    let disk = sample.disk.fork();
                    disk.overwrite(path, start as u64, stale).unwrap();
                    tally.look(&disk, start / block % 2 == 0, &sample, path, start as u64, "stale block");
                }
            }
        }
    }
    tally.report();
    assert!(tally.damaged > 200, "{}", tally.damaged);
}

#[test]
fn no_lost_file_makes_a_wrong_answer() {
    for closed in [true, false] {
        let sample = sample(closed);
        let mut tally = Tally::default();
        for (path, _) in sample.disk.files() {
            for read_only in [true, false] {
                let disk = sample.disk.fork();
                vecstore::vfs::Vfs::remove_file(&disk, &path).unwrap();
                tally.look(&disk, read_only, &sample, &path, 0, "loss");
            }
        }
        tally.report();
    }
}

/// Every file is replaced by each other file of its kind, and by what it held at an earlier moment.
#[test]
fn no_file_can_stand_in_for_another() {
    let sample = sample(true);
    let mut tally = Tally::default();
    let files: Vec<PathBuf> = sample.disk.files().into_iter().map(|(path, _)| path).collect();
    for path in &files {
        let others = files.iter().filter(|other| *other != path && kind(other) == kind(path));
        let mut contents: Vec<Vec<u8>> = others.map(|other| sample.disk.read(other).unwrap()).collect();
        contents.extend(sample.earlier.read(path));
        for (n, content) in contents.iter().enumerate() {
            for read_only in [true, false] {
                let disk = sample.disk.fork();
                disk.write(path, content).unwrap();
                tally.look(&disk, read_only, &sample, path, n as u64, "exchange");
            }
        }
    }
    tally.report();
}
