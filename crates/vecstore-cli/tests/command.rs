//! The command as its users call it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "somebody has to damage the files")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use vecstore::{CollectionConfig, Metadata, VecDatabase, VecStore};

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
    assert!(
        out.contains("collection            default\n") && out.contains("  records             101"),
        "{out}"
    );
    let (_, out, _) = run(&[&"inspect", &"--json", &path]);
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    let default = &figures["collections"][0];
    assert_eq!((&default["active"], &default["dim"]), (&101.into(), &2.into()));
    assert_eq!(figures["active"], 101);
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
fn every_collection_of_a_database_is_inspected() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let database = VecDatabase::open(&path).unwrap();
    for (name, count) in [("docs", 3), ("../a b", 0)] {
        let collection = database.create_collection(name, &CollectionConfig::new()).unwrap();
        for n in 0..count {
            collection.upsert(&n.to_string(), &[1.0, n as f32], &Metadata::new()).unwrap();
        }
    }
    let (status, out, _) = run(&[&"inspect", &path]);
    assert_eq!(status, 0);
    assert!(
        out.contains("collection            docs\n") && out.contains("collection            ../a b\n"),
        "{out}"
    );
    let (_, out, _) = run(&[&"inspect", &"--json", &"--collection", &"docs", &path]);
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&figures["collections"][0]["active"], figures["collections"].as_array().unwrap().len()),
        (&3.into(), 1)
    );
    let (status, _, errors) = run(&[&"inspect", &"--collection", &"no", &path]);
    assert_eq!(status, 2);
    assert!(errors.contains("`docs`"), "{errors}");
}

#[test]
fn a_store_goes_through_a_backup_beside_its_writer() {
    let (directory, path) = store();
    let [backup, restored] = ["backup", "restored"].map(|name| directory.path().join(name));
    let live = VecStore::open(&path).unwrap();
    let (status, out, errors) = run(&[&"backup", &path, &backup]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert!(out.starts_with("backed up 1 collections"), "{out}");
    live.upsert("one more", &[1.0, 0.5], &Metadata::new()).unwrap();
    let (_, out, _) = run(&[&"backup", &"--incremental", &"--json", &path, &backup]);
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(figures["kept_files"], 1);
    let (status, out, _) = run(&[&"restore", &backup, &restored]);
    assert_eq!(status, 0, "{out}");
    assert_eq!(VecStore::open(&restored).unwrap().len().unwrap(), 101);
    // Not over what is there.
    let (status, _, errors) = run(&[&"restore", &backup, &restored]);
    assert_eq!(status, 2);
    assert!(errors.contains("there already"), "{errors}");
    assert_eq!(run(&[&"restore", &backup]).0, 2);
}

#[test]
fn records_go_through_a_file() {
    let (directory, path) = store();
    let [file, copy] = ["records.jsonl", "copy"].map(|name| directory.path().join(name));
    let (status, out, _) = run(&[&"export", &path, &file]);
    assert_eq!(status, 0);
    assert!(out.starts_with("exported 100 records"), "{out}");
    let (status, out, errors) = run(&[&"import", &"--metric", &"dot", &"--batch-size", &"30", &file, &copy]);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(out, "imported 100 records in 4 batches\n");
    assert!(!directory.path().join("copy.importing").exists());
    let copied = VecStore::options().read_only(true).open(&copy).unwrap();
    assert_eq!((copied.len().unwrap(), copied.metric().name()), (100, "dot"));
    let (_, out, _) = run(&[&"export", &copy, &"-"]);
    assert_eq!(out, fs::read_to_string(&file).unwrap());
    let (status, _, errors) = run(&[&"import", &"--metric", &"cosine", &file, &copy]);
    assert_eq!(status, 2);
    assert!(errors.contains("has the metric dot"), "{errors}");
}

#[test]
fn a_bad_line_is_named_and_a_second_run_goes_on_after_the_batches_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let [file, copy] = ["records.jsonl", "copy"].map(|name| directory.path().join(name));
    let lines: Vec<String> = (0..25).map(|n| format!("{{\"id\":\"{n}\",\"vector\":[1,{n}]}}")).collect();
    let bad = lines.join("\n") + "\nwhat";
    fs::write(&file, &bad).unwrap();
    let import = || run(&[&"import", &"--batch-size", &"10", &"--json", &file, &copy]);
    let (status, out, errors) = import();
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(errors.contains("line 26, column 1") && errors.contains("20 records before it"), "{errors}");
    // The same again: it goes on, and comes to the same line.
    assert!(import().2.contains("line 26"));
    fs::write(&file, bad.replace("what", "    ")).unwrap();
    let (status, out, _) = import();
    let figures: serde_json::Value = serde_json::from_str(&out).unwrap();
    // A file that was changed is another file: it is read from its start, and nothing is doubled.
    assert_eq!((status, &figures["records"], &figures["resumed_at"]), (0, &25.into(), &0.into()));
    assert_eq!(VecStore::open(&copy).unwrap().len().unwrap(), 25);
}

#[test]
fn exports_and_imports_that_cannot_be_say_why() {
    let (directory, path) = store();
    let [file, new] = ["records.jsonl", "new"].map(|name| directory.path().join(name));
    let cases: [(&[&dyn AsRef<std::ffi::OsStr>], &str); 8] = [
        (&[&"export", &path], "the file is missing"),
        (&[&"export", &"--format", &"xml", &path, &file], "expected jsonl, parquet or numpy"),
        (&[&"export", &path, &"records.parquet"], "Python package"),
        (&[&"export", &"--filter", &"price <", &path, &file], "--filter: "),
        (&[&"export", &"--collection", &"no", &path, &file], "`default`"),
        (&[&"import", &file, &new], "is not a file"),
        (&[&"import", &"--from", &"chroma", &path, &new], "Python package"),
        (&[&"import", &"--batch-size", &"0", &file, &new], "a number above 0"),
    ];
    for (arguments, why) in cases {
        let (status, out, errors) = run(arguments);
        assert_eq!((status, out.as_str()), (2, ""), "{errors}");
        assert!(errors.contains(why), "{errors}");
    }
    assert!(!file.exists() && !new.exists());
}

/// Takes so many bytes, then says that nobody reads any more.
struct Pipe(usize);

impl std::io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let (_directory, path) = store();
    let arguments = [OsString::from("export"), path.into(), OsString::from("-")];
    let mut errors = Vec::new();
    assert_eq!(vecstore_cli::run(arguments, &mut Pipe(100), &mut errors), 0);
    assert_eq!(String::from_utf8(errors).unwrap(), "");
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
