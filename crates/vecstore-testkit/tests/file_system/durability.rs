use std::path::Path;

use vecstore::vfs::Vfs;
use vecstore_testkit::{CallKind, CrashMode, Fault, FaultVfs, Repeat, Rng};

use super::{append, create, make_dir, paths};

fn cut(vfs: &FaultVfs) -> FaultVfs {
    vfs.crash(&mut Rng::new(0), CrashMode::DropAllUnsynced)
}

#[test]
fn a_synced_file_is_lost_without_its_name() {
    let vfs = FaultVfs::new();
    create(&vfs, "/a", b"bytes").unwrap().sync().unwrap();
    assert_eq!(paths(&cut(&vfs)), [""; 0]);
    vfs.sync_dir(Path::new("/")).unwrap();
    assert_eq!(cut(&vfs).read("/a").unwrap(), b"bytes");
}

#[test]
fn a_synced_name_does_not_bring_its_bytes() {
    let vfs = FaultVfs::new();
    create(&vfs, "/a", b"bytes").unwrap();
    vfs.sync_dir(Path::new("/")).unwrap();
    assert_eq!(cut(&vfs).read("/a").unwrap(), b"");
}

#[test]
fn a_directory_is_lost_without_its_own_name() {
    let vfs = FaultVfs::new();
    vfs.create_dir_all(Path::new("/d")).unwrap();
    create(&vfs, "/d/a", b"bytes").unwrap().sync().unwrap();
    vfs.sync_dir(Path::new("/d")).unwrap();
    assert_eq!(vfs.stat(Path::new("/d")).unwrap().map(|stat| stat.is_dir), Some(true));
    assert_eq!(cut(&vfs).stat(Path::new("/d")).unwrap(), None);
    vfs.sync_dir(Path::new("/")).unwrap();
    assert_eq!(cut(&vfs).read("/d/a").unwrap(), b"bytes");
}

#[test]
fn a_rename_is_undone_until_the_new_directory_is_synced() {
    let vfs = FaultVfs::new();
    make_dir(&vfs, "/old").unwrap();
    make_dir(&vfs, "/new").unwrap();
    create(&vfs, "/old/a", b"bytes").unwrap().sync().unwrap();
    vfs.sync_dir(Path::new("/old")).unwrap();
    vfs.rename_no_replace(Path::new("/old/a"), Path::new("/new/a")).unwrap();
    vfs.sync_dir(Path::new("/old")).unwrap();
    assert_eq!(paths(&cut(&vfs)), ["/old/a"]);
    vfs.sync_dir(Path::new("/new")).unwrap();
    assert_eq!(paths(&cut(&vfs)), ["/new/a"]);
}

#[test]
fn a_removed_file_comes_back_with_its_durable_bytes() {
    let vfs = FaultVfs::new();
    let file = create(&vfs, "/a", b"durable").unwrap();
    file.sync().unwrap();
    vfs.sync_dir(Path::new("/")).unwrap();
    append(&*file, b"written", 0).unwrap();
    drop(file);
    vfs.remove_file(Path::new("/a")).unwrap();
    assert_eq!(cut(&vfs).read("/a").unwrap(), b"durable");
    vfs.sync_dir(Path::new("/")).unwrap();
    assert_eq!(paths(&cut(&vfs)), [""; 0]);
}

#[test]
fn a_killed_process_loses_nothing_but_a_cut_after_it_does() {
    let vfs = FaultVfs::new();
    create(&vfs, "/a", b"bytes").unwrap();
    let killed = vfs.crash(&mut Rng::new(0), CrashMode::KeepAll);
    assert_eq!(killed.read("/a").unwrap(), b"bytes");
    assert_eq!(paths(&cut(&killed)), [""; 0]);
}

#[test]
fn an_open_file_without_a_name_still_takes_writes() {
    let vfs = FaultVfs::new();
    let file = create(&vfs, "/a", b"bytes").unwrap();
    vfs.remove_file(Path::new("/a")).unwrap();
    vfs.sync_dir(Path::new("/")).unwrap();
    append(&*file, b"more", 5).unwrap();
    file.sync().unwrap();
    assert_eq!(file.len().unwrap(), 9);
    assert_eq!(paths(&vfs.fork()), [""; 0]);
}

#[test]
fn what_a_failed_sync_lost_no_later_sync_brings_back() {
    let vfs = FaultVfs::new();
    let file = create(&vfs, "/a", b"lost").unwrap();
    vfs.sync_dir(Path::new("/")).unwrap();
    vfs.fail_nth(CallKind::Sync, 1, Fault::FailedSync, Repeat::Once);
    file.sync().unwrap_err();
    file.sync().unwrap();
    assert_eq!(vfs.read("/a").unwrap(), b"lost");
    assert_eq!(cut(&vfs).read("/a").unwrap(), b"");
}
