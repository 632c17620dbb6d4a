use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use vecstore::vfs::Vfs;
use vecstore_testkit::{CrashMode, FaultVfs, Holes, NameOrder, Rng};

use super::{append, create, paths};

const ORDERED: CrashMode = CrashMode::Random { names: NameOrder::Ordered, holes: Holes::Zeros };
const REORDERED: CrashMode = CrashMode::Random { names: NameOrder::Reordered, holes: Holes::Zeros };

/// Writes some files, syncs some of it, and removes one.
fn script(vfs: &FaultVfs) -> io::Result<()> {
    vfs.create_dir_all(Path::new("/d"))?;
    vfs.sync_dir(Path::new("/"))?;
    for index in 0..4_u8 {
        let file = create(vfs, &format!("/d/{index}"), &[index; 1_300])?;
        if index % 2 == 0 {
            file.sync()?;
            vfs.sync_dir(Path::new("/d"))?;
        }
        append(&*file, &[index + 100; 700], 900)?;
    }
    vfs.rename_no_replace(Path::new("/d/0"), Path::new("/moved"))?;
    vfs.remove_file(Path::new("/d/1"))
}

#[test]
fn the_same_seed_gives_the_same_image() {
    let (left, right) = (FaultVfs::new(), FaultVfs::new());
    script(&left).unwrap();
    script(&right).unwrap();
    for mode in CrashMode::ALL {
        let images = |vfs: &FaultVfs| {
            let mut rng = Rng::new(5);
            (0..50).map(|_| vfs.crash(&mut rng, mode).fingerprint()).collect::<Vec<_>>()
        };
        assert_eq!(images(&left), images(&right), "{mode:?}");
    }
}

#[test]
fn random_images_are_many_and_leave_the_original_alone() {
    let vfs = FaultVfs::new();
    script(&vfs).unwrap();
    let before = vfs.fingerprint();
    let mut rng = Rng::new(1);
    for mode in [ORDERED, REORDERED] {
        let seen: BTreeSet<u64> = (0..500).map(|_| vfs.crash(&mut rng, mode).fingerprint()).collect();
        assert!(seen.len() > 200, "{mode:?} gave {} images", seen.len());
    }
    assert_eq!(vfs.fingerprint(), before);
}

#[test]
fn ordered_names_survive_up_to_a_point_and_reordered_ones_in_any_choice() {
    let vfs = FaultVfs::new();
    for name in ["/a", "/b", "/c"] {
        create(&vfs, name, b"").unwrap();
    }
    let mut rng = Rng::new(2);
    let mut seen =
        |mode| (0..200).map(|_| paths(&vfs.crash(&mut rng, mode)).concat()).collect::<BTreeSet<_>>();
    assert_eq!(seen(ORDERED).into_iter().collect::<Vec<_>>(), ["", "/a", "/a/b", "/a/b/c"]);
    assert_eq!(seen(REORDERED).len(), 8);
}

#[test]
fn what_was_synced_is_in_every_image() {
    let vfs = FaultVfs::new();
    script(&vfs).unwrap();
    let mut rng = Rng::new(3);
    for mode in CrashMode::ALL {
        for _ in 0..200 {
            let image = vfs.crash(&mut rng, mode);
            let bytes = image.read("/d/2").unwrap();
            assert!(bytes.len() == 1_300 || bytes.len() == 1_600);
            assert_eq!(bytes[..900], [2; 900]);
            assert!(bytes[900..1_300].iter().all(|&byte| byte == 2 || byte == 102));
            assert!(image.read("/d/0").is_ok() != image.read("/moved").is_ok());
        }
    }
}

#[test]
fn an_image_can_crash_again() {
    let vfs = FaultVfs::new();
    script(&vfs).unwrap();
    let mut rng = Rng::new(4);
    let image = vfs.crash(&mut rng, REORDERED);
    let recovered = create(&image, "/recovered", b"bytes").unwrap();
    assert_eq!(image.calls(), 2);
    recovered.sync().unwrap();
    let again = image.crash(&mut rng, CrashMode::DropAllUnsynced);
    assert!(again.read("/recovered").is_err());
    image.remove_file(Path::new("/recovered")).unwrap();
    assert_eq!(again.fingerprint(), image.fingerprint());
}

#[test]
fn a_watcher_sees_the_state_a_kill_at_each_call_leaves() {
    let stopped: Vec<u64> = (1..)
        .map(|call| {
            let vfs = FaultVfs::new();
            vfs.stop_at(call);
            (script(&vfs).is_ok(), vfs.fingerprint())
        })
        .take_while(|(complete, _)| !complete)
        .map(|(_, fingerprint)| fingerprint)
        .collect();
    let vfs = FaultVfs::new();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = std::sync::Arc::clone(&seen);
    vfs.watch(move |_, image| sink.lock().unwrap().push(image.fingerprint()));
    script(&vfs).unwrap();
    assert_eq!(*seen.lock().unwrap(), stopped);
    assert_eq!(stopped.len() as u64, vfs.calls());
}
