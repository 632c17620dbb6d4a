use std::io::ErrorKind;
use std::path::Path;

use vecstore::vfs::{Vfs, VfsFile};
use vecstore_testkit::{CallKind, CrashMode, Fault, FaultVfs, Outcome, Repeat, Rng};

use super::{append, create, paths};

#[test]
fn from_the_stop_on_nothing_has_an_effect() {
    let vfs = FaultVfs::new();
    let file = create(&vfs, "/a", b"before").unwrap();
    vfs.stop_at(4);
    file.sync().unwrap();
    append(&*file, b"after!", 0).unwrap_err();
    file.sync().unwrap_err();
    vfs.remove_file(Path::new("/a")).unwrap_err();
    vfs.create(Path::new("/b")).unwrap_err();
    assert_eq!(vfs.read("/a").unwrap(), b"before");
    assert_eq!(paths(&vfs), ["/a"]);
    assert!(vfs.trace()[3..].iter().all(|call| call.outcome == Outcome::Injected(ErrorKind::Other)));
}

#[test]
fn a_fault_strikes_its_call_once_or_from_then_on() {
    for (repeat, fails) in
        [(Repeat::Once, [false, true, false, false]), (Repeat::Onwards, [false, true, true, true])]
    {
        let vfs = FaultVfs::new();
        let file = create(&vfs, "/a", b"").unwrap();
        vfs.fail_at(vfs.calls() + 2, Fault::Io, repeat);
        let failed = [0, 1, 2, 3].map(|offset| append(&*file, b"x", offset).is_err());
        assert_eq!(failed, fails);
        assert_eq!(vfs.faults_struck(), fails.iter().filter(|&&failed| failed).count() as u64);
    }
}

#[test]
fn a_fault_can_wait_for_the_nth_call_of_a_kind() {
    let vfs = FaultVfs::new();
    vfs.fail_nth(CallKind::Sync, 2, Fault::NoSpace, Repeat::Once);
    let file = create(&vfs, "/a", b"").unwrap();
    file.sync().unwrap();
    append(&*file, b"x", 0).unwrap();
    assert_eq!(file.sync().unwrap_err().kind(), ErrorKind::StorageFull);
    file.sync().unwrap();
}

#[test]
fn a_fault_passes_over_calls_it_does_not_apply_to() {
    for kind in CallKind::ALL {
        assert!(Fault::Io.applies_to(kind));
        assert!(kind.changes_disk() || !Fault::NoSpace.applies_to(kind), "{kind:?} needs no space");
    }
    let vfs = FaultVfs::new();
    vfs.fail_at(1, Fault::FailedSync, Repeat::Onwards);
    let file = create(&vfs, "/a", b"x").unwrap();
    assert_eq!(vfs.faults_struck(), 0);
    file.sync().unwrap_err();
    vfs.sync_dir(Path::new("/")).unwrap_err();
    assert_eq!(vfs.faults_struck(), 2);
}

#[test]
fn a_short_write_leaves_a_prefix() {
    let vfs = FaultVfs::new();
    let file = create(&vfs, "/a", b"").unwrap();
    vfs.fail_nth(CallKind::Write, 2, Fault::ShortWrite { percent: 30 }, Repeat::Once);
    assert_eq!(append(&*file, b"0123456789", 0).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(vfs.read("/a").unwrap(), b"012");
}

#[test]
fn a_full_disk_takes_what_fits_and_recovers_by_removal() {
    let vfs = FaultVfs::new();
    vfs.set_capacity(Some(100));
    let file = create(&vfs, "/a", &[1; 60]).unwrap();
    drop(create(&vfs, "/b", &[2; 30]).unwrap());
    append(&*file, &[3; 60], 0).unwrap();
    assert_eq!(append(&*file, &[4; 25], 50).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.len().unwrap(), 70);
    assert_eq!(vfs.bytes_used(), 100);
    assert_eq!(file.allocate(71).unwrap_err().kind(), ErrorKind::StorageFull);
    let open = vfs.open(Path::new("/b"), false).unwrap();
    vfs.remove_file(Path::new("/b")).unwrap();
    file.allocate(71).unwrap_err();
    drop(open);
    file.allocate(100).unwrap();
    let image = vfs.crash(&mut Rng::new(0), CrashMode::KeepAll);
    let reopened = image.open(Path::new("/a"), true).unwrap();
    reopened.allocate(101).unwrap_err();
}

#[test]
fn a_failed_directory_sync_loses_its_names_for_good() {
    let vfs = FaultVfs::new();
    drop(create(&vfs, "/a", b"").unwrap());
    vfs.fail_nth(CallKind::SyncDir, 1, Fault::Io, Repeat::Once);
    vfs.sync_dir(Path::new("/")).unwrap_err();
    vfs.create(Path::new("/b")).unwrap();
    vfs.sync_dir(Path::new("/")).unwrap();
    assert_eq!(paths(&vfs.crash(&mut Rng::new(0), CrashMode::DropAllUnsynced)), ["/b"]);
}

#[test]
fn faults_and_files_can_be_shared_between_threads() {
    let vfs = FaultVfs::new();
    vfs.fail_nth(CallKind::Write, 50, Fault::Io, Repeat::Once);
    let failed: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let vfs = vfs.clone();
                scope.spawn(move || {
                    let file: Box<dyn VfsFile> = vfs.create(Path::new(&format!("/{worker}"))).unwrap();
                    (0..25).filter(|&offset| append(&*file, b"x", offset).is_err()).count()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(failed, 1);
    assert_eq!(vfs.calls(), 104);
    assert!(vfs.trace().iter().enumerate().all(|(index, call)| call.number == index as u64 + 1));
}
