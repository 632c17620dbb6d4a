//! Logs whose first write failed or was torn, and logs that a full disk would let pile up.

use vecstore::{Durability, Record, VecStore};
use vecstore_testkit::{CallKind, CrashMode, Fault, FaultVfs, Repeat, Rng};

use crate::hostile::find;
use crate::script::DIM;
use crate::subject::{PATH, open, options, read};

fn write(store: &VecStore, id: &str) -> vecstore::Result<()> {
    store.upsert_record(&Record::new(id, [1.0; DIM]), None)
}

/// The first write to a log fails after any number of bytes, and so does clearing it; then the process or the power goes.
#[test]
fn a_log_whose_header_was_torn_is_one_that_nothing_was_written_to() {
    let (mut torn, mut opened) = (0, 0);
    for (sealed, percent) in [false, true].into_iter().flat_map(|sealed| (0..60).map(move |n| (sealed, n))) {
        for repeat in Repeat::ALL {
            let vfs = FaultVfs::new();
            let store = open(&vfs, Durability::Commit).unwrap();
            if sealed {
                write(&store, "before").unwrap();
                store.compact().unwrap();
            }
            let expected = read(&store).unwrap();
            let writes = vfs.trace().iter().filter(|call| call.kind == CallKind::Write).count() as u64;
            // Behind the zeros that small frames are written over.
            vfs.fail_nth(CallKind::Write, writes + 2, Fault::ShortWrite { percent }, repeat);
            assert!(write(&store, "refused").is_err());
            for mode in CrashMode::ALL {
                let image = vfs.crash(&mut Rng::new(u64::from(percent)), mode);
                let log = image.read(find(&image, ".log").pop().unwrap()).unwrap();
                torn += usize::from(log[0] != 0 && log[60..64] == [0; 4]);
                let store = open(&image, Durability::Commit)
                    .unwrap_or_else(|error| panic!("{percent} %, {repeat:?}, {mode:?}: {error}"));
                let found = read(&store).unwrap();
                assert!(found.keys().all(|id| id == "refused" || expected.contains_key(id)), "{found:?}");
                assert!(found.len() >= expected.len());
                write(&store, "after").unwrap();
                drop(store);
                assert!(options(&image, Durability::Commit).verify(PATH).unwrap().is_ok());
                let store = open(&image.fork(), Durability::Commit).unwrap();
                assert!(store.contains("after").unwrap() && (!sealed || store.contains("before").unwrap()));
                opened += 1;
            }
            // The process lives on.
            vfs.clear_faults();
            if write(&store, "again").is_ok() {
                drop(store);
                let store = open(&vfs, Durability::Commit).unwrap();
                assert!(store.contains("again").unwrap() && !store.contains("refused").unwrap());
            }
        }
    }
    println!("{opened} stores opened, {torn} with a torn header");
    assert!(torn > 100, "{torn}");
}

/// What a torn write cannot have left is damage.
#[test]
fn a_header_that_rotted_is_no_torn_one() {
    let vfs = FaultVfs::new();
    let store = open(&vfs, Durability::Commit).unwrap();
    write(&store, "acknowledged").unwrap();
    drop(store);
    let log = find(&vfs, ".log").pop().unwrap();
    for at in 0..64 {
        let damaged = vfs.fork();
        // Zeros from here to the end of the header, with the frames behind it.
        damaged.overwrite(&log, at, &vec![0; 64 - at as usize]).unwrap();
        if damaged.read(&log).unwrap() == vfs.read(&log).unwrap() {
            continue;
        }
        let error = open(&damaged, Durability::Commit).unwrap_err();
        assert_eq!(error.kind(), vecstore::ErrorKind::Corrupted, "{at}: {error}");
    }
}

/// Background sealing tries again and again; each attempt must not leave a log of 64 KiB behind.
#[test]
fn seals_that_fail_on_a_full_disk_leave_no_pile_of_logs() {
    let vfs = FaultVfs::new();
    let store = open(&vfs, Durability::Commit).unwrap();
    for n in 0..300 {
        write(&store, &format!("{n}")).unwrap();
    }
    // Room for a new log, and not for a segment.
    vfs.set_capacity(Some(vfs.bytes_used() + (65 << 10)));
    for n in 300..310 {
        write(&store, &format!("{n}")).unwrap();
        assert_eq!(store.compact().unwrap_err().raw_os_error(), Some(28));
    }
    assert!(find(&vfs, ".log").len() <= 2, "{:?}", find(&vfs, ".log"));
    let killed = vfs.fork();
    assert_eq!(open(&killed, Durability::Commit).unwrap().len().unwrap(), 310);
    vfs.set_capacity(None);
    store.compact().unwrap();
    write(&store, "after").unwrap();
    store.compact().unwrap();
    assert_eq!(find(&vfs, ".log").len(), 1);
    let expected = read(&store).unwrap();
    for image in [vfs.fork(), vfs.crash(&mut Rng::new(1), CrashMode::DropAllUnsynced)] {
        let store = open(&image, Durability::Commit).unwrap();
        assert!(read(&store).unwrap() == expected && expected.len() == 311);
        assert!(store.verify().unwrap().is_ok());
    }
}
