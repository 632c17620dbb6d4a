use std::io::{ErrorKind, IoSlice};
use std::path::Path;

use vecstore::vfs::{LockOutcome, Vfs};
use vecstore_testkit::{CallKind, CrashMode, FaultVfs, Rng};

use super::{append, create};

#[test]
fn reads_what_was_written_through_any_handle() {
    let vfs = FaultVfs::new();
    let file = vfs.create(Path::new("/a")).unwrap();
    file.write_all_at(&[IoSlice::new(b"ab"), IoSlice::new(b"cd")], 3).unwrap();
    file.allocate(10).unwrap();
    let mut read = [9; 10];
    vfs.open(Path::new("a"), false).unwrap().read_exact_at(&mut read, 0).unwrap();
    assert_eq!(&read, b"\0\0\0abcd\0\0\0");
    assert_eq!(file.len().unwrap(), 10);
    assert_eq!(file.read_exact_at(&mut read, 1).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    let reader = vfs.open(Path::new("/a"), false).unwrap();
    assert_eq!(append(&*reader, b"x", 0).unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn paths_that_do_not_fit_are_refused() {
    let vfs = FaultVfs::new();
    let refused = |result: std::io::Result<()>| result.unwrap_err().kind();
    vfs.create_dir_all(Path::new("/d/e")).unwrap();
    create(&vfs, "/d/f", b"").unwrap();
    create(&vfs, "/d/g", b"").unwrap();
    assert_eq!(refused(vfs.create(Path::new("/none/f")).map(drop)), ErrorKind::NotFound);
    assert_eq!(refused(vfs.create(Path::new("/d/f")).map(drop)), ErrorKind::AlreadyExists);
    assert_eq!(refused(vfs.create(Path::new("/d/f/x")).map(drop)), ErrorKind::NotADirectory);
    assert_eq!(refused(vfs.open(Path::new("/d"), true).map(drop)), ErrorKind::IsADirectory);
    assert_eq!(refused(vfs.open(Path::new("/x"), true).map(drop)), ErrorKind::NotFound);
    assert_eq!(refused(vfs.create_dir_all(Path::new("/d/f/x"))), ErrorKind::NotADirectory);
    assert_eq!(refused(vfs.sync_dir(Path::new("/d/f"))), ErrorKind::NotADirectory);
    assert_eq!(refused(vfs.remove_file(Path::new("/d/e"))), ErrorKind::IsADirectory);
    let taken = vfs.rename_no_replace(Path::new("/d/f"), Path::new("/d/g"));
    assert_eq!(refused(taken), ErrorKind::AlreadyExists);
    assert_eq!(vfs.stat(Path::new("/x")).unwrap(), None);
    assert!(vfs.stat(Path::new("/d")).unwrap().unwrap().is_dir);
}

#[test]
fn a_directory_lists_its_own_entries() {
    let vfs = FaultVfs::new();
    vfs.create_dir_all(Path::new("/d/e/f")).unwrap();
    create(&vfs, "/d/file", b"").unwrap();
    let mut listed = vfs.list(Path::new("/d")).unwrap();
    listed.sort_by(|left, right| left.path.cmp(&right.path));
    let listed: Vec<(&str, bool)> =
        listed.iter().map(|entry| (entry.path.to_str().unwrap(), entry.is_dir)).collect();
    assert_eq!(listed, [("/d/e", true), ("/d/file", false)]);
    vfs.remove_dir_all(Path::new("/d")).unwrap();
    assert_eq!(vfs.list(Path::new("/")).unwrap(), []);
}

#[test]
fn a_mapping_is_aligned_and_outlives_its_file() {
    let vfs = FaultVfs::new();
    let bytes: Vec<u8> = (0..10_000_u32).map(|index| index as u8).collect();
    drop(create(&vfs, "/a", &bytes).unwrap());
    let mapping = vfs.map(Path::new("/a")).unwrap();
    vfs.remove_file(Path::new("/a")).unwrap();
    assert_eq!(&*mapping, &bytes);
    assert_eq!(mapping.as_ptr().addr() % 64, 0);
}

#[test]
#[should_panic(expected = "/a is changed while it is mapped")]
fn writing_a_mapped_file_is_a_bug() {
    let vfs = FaultVfs::new();
    let file = create(&vfs, "/a", b"mapped").unwrap();
    let _mapping = vfs.map(Path::new("/a")).unwrap();
    append(&*file, b"x", 0).unwrap();
}

#[test]
fn one_holder_at_a_time_has_the_lock() {
    let vfs = FaultVfs::new();
    let path = Path::new("/LOCK");
    let LockOutcome::Acquired(guard) = vfs.lock(path, "pid 1").unwrap() else { panic!("not acquired") };
    let LockOutcome::Held { holder } = vfs.lock(path, "pid 2").unwrap() else { panic!("acquired twice") };
    assert_eq!(holder, "pid 1");
    let image = vfs.crash(&mut Rng::new(0), CrashMode::KeepAll);
    assert!(matches!(image.lock(path, "pid 3").unwrap(), LockOutcome::Acquired(_)));
    vfs.stop();
    drop(guard);
    vfs.clear_faults();
    assert!(matches!(vfs.lock(path, "pid 4").unwrap(), LockOutcome::Acquired(_)));
}

#[test]
fn the_trace_shows_every_call() {
    let vfs = FaultVfs::new();
    let file = create(&vfs, "/a", b"bytes").unwrap();
    file.sync().unwrap();
    vfs.rename_no_replace(Path::new("/a"), Path::new("/b")).unwrap();
    assert!(vfs.open(Path::new("/a"), false).is_err());
    let lines: Vec<String> = vfs.trace().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "#1 Create /a",
            "#2 Write /a @0+5",
            "#3 Sync /a",
            "#4 Rename /a -> /b",
            "#5 Open /a: entity not found"
        ]
    );
    assert_eq!(vfs.trace()[1].kind, CallKind::Write);
}
