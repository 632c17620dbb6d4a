//! Repair of damaged stores: what can be read is kept, what is lost is named, and the result is a sound store.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use vecstore::vfs::Vfs;
use vecstore::{
    Batch, Durability, ErrorKind, Metric, Quantization, Query, Record, RepairReport, Result, TextQuery,
    VecStore, field,
};
use vecstore_testkit::{CrashMode, Fault, FaultVfs, Repeat, Rng};

use crate::hostile::{find, put_u32, put_u64, u64_at};
use crate::rot::{Sample, sample};
use crate::script::DIM;
use crate::soak::count;
use crate::subject::{PATH, check_answers, open, options, read};

fn repair(disk: &FaultVfs) -> Result<RepairReport> {
    options(disk, Durability::Commit).repair(PATH)
}

/// Repairs, checks that the result is sound, and that the report is true. Returns both.
fn repair_and_check(disk: &FaultVfs, sample: &Sample) -> (RepairReport, BTreeMap<String, Record>) {
    let report = repair(disk).unwrap();
    let again = repair(disk).unwrap();
    assert!(again.was_ok(), "a second repair found {:?}", again.problems);
    let store = open(disk, Durability::Commit).unwrap();
    let found = read(&store).unwrap();
    let verified = store.verify().unwrap();
    assert!(verified.is_ok(), "{:?}", verified.problems);
    assert_eq!(report.records, found.len(), "{report:?}");
    check_answers(&store, &found).unwrap();
    let new = Record::new("written after the repair", [0.5; DIM]);
    store.upsert_record(&new, None).unwrap();
    store.compact().unwrap();
    store.close().unwrap();
    if report.is_lossless() {
        assert!(found == sample.expected, "a repair that lost nothing changed records: {report:#?}");
    }
    // A call that is lost, or marks, may leave any record as it was before; bytes of records that are lost leave none.
    let unknown = report.lost.iter().any(|loss| loss.records.is_none());
    let lost: u64 = report.lost.iter().filter_map(|loss| loss.records).sum();
    let missing: Vec<&String> = sample.expected.keys().filter(|id| !found.contains_key(*id)).collect();
    assert!(unknown || missing.len() as u64 <= lost, "{missing:?} are missing, but {report:#?}");
    let earlier = sample.earlier_records();
    for (id, record) in &found {
        let expected = sample.expected.get(id);
        // Whether it was hidden may be what is lost.
        let is = |known: &Record| {
            let mut known = known.clone();
            known.deleted = record.deleted;
            known == *record
        };
        let as_before = || earlier.get(id).is_some_and(is);
        let may_be = || expected.is_none_or(is) || as_before();
        assert!(expected == Some(record) || unknown && may_be(), "`{id}`: {record:?}, {report:#?}");
    }
    (report, found)
}

/// Damages every few bytes of every file in turn, by one bit and by several.
#[test]
fn whatever_byte_is_damaged_the_rest_is_saved() {
    let sample = sample(true);
    let (mut repaired, mut lossless, mut failures) = (0, 0, Vec::new());
    let step = count("VECSTORE_REPAIR_STEP", 197) as usize;
    for (path, len) in sample.disk.files() {
        if path.ends_with("LOCK") {
            continue;
        }
        let used = used_bytes(&sample.disk, &path, len);
        for (n, at) in (0..used).step_by(step).enumerate() {
            let mask = if n % 2 == 0 { 0x10 } else { 0x5a };
            let disk = sample.disk.fork();
            disk.flip(&path, at, mask).unwrap();
            let run = AssertUnwindSafe(|| repair_and_check(&disk, &sample));
            match panic::catch_unwind(run) {
                Ok((report, _)) => {
                    let is_log = path.extension().is_some_and(|extension| extension == "log");
                    if mask == 0x10 && !is_log && !report.is_lossless() {
                        failures.push(format!("bit of byte {at} of {}: {:?}", path.display(), report.lost));
                    }
                    repaired += 1;
                    lossless += usize::from(report.is_lossless());
                }
                Err(_) => failures.push(format!("byte {at} of {}", path.display())),
            }
        }
    }
    println!("{repaired} damaged stores repaired, {lossless} without a loss");
    assert!(failures.is_empty(), "{} failed: {failures:#?}", failures.len());
    assert!(repaired > 20 && lossless > repaired / 3, "{lossless} of {repaired}");
}

/// Behind its frames a log is zeros.
fn used_bytes(disk: &FaultVfs, path: &Path, len: u64) -> u64 {
    let bytes = disk.read(path).unwrap();
    let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last as u64 + 1);
    if path.extension().is_some_and(|extension| extension == "log") { used } else { len }
}

#[test]
fn a_sound_store_is_left_as_it_is() {
    for closed in [true, false] {
        let sample = sample(closed);
        let before = sample.disk.fingerprint();
        let report = repair(&sample.disk).unwrap();
        assert!(report.was_ok() && report.is_lossless() && report.set_aside.is_empty(), "{report:?}");
        assert_eq!(report.records, sample.expected.len());
        assert_eq!(sample.disk.fingerprint(), before);
    }
}

#[test]
fn whatever_file_is_lost_the_rest_is_saved() {
    for closed in [true, false] {
        let sample = sample(closed);
        for (path, _) in sample.disk.files() {
            let disk = sample.disk.fork();
            disk.remove_file(&path).unwrap();
            let (report, found) = repair_and_check(&disk, &sample);
            println!(
                "{}: {} of {} left, {:?}",
                path.display(),
                found.len(),
                sample.expected.len(),
                report.lost
            );
        }
    }
}

#[test]
fn whatever_file_is_cut_short_the_rest_is_saved() {
    let sample = sample(true);
    for (path, len) in sample.disk.files() {
        for part in [0, 1, 3] {
            let disk = sample.disk.fork();
            disk.truncate(&path, used_bytes(&disk, &path, len) * part / 4).unwrap();
            repair_and_check(&disk, &sample);
        }
    }
}

#[test]
fn without_any_manifest_the_records_are_found_by_their_files() {
    let sample = sample(true);
    let disk = sample.disk.fork();
    for path in find(&disk, "manifest-") {
        disk.remove_file(&path).unwrap();
    }
    assert_eq!(open(&disk, Durability::Commit).unwrap_err().kind(), ErrorKind::Corrupted);
    let refused = VecStore::options().vfs(std::sync::Arc::new(disk.clone())).repair(PATH).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused}");
    assert!(refused.message().contains("metric"), "{refused}");
    let wrong = options(&disk, Durability::Commit).metric(Metric::Cosine).repair(PATH).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::InvalidInput, "{wrong}");
    let (report, found) = repair_and_check(&disk, &sample);
    assert!(!report.is_lossless());
    for (id, record) in &sample.expected {
        assert_eq!(found.get(id), Some(record), "`{id}`");
    }
}

#[test]
fn without_any_manifest_texts_are_indexed_as_queries_are_read() {
    let disk = FaultVfs::new();
    let make = || options(&disk, Durability::Commit).metric(Metric::Cosine);
    let store = make().analyzer("english".parse().unwrap()).open(PATH).unwrap();
    let mut batch = Batch::new(2).unwrap();
    batch.push(&Record::new("a", vec![1.0, 0.0]).with_text("running dogs"), None).unwrap();
    store.upsert_many(batch).unwrap();
    store.compact().unwrap();
    store.close().unwrap();
    for path in find(&disk, "manifest-") {
        disk.remove_file(&path).unwrap();
    }
    let report = make().repair(PATH).unwrap();
    assert!(report.lost.iter().any(|lost| lost.message.contains("analyzer")), "{report:?}");
    let store = make().open(PATH).unwrap();
    let found = |words: &str| store.text_query(&TextQuery::new(words)).unwrap().len();
    assert_eq!((found("running"), found("run")), (1, 0));
}

#[test]
fn a_damaged_segment_names_its_block_and_the_ids_of_lost_records() {
    let sample = sample(true);
    let disk = sample.disk.fork();
    let path = segment_of(&disk, "old-1");
    // The first vector, wholly.
    disk.overwrite(&path, 0, &[0xff; 16]).unwrap();
    let verified = options(&disk, Durability::Commit).verify(PATH).unwrap();
    let problem = &verified.problems[0];
    assert_eq!(problem.path, path);
    assert!(problem.message.contains("block 0 (bytes 0.."), "{}", problem.message);
    let (report, found) = repair_and_check(&disk, &sample);
    assert!(!report.lost_ids.is_empty());
    assert!(report.lost_ids.iter().all(|id| !found.contains_key(id) && sample.expected.contains_key(id)));
    assert_eq!(report.lost[0].path, path);
    assert_eq!(report.set_aside, [Path::new(PATH).join("damaged").join(path.file_name().unwrap())]);
}

fn segment_of(disk: &FaultVfs, id: &str) -> PathBuf {
    let holds = |path: &PathBuf| {
        let bytes = disk.read(path).unwrap();
        bytes.windows(id.len()).any(|window| window == id.as_bytes())
    };
    find(disk, ".seg").into_iter().find(holds).unwrap()
}

/// The process is killed or the power cut at every call of a repair: the next one saves the same.
#[test]
fn a_crash_at_any_call_of_a_repair_loses_nothing_more() {
    let sample = sample(false);
    let damaged = sample.disk.fork();
    damaged.overwrite(segment_of(&damaged, "old-1"), 0, &[0xff; 16]).unwrap();
    let complete = damaged.fork();
    let expected = repair_and_check(&complete, &sample).1;
    let calls = {
        let disk = damaged.fork();
        repair(&disk).unwrap();
        disk.calls()
    };
    let (mut crashes, mut stopped) = (0, 0);
    for call in 1..=calls {
        for mode in [CrashMode::KeepAll, CrashMode::ALL[1 + call as usize % 5]] {
            let disk = damaged.fork();
            disk.stop_at(call);
            stopped += u64::from(repair(&disk).is_err());
            let image = disk.crash(&mut Rng::new(call), mode);
            repair(&image).unwrap();
            let store = open(&image, Durability::Commit).unwrap();
            assert!(read(&store).unwrap() == expected, "call {call}, {mode:?}");
            crashes += 1;
        }
    }
    println!("{crashes} crashes during a repair of {calls} calls, {stopped} of them before its end");
    assert!(stopped > calls, "{stopped}");
}

/// A disk that is full or fails during a repair: a typed error, and nothing has changed for the next attempt.
#[test]
fn a_repair_that_fails_changes_nothing() {
    let sample = sample(false);
    let damaged = sample.disk.fork();
    damaged.overwrite(segment_of(&damaged, "old-1"), 0, &[0xff; 16]).unwrap();
    let complete = damaged.fork();
    let expected = repair_and_check(&complete, &sample).1;
    let (mut runs, mut failed) = (0, 0);
    let every = count("VECSTORE_REPAIR_FAULT_EVERY", 5);
    for (n, fault) in (0..).zip(Fault::ALL) {
        for call in (1 + n % every..=complete.calls().min(120)).step_by(every as usize) {
            let disk = damaged.fork();
            disk.fail_at(call, fault, Repeat::Onwards);
            runs += 1;
            if let Err(error) = repair(&disk) {
                failed += 1;
                assert_eq!(error.kind(), ErrorKind::Io, "{fault:?} at {call}: {error}");
            }
            disk.clear_faults();
            repair(&disk).unwrap_or_else(|error| panic!("{fault:?} at {call}: {error}"));
            let store = open(&disk, Durability::Commit).unwrap();
            assert!(read(&store).unwrap() == expected, "{fault:?} at {call}");
        }
    }
    println!("{runs} repairs on a failing disk, {failed} of which failed");
    assert!(failed > 20, "{failed}");
}

#[test]
fn a_store_that_is_open_is_not_repaired() {
    let sample = sample(true);
    let store = open(&sample.disk, Durability::Commit).unwrap();
    assert_eq!(repair(&sample.disk).unwrap_err().kind(), ErrorKind::Locked);
    store.close().unwrap();
}

#[test]
fn what_is_no_store_is_not_repaired() {
    let vfs = FaultVfs::new();
    assert_eq!(repair(&vfs).unwrap_err().kind(), ErrorKind::NotFound);
    vfs.write(Path::new(PATH).join("letter.txt"), b"dear").unwrap();
    let before = vfs.fingerprint();
    assert_eq!(repair(&vfs).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(options(&vfs, Durability::Commit).verify(PATH).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(vfs.fingerprint(), before);
}

/// Files of a version to come are refused by name, and never given up as damaged.
#[test]
fn files_of_a_newer_format_are_refused_and_left_alone() {
    let sample = sample(true);
    let manifest = find(&sample.disk, "manifest-").pop().unwrap();
    let log = find(&sample.disk, ".log").pop().unwrap();
    let xxh3 = xxhash_rust::xxh3::xxh3_64;
    let newer = |path: &Path, make: &dyn Fn(&FaultVfs, &mut Vec<u8>)| {
        let disk = sample.disk.fork();
        let mut bytes = disk.read(path).unwrap();
        make(&disk, &mut bytes);
        disk.write(path, &bytes).unwrap();
        let before = disk.fingerprint();
        for outcome in [
            open(&disk, Durability::Commit).map(drop),
            repair(&disk).map(drop),
            options(&disk, Durability::Commit).verify(PATH).map(drop),
        ] {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{}: {error}", path.display());
            assert!(error.message().contains("newer"), "{error}");
        }
        assert_eq!(disk.fingerprint(), before, "{}", path.display());
    };
    for (at, value) in [(8, 2_u16), (14, 0x8000)] {
        newer(&manifest, &|_, bytes| {
            bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
            let end = bytes.len() - 8;
            let sum = xxh3(&bytes[..end]);
            put_u64(bytes, end, sum);
        });
    }
    newer(&log, &|_, bytes| {
        bytes[8..10].copy_from_slice(&2_u16.to_le_bytes());
        let sum = crc32c::crc32c(&bytes[..60]);
        put_u32(bytes, 60, sum);
    });
    for marks in find(&sample.disk, ".del") {
        newer(&marks, &|disk, bytes| {
            bytes[8..10].copy_from_slice(&2_u16.to_le_bytes());
            crate::hostile::put_marks(disk, &marks, bytes);
        });
    }
    for segment in find(&sample.disk, ".seg") {
        for (at, value) in [(0, 2_u8), (5, 0x80)] {
            newer(&segment, &|disk, bytes| {
                let tail = bytes.len() - 32;
                let footer = u64_at(bytes, tail) as usize;
                bytes[footer + at] = value;
                crate::hostile::put_segment(disk, &segment, bytes);
            });
        }
    }
}

/// The name of a snapshot, none for the records as they are, and what it holds.
type Told = (&'static str, BTreeMap<String, Record>);

/// A store with two snapshots that share a segment with it or not, and what each holds.
fn store_with_snapshots() -> (FaultVfs, Vec<Told>) {
    let disk = FaultVfs::new();
    let store = open(&disk, Durability::Commit).unwrap();
    let mut told = Vec::new();
    for (name, first) in [("one", 0), ("two", 30)] {
        for n in first..first + 30 {
            store.upsert_record(&Record::new(format!("{n}"), [n as f32; DIM]), None).unwrap();
        }
        store.delete(&format!("{first}")).unwrap();
        store.soft_delete(&format!("{}", first + 1)).unwrap();
        store.create_snapshot(name).unwrap();
        told.push((name, read(&store).unwrap()));
        store.delete(&format!("{}", first + 2)).unwrap();
    }
    store.compact().unwrap();
    store.delete("50").unwrap();
    told.push(("", read(&store).unwrap()));
    store.close().unwrap();
    (disk, told)
}

/// Goes back to each snapshot. Returns how many records each has too few.
fn check_snapshots(disk: &FaultVfs, told: &[Told]) -> Vec<usize> {
    let store = open(disk, Durability::Commit).unwrap();
    let (now, kept) = told.split_last().unwrap();
    let missing = |name: &str, expected: &BTreeMap<String, Record>| {
        let found = read(&store).unwrap();
        assert!(found.iter().all(|(id, record)| expected.get(id) == Some(record)), "{name}");
        expected.len() - found.len()
    };
    let mut lacks = vec![missing("now", &now.1)];
    for (name, expected) in kept {
        store.restore_snapshot(name).unwrap();
        lacks.push(missing(name, expected));
    }
    assert!(store.verify().unwrap().is_ok());
    lacks
}

#[test]
fn a_snapshot_survives_a_flipped_bit_in_any_of_its_files() {
    let (disk, told) = store_with_snapshots();
    assert_eq!(check_snapshots(&disk.fork(), &told), [0; 3]);
    let mut files = find(&disk, ".seg");
    files.extend(find(&disk, ".del"));
    assert!(files.len() >= 4, "{files:?}");
    for path in files {
        for at in [0, 1_000, disk.read(&path).unwrap().len() as u64 - 40] {
            let damaged = disk.fork();
            if damaged.flip(&path, at, 0x04).is_err() {
                continue;
            }
            let report = repair(&damaged).unwrap();
            assert!(report.is_lossless() && !report.was_ok(), "{}: {report:?}", path.display());
            assert!(repair(&damaged).unwrap().was_ok());
            assert_eq!(check_snapshots(&damaged, &told), [0; 3], "byte {at} of {}", path.display());
        }
    }
}

#[test]
fn of_a_snapshot_with_more_damage_the_rest_is_kept_and_the_loss_named() {
    let (disk, told) = store_with_snapshots();
    let mut lost = 0;
    for path in find(&disk, ".seg") {
        let damaged = disk.fork();
        // Two vectors, wholly.
        damaged.overwrite(&path, 3 * 16, &[0xff; 32]).unwrap();
        let report = repair(&damaged).unwrap();
        let named: u64 = report.lost.iter().filter_map(|loss| loss.records).sum();
        assert!(report.lost.iter().all(|loss| loss.records.is_some()), "{report:?}");
        assert!(repair(&damaged).unwrap().was_ok());
        let lacks = check_snapshots(&damaged, &told);
        assert_eq!(lacks.iter().sum::<usize>() as u64, named, "{report:?}");
        lost += named;
        for loss in report.lost.iter().filter(|loss| loss.message.contains("snapshot")) {
            assert!(
                loss.message.contains("in the snapshot `one`") || loss.message.contains("`two`"),
                "{loss:?}"
            );
        }
    }
    assert!(lost >= 4, "{lost}");
}

/// Records that a later call deletes or replaces are not lost, whatever became of their bytes.
#[test]
fn lost_ids_name_no_record_that_was_deleted_or_written_anew() {
    let disk = FaultVfs::new();
    let store = open(&disk, Durability::Commit).unwrap();
    for n in 0..20 {
        store.upsert_record(&Record::new(format!("{n}"), [n as f32; DIM]), None).unwrap();
    }
    store.compact().unwrap();
    store.delete("0").unwrap();
    store.upsert_record(&Record::new("1", [9.0; DIM]), None).unwrap();
    store.soft_delete("2").unwrap();
    drop(store);
    let killed = disk.fork();
    let segment = find(&killed, ".seg").pop().unwrap();
    killed.overwrite(&segment, 0, &[0xff; 4 * 16]).unwrap();
    let report = repair(&killed).unwrap();
    assert_eq!(report.lost_ids, ["2", "3"]);
    assert_eq!(report.lost.iter().map(|loss| loss.records).collect::<Vec<_>>(), [Some(2)], "{report:?}");
    assert_eq!(report.records, 17);
    assert_eq!(read(&open(&killed, Durability::Commit).unwrap()).unwrap().len(), 17);
}

#[test]
fn without_any_manifest_a_repair_can_be_told_the_analyzer_and_the_text_fields() {
    let disk = FaultVfs::new();
    let make = || {
        let options = options(&disk, Durability::Commit).metric(Metric::Cosine);
        options.analyzer("english".parse().unwrap()).text_fields(["title"])
    };
    let store = make().open(PATH).unwrap();
    let record = Record::new("a", vec![1.0, 0.0])
        .with_text("running dogs")
        .with_metadata(vecstore::Metadata::from([("title", "sleeping cats".into())]));
    store.upsert_record(&record, None).unwrap();
    store.compact().unwrap();
    store.close().unwrap();
    for path in find(&disk, "manifest-") {
        disk.remove_file(&path).unwrap();
    }
    assert!(make().repair(PATH).unwrap().lost.iter().any(|lost| lost.message.contains("analyzer english")));
    let store = make().open(PATH).unwrap();
    for words in ["run", "sleep"] {
        assert_eq!(store.text_query(&TextQuery::new(words)).unwrap().len(), 1, "{words}");
    }
}

#[test]
fn without_any_manifest_a_repair_says_which_settings_are_lost_and_can_be_told_them() {
    let disk = FaultVfs::new();
    let make = || options(&disk, Durability::Commit).metric(Metric::Cosine);
    let told = || make().partition_by("tenant").quantization(Quantization::Int8);
    let store = told().open(PATH).unwrap();
    for n in 0..40_u8 {
        let metadata =
            vecstore::Metadata::from([("tenant", i64::from(n % 4).into()), ("n", i64::from(n).into())]);
        let record = Record::new(n.to_string(), vec![1.0, f32::from(n)]).with_metadata(metadata);
        store.upsert_record(&record, None).unwrap();
    }
    store.drop_index("n").unwrap();
    store.compact().unwrap();
    store.close().unwrap();
    let lose_manifests = || find(&disk, "manifest-").iter().for_each(|path| disk.remove_file(path).unwrap());
    lose_manifests();
    let report = make().repair(PATH).unwrap();
    for lost in ["partition_by", "the collection is not partitioned", "quantization", "created or dropped"] {
        assert!(report.lost[0].message.contains(lost), "{lost}: {report:?}");
    }
    let store = make().open(PATH).unwrap();
    assert_eq!(store.config().unwrap().get_partition_by(), None);
    store.close().unwrap();
    lose_manifests();
    let report = told().repair(PATH).unwrap();
    assert!(report.lost[0].message.contains("partitioned by `tenant`"), "{report:?}");
    // Opening with another path than a store has fails.
    let store = told().open(PATH).unwrap();
    assert_eq!(store.count(&field("tenant").eq(3)).unwrap(), 10);
    assert_eq!(store.query(&Query::new(vec![1.0, 7.0]).filter(field("tenant").eq(3))).unwrap()[0].id, "7");
    store.close().unwrap();
    lose_manifests();
    assert_eq!(make().partition_by("$").repair(PATH).unwrap_err().kind(), ErrorKind::InvalidInput);
}
