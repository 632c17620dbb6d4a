//! The command as its users call it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "somebody has to damage the files")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use vecstore::{Metadata, VecStore};

fn run(arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> (u8, String, String) {
    let arguments = arguments.iter().map(|argument| OsString::from(argument.as_ref()));
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let status = vecstore_cli::run(arguments, &mut out, &mut errors);
    (status, String::from_utf8(out).unwrap(), String::from_utf8(errors).unwrap())
}

/// A store with a segment of a hundred records; the path has a space in it.
fn store() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("my store");
    let store = VecStore::open(&path).unwrap();
    for n in 0..100 {
        store.upsert(&format!("id-{n}"), &[1.0, n as f32], &Metadata::new()).unwrap();
    }
    store.compact().unwrap();
    store.close().unwrap();
    (directory, path)
}

fn segment(path: &Path) -> PathBuf {
    let collection = fs::read_dir(path.join("collections")).unwrap().next().unwrap().unwrap().path();
    let files = fs::read_dir(collection).unwrap().map(|file| file.unwrap().path());
    files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "seg")).unwrap()
}

fn damage(path: &Path, at: usize, bytes: &[u8]) {
    let file = segment(path);
    let mut content = fs::read(&file).unwrap();
    content[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(file, content).unwrap();
}

#[test]
fn a_sound_store_verifies_and_needs_no_repair() {
    let (_directory, path) = store();
    let (status, out, _) = run(&[&"verify", &path]);
    assert_eq!(status, 0);
    assert!(out.starts_with("ok: 100 records in "), "{out}");
    let (status, out, _) = run(&[&"repair", &path]);
    assert_eq!(status, 0);
    assert!(out.contains("nothing was changed; 100 records"), "{out}");
}

#[test]
fn damage_is_named_and_the_rest_is_saved() {
    let (_directory, path) = store();
    damage(&path, 8, &[0xff; 8]);
    let (status, out, _) = run(&[&"verify", &path]);
    assert_eq!(status, 1);
    assert!(out.contains("block 0 (bytes 0.."), "{out}");
    let (status, out, _) = run(&[&"verify", &"--json", &path]);
    assert_eq!(status, 1);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["ok"], false);
    assert!(report["problems"][0]["path"].as_str().unwrap().ends_with(".seg"));
    let (status, out, _) = run(&[&"repair", &path]);
    assert_eq!(status, 1);
    assert!(out.contains("repaired: 99 records are there"), "{out}");
    assert!(out.contains("ids of lost records: \"id-1\""), "{out}");
    assert!(out.contains("damaged file kept at "), "{out}");
    assert_eq!(run(&[&"verify", &path]).0, 0);
    let store = VecStore::open(&path).unwrap();
    assert_eq!(store.len().unwrap(), 99);
    assert!(!store.contains("id-1").unwrap());
}

#[test]
fn a_flipped_bit_is_put_back() {
    let (_directory, path) = store();
    let content = fs::read(segment(&path)).unwrap();
    damage(&path, 11, &[content[11] ^ 4]);
    assert_eq!(run(&[&"verify", &path]).0, 1);
    let (status, out, _) = run(&[&"repair", &"--json", &path]);
    assert_eq!(status, 0);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["records"], &report["bits_restored"]), (&100.into(), &1.into()));
    assert_eq!(VecStore::open(&path).unwrap().get("id-1").unwrap().unwrap().vector, [1.0, 1.0]);
}

#[test]
fn a_store_is_shown_while_it_is_open() {
    let (_directory, path) = store();
    let store = VecStore::open(&path).unwrap();
    store.upsert("one more", &[1.0, 0.5], &Metadata::new()).unwrap();
    let (status, out, _) = run(&[&"inspect", &path]);
    assert_eq!(status, 0);
    assert!(out.contains("records               101"), "{out}");
    let (_, out, _) = run(&[&"inspect", &"--json", &path]);
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&figures["active"], &figures["dim"]), (&101.into(), &2.into()));
    let (status, _, errors) = run(&[&"repair", &path]);
    assert_eq!(status, 2);
    assert!(errors.contains("open for writing"), "{errors}");
}

#[test]
fn what_cannot_be_done_says_why_and_exits_with_2() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("nothing here");
    for command in ["verify", "repair", "inspect"] {
        let (status, out, errors) = run(&[&command, &missing]);
        assert_eq!((status, out.as_str()), (2, ""));
        assert!(errors.contains("nothing here"), "{errors}");
        assert!(!missing.exists());
        assert_eq!(run(&[&command]).0, 2);
        let (status, _, errors) = run(&[&command, &"--colour", &missing]);
        assert_eq!(status, 2);
        assert!(errors.contains("colour"), "{errors}");
        let (status, out, _) = run(&[&command, &"--help"]);
        assert_eq!(status, 0);
        assert!(out.contains(&format!("Usage: vecstore {command}")), "{out}");
    }
    let (status, _, errors) = run(&[&"destroy", &missing]);
    assert_eq!(status, 2);
    assert!(errors.contains("there is no command `destroy`; expected one of verify"), "{errors}");
    let (status, _, errors) = run(&[&"repair", &"--metric", &"cosin", &missing]);
    assert_eq!(status, 2);
    assert!(errors.contains("--metric"), "{errors}");
    let (status, out, _) = run(&[]);
    assert_eq!(status, 0);
    assert!(out.contains("verify") && out.contains("repair"), "{out}");
    assert!(run(&[&"--version"]).1.starts_with("vecstore "));
}

#[test]
fn a_repair_is_told_the_analyzer_of_a_store_without_manifests() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = VecStore::options().analyzer("english".parse().unwrap()).open(&path).unwrap();
    store.upsert("a", &[1.0, 2.0], &Metadata::new()).unwrap();
    store.close().unwrap();
    for file in fs::read_dir(&path).unwrap().map(|file| file.unwrap().path()) {
        if file.file_name().unwrap().to_string_lossy().starts_with("manifest-") {
            fs::remove_file(file).unwrap();
        }
    }
    let (status, _, errors) = run(&[&"repair", &"--analyzer", &"klingon", &path]);
    assert_eq!(status, 2, "{errors}");
    assert!(errors.contains("--analyzer"), "{errors}");
    let arguments: [&dyn AsRef<std::ffi::OsStr>; 6] =
        [&"repair", &"--metric", &"cosine", &"--analyzer", &"english", &path];
    let (status, out, _) = run(&arguments);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("the analyzer english"), "{out}");
    VecStore::options().analyzer("english".parse().unwrap()).open(&path).unwrap();
}
