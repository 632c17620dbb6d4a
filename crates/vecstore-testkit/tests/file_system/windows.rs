use std::io::ErrorKind;
use std::path::Path;

use vecstore::vfs::{LockOutcome, Vfs};
use vecstore_testkit::{CrashMode, FaultVfs, Rng};

use super::{append, create, paths};

#[test]
fn a_file_in_use_keeps_its_name() {
    let vfs = FaultVfs::windows_like();
    vfs.create_dir_all(Path::new("/d")).unwrap();
    let open = create(&vfs, "/d/open", b"x").unwrap();
    drop(create(&vfs, "/d/mapped", b"x").unwrap());
    let mapping = vfs.map(Path::new("/d/mapped")).unwrap();
    let LockOutcome::Acquired(lock) = vfs.lock(Path::new("/d/LOCK"), "pid").unwrap() else { panic!("held") };
    for name in ["/d/open", "/d/mapped", "/d/LOCK"] {
        let denied = vfs.remove_file(Path::new(name)).unwrap_err();
        assert_eq!(denied.kind(), ErrorKind::PermissionDenied);
        vfs.rename_no_replace(Path::new(name), Path::new("/d/new")).unwrap_err();
    }
    vfs.remove_dir_all(Path::new("/d")).unwrap_err();
    let writer = vfs.open(Path::new("/d/mapped"), true).unwrap();
    assert_eq!(append(&*writer, b"y", 0).unwrap_err().kind(), ErrorKind::PermissionDenied);
    drop((open, mapping, lock, writer));
    vfs.rename_no_replace(Path::new("/d/open"), Path::new("/d/new")).unwrap();
    vfs.remove_dir_all(Path::new("/d")).unwrap();
}

#[test]
fn names_ignore_case_and_keep_it() {
    let vfs = FaultVfs::windows_like();
    drop(create(&vfs, "/Name", b"x").unwrap());
    assert_eq!(vfs.create(Path::new("/NAME")).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(vfs.open(Path::new("/name"), false).is_ok());
    assert_eq!(paths(&vfs), ["/Name"]);
    assert_eq!(vfs.create(Path::new("/nul.txt")).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn names_are_durable_by_file_sync_and_rename_alone() {
    let cut = |vfs: &FaultVfs| paths(&vfs.crash(&mut Rng::new(0), CrashMode::DropAllUnsynced));
    let vfs = FaultVfs::windows_like();
    drop(create(&vfs, "/a", b"").unwrap());
    vfs.sync_dir(Path::new("/")).unwrap();
    assert_eq!(cut(&vfs), [""; 0]);
    create(&vfs, "/b", b"").unwrap().sync().unwrap();
    assert_eq!(cut(&vfs), ["/a", "/b"]);
    vfs.rename_no_replace(Path::new("/b"), Path::new("/c")).unwrap();
    assert_eq!(cut(&vfs), ["/a", "/c"]);
}
