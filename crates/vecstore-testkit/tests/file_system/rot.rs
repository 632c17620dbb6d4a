use std::io::ErrorKind;
use std::path::Path;

use vecstore::vfs::Vfs;
use vecstore_testkit::{CrashMode, FaultVfs, Rng};

use super::create;

#[test]
fn damage_is_exact_durable_and_no_call() {
    let vfs = FaultVfs::new();
    vfs.write("/d/a", b"0123456789").unwrap();
    vfs.flip("/d/a", 1, 0b11).unwrap();
    vfs.swap_blocks("/d/a", 4, 8, 2).unwrap();
    vfs.overwrite("/d/a", 6, b"xy").unwrap();
    assert_eq!(vfs.read("/d/a").unwrap(), b"022389xy45");
    vfs.truncate("/d/a", 3).unwrap();
    assert_eq!(vfs.calls(), 0);
    let image = vfs.crash(&mut Rng::new(0), CrashMode::DropAllUnsynced);
    assert_eq!(image.read("/d/a").unwrap(), b"022");
}

#[test]
fn damage_outside_a_file_is_refused() {
    let vfs = FaultVfs::new();
    vfs.write("/a", b"bytes").unwrap();
    assert_eq!(vfs.flip("/a", 5, 1).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(vfs.overwrite("/a", 4, b"xy").unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(vfs.swap_blocks("/a", 0, 4, 2).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(vfs.flip("/b", 0, 1).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(vfs.read("/a").unwrap(), b"bytes");
}

#[test]
fn damage_to_a_fork_leaves_the_original_alone() {
    let vfs = FaultVfs::new();
    drop(create(&vfs, "/a", b"bytes").unwrap());
    let fork = vfs.fork();
    fork.flip("/a", 0, 0xff).unwrap();
    fork.remove_file(Path::new("/a")).unwrap();
    assert_eq!(vfs.read("/a").unwrap(), b"bytes");
    assert_ne!(vfs.fingerprint(), fork.fingerprint());
}
