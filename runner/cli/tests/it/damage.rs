//! Recovery from damage to the index, and wrong clocks.

mod sweep;

use std::fs::{File, FileTimes};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::world::{World, code, text};

/// A kind of damage: its name and function.
type Damage = (&'static str, fn(&Path));

/// Flips a byte.
fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x55;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_merkle_tree_is_rebuilt_and_reported() {
    let world = World::sample();
    world.run(&[]);
    let length = std::fs::metadata(world.index().join("merkle/1")).unwrap().len() as usize;
    // Everywhere in the file: its head, its names, its hashes, its end.
    for at in (0..length).step_by(length / 12).chain([length - 1]) {
        let head = std::fs::read_to_string(world.index().join("HEAD")).unwrap();
        flip(&world.index().join("merkle").join(head.trim()), at);
        let (report, code) = world.run(&[]);
        let notice = report["notice"].as_str().unwrap_or_default();
        assert!(code == 0 && notice.contains("the stored Merkle tree cannot be used"), "{at}: {report:#}");
        assert_eq!(report["ending"], "unchanged", "{at}: the files are what they were");
        let (report, _) = world.run(&[]);
        assert_eq!(report["notice"].as_str(), None, "{at}: it was replaced");
    }
    assert_eq!(world.digest(), world.digest_from_scratch());

    flip(&world.index().join("merkle/1"), length / 2);
    world.write("lib.rs", "pub fn edited() {}\n");
    let (report, _) = world.run(&[]);
    assert!(report["notice"].is_string() && report["rebuilt_because"].is_string(), "{report:#}");
    assert_eq!(world.digest(), world.digest_from_scratch());
    std::fs::remove_file(world.index().join("merkle/2")).unwrap();
    world.write("lib.rs", "pub fn edited_again() {}\n");
    let (report, _) = world.run(&[]);
    assert!(report["notice"].is_string(), "{report:#}");
    assert_eq!(world.digest(), world.digest_from_scratch());
}

/// Without `HEAD` and its record a run goes on from the newest epoch that is whole.
#[test]
fn a_damaged_head_costs_no_epoch() {
    let damages: [(Damage, bool); 7] = [
        (("no number", |index| std::fs::write(index.join("HEAD"), "zero").unwrap()), true),
        (("a number of no epoch", |index| std::fs::write(index.join("HEAD"), "7\n").unwrap()), true),
        (("no head", |index| std::fs::remove_file(index.join("HEAD")).unwrap()), true),
        (
            ("a folder", |index| {
                std::fs::remove_file(index.join("HEAD")).unwrap();
                std::fs::create_dir(index.join("HEAD")).unwrap();
            }),
            true,
        ),
        (
            ("a folder for a later name", |index| {
                std::fs::create_dir_all(index.join("commits/2.revision/inside")).unwrap()
            }),
            true,
        ),
        (("no record", |index| std::fs::remove_file(index.join("commits/2.json")).unwrap()), false),
        (("a torn record", |index| std::fs::write(index.join("commits/2.json"), "{").unwrap()), false),
    ];
    for ((name, damage), is_whole) in damages {
        let world = World::sample();
        world.run(&[]);
        world.write("lib.rs", "pub fn second() {}\n");
        world.run(&[]);
        damage(&world.index());
        let refused = world.command(&["status"]).arg("--index").arg(world.index()).output().unwrap();
        assert_eq!(code(&refused), 1, "{name}: {}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains("gristmill run"), "{name}: {}", text(&refused.stderr));
        let (report, code) = world.run(&[]);
        let notice = report["notice"].as_str().unwrap_or_default();
        let ending = if is_whole { "unchanged" } else { "committed" };
        assert_eq!((code, report["ending"].as_str()), (0, Some(ending)), "{name}: {report:#}");
        assert!(
            notice.contains(if is_whole { "went on from epoch 2" } else { "went on from epoch 1" }),
            "{name}: {notice}"
        );
        assert_eq!(world.digest(), world.digest_from_scratch(), "{name}");
        world.write("lib.rs", "pub fn third() {}\n");
        let (report, _) = world.run(&[]);
        assert_eq!((report["work"]["contents_analysed"].as_u64(), report["rebuilt_because"].as_str()), (Some(1), None));
        assert_eq!(world.digest(), world.digest_from_scratch(), "{name}: the epoch after");
    }
}

/// What cannot be read at all is built from nothing, under a number that no epoch had.
#[test]
fn an_index_without_any_whole_epoch_is_built_from_nothing() {
    let world = World::sample();
    world.run(&[]);
    std::fs::write(world.index().join("commits/1.json"), "{").unwrap();
    let (report, _) = world.run(&[]);
    assert_eq!((report["ending"].as_str(), report["epoch"].as_u64()), (Some("committed"), Some(2)), "{report:#}");
    assert!(report["notice"].as_str().unwrap().contains("built the index from nothing"), "{report:#}");
    assert_eq!(world.digest(), world.digest_from_scratch());
}

/// Whatever the folder holds, `--full` makes an index of it.
#[test]
fn a_full_run_heals_any_state() {
    fn replace_by_file(path: &Path) {
        std::fs::remove_dir_all(path).unwrap();
        std::fs::write(path, "mine").unwrap();
    }
    let states: [Damage; 10] = [
        ("no lock", |index| std::fs::remove_file(index.join("LOCK")).unwrap()),
        ("a folder as lock", |index| {
            std::fs::remove_file(index.join("LOCK")).unwrap();
            std::fs::create_dir_all(index.join("LOCK/inside")).unwrap();
        }),
        ("no records", |index| std::fs::remove_dir_all(index.join("commits")).unwrap()),
        ("a file for records", |index| replace_by_file(&index.join("commits"))),
        ("a file as sink", |index| replace_by_file(&index.join("lance"))),
        ("a file as table", |index| replace_by_file(&index.join("lance/files.lance"))),
        ("no table", |index| std::fs::remove_dir_all(index.join("lance/symbols.lance")).unwrap()),
        ("no manifests", |index| std::fs::remove_dir_all(index.join("lance/chunks.lance/_versions")).unwrap()),
        ("a foreign manifest", |index| {
            let versions = index.join("lance/files.lance/_versions");
            std::fs::write(versions.join(format!("{:020}.manifest", u64::MAX - 9)), "not oneLANC").unwrap();
        }),
        ("no segments", |index| {
            for file in files(&index.join("tantivy")) {
                std::fs::write(index.join("tantivy").join(file), "mine").unwrap();
            }
        }),
    ];
    for (name, state) in states {
        let world = World::sample();
        world.run(&[]);
        state(&world.index());
        let (report, code) = world.run(&["--full"]);
        assert_eq!((code, report["ending"].as_str()), (0, Some("committed")), "{name}");
        assert_eq!(world.digest(), world.digest_from_scratch(), "{name}");
        world.write("lib.rs", "pub fn edited() {}\n");
        let (report, _) = world.run(&[]);
        assert_eq!(
            (report["work"]["contents_analysed"].as_u64(), report["notice"].as_str()),
            (Some(1), None),
            "{name}"
        );
        assert_eq!(world.digest(), world.digest_from_scratch(), "{name}: the epoch after");
        let left: Vec<_> =
            files(&world.index()).into_iter().filter(|file| file.to_str().unwrap().contains(".damaged")).collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
}

/// A store is rebuilt from another one: nothing is parsed or embedded again. A crash on the way costs nothing.
#[test]
fn a_damaged_full_text_index_is_rebuilt_from_the_tables() {
    for point in [None, Some("published"), Some("swapped"), Some("commit.before_head"), Some("committed")] {
        let world = World::sample();
        world.run(&[]);
        let store = files(&world.index()).into_iter().find(|file| file.extension().is_some_and(|it| it == "store"));
        std::fs::remove_file(world.index().join(store.unwrap())).unwrap();
        if let Some(point) = point {
            let output = world.run_command(&[]).env("GRISTMILL_CRASH_AT", point).output().unwrap();
            assert_eq!(output.status.code(), None, "{point}: the process was to die: {}", text(&output.stderr));
        }
        let (report, code) = world.run(&[]);
        let is_done = point == Some("committed");
        assert_eq!((code, report["ending"].as_str()), (0, Some(if is_done { "unchanged" } else { "committed" })));
        assert_eq!(report["work"]["contents_analysed"], 0, "{point:?}: {report:#}");
        assert_eq!(report["work"]["passages_embedded"], 0, "{point:?}: {report:#}");
        let notice = report["notice"].as_str().unwrap_or_default();
        assert!(is_done || notice.contains("the index was damaged"), "{point:?}: {notice}");
        assert_eq!(world.digest(), world.digest_from_scratch(), "{point:?}");
        world.read(&["status", "--verify"]);
    }
}

/// A table that is lost is made again from the source, with the vectors that are left.
#[test]
fn a_lost_table_costs_no_embedding() {
    let world = World::sample();
    world.run(&[]);
    std::fs::remove_dir_all(world.index().join("lance/symbols.lance")).unwrap();
    let (report, _) = world.run(&[]);
    assert_eq!(report["work"]["passages_embedded"], 0, "{report:#}");
    assert!(report["work"]["contents_analysed"].as_u64() > Some(0), "{report:#}");
    assert_eq!(world.digest(), world.digest_from_scratch());
}

/// A run that finds what it reads damaged repairs it and goes on.
#[test]
fn damage_that_shows_within_a_run_is_mended() {
    let world = World::sample();
    world.run(&[]);
    world.write("lib.rs", "pub fn second() {}\n");
    world.run(&[]);
    let deletions = files(&world.index()).into_iter().find(|file| file.starts_with("lance/files.lance/_deletions"));
    let deletions = world.index().join(deletions.unwrap());
    let length = std::fs::metadata(&deletions).unwrap().len() as usize;
    std::fs::write(&deletions, vec![0x55; length]).unwrap();
    // Of the same fragment as the row that is deleted already.
    world.write("notes.txt", "Other notes.\n");
    let (report, code) = world.run(&[]);
    let notice = report["notice"].as_str().unwrap_or_default();
    assert!(code == 0 && notice.contains("checksum mismatch"), "{report:#}");
    assert_eq!(world.digest(), world.digest_from_scratch());
    world.read(&["status", "--verify"]);
}

/// Rows that a kept epoch held come back from its files: damaged ones would get checksums of their own.
#[test]
fn nothing_is_recalled_from_damaged_files_of_an_older_epoch() {
    let is_manifest = |file: &Path| file.extension().is_some_and(|it| it == "manifest");
    for only_manifests in [false, true] {
        let world = World::sample();
        let notes = std::fs::read(world.source().join("notes.txt")).unwrap();
        world.run(&[]);
        std::fs::remove_file(world.source().join("notes.txt")).unwrap();
        world.run(&[]);
        let output = world.job_command("gc", &[]).output().unwrap();
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        let record = std::fs::read_to_string(world.index().join("commits/3.json")).unwrap();
        let only_older = |file: &PathBuf| {
            let is_of_table =
                file.starts_with("lance") && (is_manifest(file) || file.to_str().unwrap().contains("/data/"));
            is_of_table && !record.contains(file.to_str().unwrap()) && (is_manifest(file) || !only_manifests)
        };
        let damaged: Vec<_> = files(&world.index()).into_iter().filter(only_older).collect();
        assert!(damaged.len() > 3, "{damaged:?}");
        for file in damaged {
            let path = world.index().join(file);
            let mut bytes = std::fs::read(&path).unwrap();
            // Low bits of what may be text.
            let end = bytes.len() / 2;
            bytes[..end].iter_mut().for_each(|byte| *byte ^= 1);
            std::fs::write(&path, bytes).unwrap();
        }
        world.write("notes.txt", &notes);
        let (report, code) = world.run(&[]);
        assert_eq!((code, report["work"]["contents_analysed"].as_u64()), (0, Some(1)), "{report:#}");
        assert_eq!(world.digest(), world.digest_from_scratch());
        world.read(&["status", "--verify"]);
    }
}

/// What only older epochs name, or none, stops neither runs nor garbage collection.
#[test]
fn damage_beside_the_newest_epoch_stops_nothing() {
    fn replace(path: &Path, content: Option<&str>) {
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
        match content {
            Some(content) => std::fs::write(path, content).unwrap(),
            None => std::fs::create_dir_all(path.join("inside")).unwrap(),
        }
    }
    /// Those of a folder with such names, but for files that the newest epoch reaches.
    fn older(index: &Path, folder: &str, is_one: fn(&str) -> bool) -> PathBuf {
        let record = std::fs::read_to_string(index.join("commits/3.json")).unwrap();
        let entries = std::fs::read_dir(index.join(folder)).unwrap().map(|entry| entry.unwrap());
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.retain(|name| is_one(name) && !record.contains(&**name));
        names.sort();
        index.join(folder).join(names.pop().unwrap_or_else(|| panic!("{folder} has none")))
    }
    let manifest = |index: &Path| older(index, "lance/files.lance/_versions", |name| name.ends_with(".manifest"));
    let deletes = |index: &Path| older(index, "tantivy", |name| name.ends_with(".del"));
    let keys = |index: &Path| older(index, "lance/files.keys", |name| name.ends_with(".run"));
    type Place<'a> = &'a dyn Fn(&Path) -> PathBuf;
    let meta: Place<'_> = &|index| index.join("tantivy/meta.1.json");
    let cases: [(&str, Place<'_>, Option<&str>); 9] = [
        ("an empty list of segments", meta, Some("")),
        ("no list of segments", meta, Some("{\"segments\": 7}")),
        ("a folder for a list of segments", meta, None),
        ("an empty manifest", &manifest, Some("")),
        ("no manifest", &manifest, Some("manifest LANC")),
        ("a folder for a manifest", &manifest, None),
        ("a folder for deleted documents", &deletes, None),
        ("a folder for a key run", &keys, None),
        ("a record", &|index| index.join("commits/1.json"), Some("{")),
    ];
    for (name, place, content) in cases {
        let world = World::sample();
        for edit in ["pub fn first() {}\n", "pub fn second() {}\n", "pub fn third() {}\n"] {
            world.write("lib.rs", edit);
            world.run(&[]);
        }
        let place = place(&world.index());
        if !place.exists() {
            std::fs::write(&place, "").unwrap();
        }
        replace(&place, content);
        world.read(&["history"]);
        world.write("lib.rs", "pub fn fourth() {}\n");
        let (report, code) = world.run(&[]);
        assert_eq!((code, report["ending"].as_str()), (0, Some("committed")), "{name}: {report:#}");
        let output = world.job_command("gc", &["--keep", "2"]).output().unwrap();
        assert_eq!(self::code(&output), 0, "{name}: {}", text(&output.stderr));
        assert_eq!(world.digest(), world.digest_from_scratch(), "{name}");
        let (report, code) = world.run(&["--verify"]);
        assert_eq!((code, report["ending"].as_str()), (0, Some("unchanged")), "{name}: {report:#}");
    }
}

/// What hangs whoever opens it, or leads nowhere.
#[cfg(unix)]
#[test]
fn pipes_and_links_in_place_of_files_are_damage() {
    let places = [
        "HEAD",
        "HEAD.check",
        "HEAD.tmp",
        "HEAD.draft",
        "WRITER",
        "WRITER.draft",
        "LOCK",
        "commits/3.tmp",
        "merkle/2",
        "merkle/3.tmp",
        "runs/1.json",
        "lance/files.keys/rows-1-1.run",
        "lance/files.lance/_versions/latest_version_hint.json",
        "tantivy/meta.json",
        "tantivy/meta.1.json",
        "tantivy/.tantivy-writer.lock",
        "tantivy/.tantivy-meta.lock",
    ];
    for name in places {
        for is_pipe in [true, false] {
            let world = World::sample();
            world.run(&[]);
            world.write("lib.rs", "pub fn second() {}\n");
            world.run(&[]);
            let path = world.index().join(name);
            let _ = std::fs::remove_file(&path);
            if is_pipe {
                assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
            } else {
                std::os::unix::fs::symlink("nowhere", &path).unwrap();
            }
            // Each ends, in one way or the other.
            if name != "LOCK" {
                world.command(&["status", "--verify"]).arg("--index").arg(world.index()).output().unwrap();
            }
            world.write("lib.rs", "pub fn third() {}\n");
            let (report, code) = world.run(&[]);
            assert_eq!(code, 0, "{name}, {is_pipe}: {report:#}");
            let output = world.job_command("gc", &["--keep", "1"]).output().unwrap();
            assert_eq!(self::code(&output), 0, "{name}, {is_pipe}: {}", text(&output.stderr));
            assert_eq!(world.digest(), world.digest_from_scratch(), "{name}, {is_pipe}");
        }
    }
}

/// Files in the place of folders that the epoch does not reach, and the reverse, stop nothing.
#[test]
fn what_lies_in_the_place_of_something_else_is_deleted() {
    let places =
        ["lance/chunks.lance/_transactions", "tantivy/meta.json", "tantivy/.tantivy-writer.lock", "HEAD.draft"];
    for place in places {
        let world = World::sample();
        world.run(&[]);
        let path = world.index().join(place);
        if path.is_dir() {
            std::fs::remove_dir_all(&path).unwrap();
            std::fs::write(&path, "mine").unwrap();
        } else {
            let _ = std::fs::remove_file(&path);
            std::fs::create_dir_all(path.join("inside")).unwrap();
        }
        let output = world.job_command("gc", &["--keep", "1"]).output().unwrap();
        assert_eq!(code(&output), 0, "{place}: {}", text(&output.stderr));
        assert_eq!(world.digest(), world.digest_from_scratch(), "{place}");
        let output = world.command(&["clear"]).arg("--index").arg(world.index()).output().unwrap();
        assert_eq!(code(&output), 0, "{place}: {}", text(&output.stderr));
    }
}

/// Whatever makes a store fail, `--verify` rebuilds it beside its folder.
#[test]
fn a_store_that_cannot_be_written_is_rebuilt_on_request() {
    for place in ["lance/symbols.lance/data", "lance/files.keys", "lance/symbols.lance/_versions"] {
        let world = World::sample();
        world.run(&[]);
        let path = world.index().join(place);
        std::fs::remove_dir_all(&path).unwrap();
        std::fs::write(&path, "mine").unwrap();
        world.write("lib.rs", "pub fn edited() {}\n");
        let (report, code) = world.run(&["--verify"]);
        assert_eq!((code, report["ending"].as_str()), (0, Some("committed")), "{place}: {report:#}");
        assert!(report["notice"].is_string(), "{place}: {report:#}");
        assert_eq!(world.digest(), world.digest_from_scratch(), "{place}");
        world.write("lib.rs", "pub fn edited_again() {}\n");
        let (report, _) = world.run(&[]);
        assert_eq!(report["notice"].as_str(), None, "{place}");
        assert_eq!(world.digest(), world.digest_from_scratch(), "{place}");
    }
}

/// A run looks whether the key runs are there before it needs them.
#[test]
fn a_run_without_changes_rebuilds_lost_key_runs() {
    let damages: [Damage; 2] = [
        ("cut short", |run| File::options().write(true).open(run).unwrap().set_len(40).unwrap()),
        ("deleted", |run| std::fs::remove_file(run).unwrap()),
    ];
    for (name, damage) in damages {
        let world = World::sample();
        world.run(&[]);
        damage(&runs(&world)[0]);
        let (report, _) = world.run(&[]);
        assert_eq!(report["ending"], "committed", "{name}: {report:#}");
        assert_eq!(report["work"]["contents_analysed"], 0, "{name}: {report:#}");
        world.read(&["status", "--verify"]);
        assert_eq!(world.digest(), world.digest_from_scratch(), "{name}");
    }
}

/// Reports of runs are no part of an epoch.
#[test]
fn a_damaged_report_of_a_run_hides_nothing_else() {
    let world = World::sample();
    world.run(&[]);
    std::fs::write(world.index().join("runs/1.json"), [0xff; 40]).unwrap();
    world.read(&["status", "--verify"]);
    world.read(&["history"]);
    let (report, code) = world.run(&[]);
    assert_eq!((code, report["ending"].as_str()), (0, Some("unchanged")));
}

/// Compaction would give damaged rows a checksum of their own.
#[test]
fn damage_is_not_compacted() {
    let world = World::sample();
    world.run(&[]);
    let data = files(&world.index()).into_iter().find(|file| file.starts_with("lance/chunks.lance/data")).unwrap();
    flip(&world.index().join(&data), 40);
    let output = world.job_command("gc", &[]).output().unwrap();
    let errors = text(&output.stderr);
    assert!(code(&output) == 1 && errors.contains("checksum mismatch"), "{errors}");
    assert!(errors.contains("gristmill run --verify"), "{errors}");
    world.run(&["--verify"]);
    let output = world.job_command("gc", &[]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(world.digest(), world.digest_from_scratch());
}

/// All files below a folder, relative to it, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    fn list(folder: &Path, inside: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder.join(inside)).unwrap().map(|entry| entry.unwrap()) {
            let path = inside.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() { list(folder, &path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    list(folder, Path::new(""), &mut found);
    found.sort();
    found
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in files(from) {
        std::fs::create_dir_all(to.join(&file).parent().unwrap()).unwrap();
        std::fs::copy(from.join(&file), to.join(&file)).unwrap();
    }
    // Folders that are empty belong to it too.
    for part in ["commits", "journal", "merkle", "runs"] {
        std::fs::create_dir_all(to.join(part)).unwrap();
    }
}

/// All files that find rows by their keys.
fn runs(world: &World) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(world.index().join("lance")).unwrap().map(|entry| entry.unwrap().path()) {
        if folder.extension().is_some_and(|extension| extension == "keys") {
            found.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(!found.is_empty());
    found
}

#[test]
fn damaged_key_runs_are_rebuilt() {
    let damages: [Damage; 6] = [
        ("head", |run| flip(run, 0)),
        ("entries", |run| flip(run, 24)),
        ("end", |run| flip(run, std::fs::metadata(run).unwrap().len() as usize - 1)),
        ("cut short", |run| File::options().write(true).open(run).unwrap().set_len(40).unwrap()),
        ("emptied", |run| std::fs::write(run, "").unwrap()),
        ("deleted", |run| std::fs::remove_file(run).unwrap()),
    ];
    for (name, damage) in damages {
        let world = World::sample();
        world.run(&[]);
        world.write("lib.rs", "pub fn second() {}\n");
        world.run(&[]);
        runs(&world).iter().for_each(|run| damage(run));
        world.write("lib.rs", "pub fn third() {}\n");
        std::fs::rename(world.source().join("web"), world.source().join("site")).unwrap();
        std::fs::remove_file(world.source().join("notes.txt")).unwrap();
        let (report, code) = world.run(&[]);
        assert_eq!((code, report["rebuilt_because"].as_str()), (0, None), "{name}: {report:#}");
        assert_eq!(world.digest(), world.digest_from_scratch(), "{name}");
        world.write("notes.txt", "Back again.\n");
        world.run(&[]);
        assert_eq!(world.digest(), world.digest_from_scratch(), "{name}: the epoch after");
    }
}

#[test]
fn edits_are_detected_whatever_the_clock_says() {
    const DAY: Duration = Duration::from_secs(86_400);
    let world = World::sample();
    let now = SystemTime::now();
    let path = world.source().join("lib.rs");
    let set = |time: SystemTime| {
        let file = File::options().write(true).open(&path).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
    };
    world.run(&[]);
    // All of one size, so that size tells nothing.
    for (nth, time) in
        [now + DAY, now + DAY, now - DAY, now - DAY, now + 400 * DAY, SystemTime::UNIX_EPOCH].iter().enumerate()
    {
        world.write("lib.rs", format!("pub fn edit_{nth}() {{}}\n"));
        set(*time);
        let (report, _) = world.run(&[]);
        assert_eq!(report["changes"]["modified"], 1, "edit {nth}");
        assert_eq!(world.search(&[&format!("edit_{nth}"), "--mode", "text"])[0]["path"], "lib.rs", "edit {nth}");
    }
    assert_eq!(world.digest(), world.digest_from_scratch());
    // A touch alone changes nothing.
    set(now + DAY);
    let (report, _) = world.run(&[]);
    assert_eq!(report["ending"], "unchanged");
}

/// What a power cut may leave of a version that no epoch names: Lance reads the newest manifest first.
#[test]
fn a_torn_manifest_that_no_epoch_names_is_deleted() {
    for length in [0, 100] {
        let world = World::sample();
        world.run(&[]);
        let versions = world.index().join("lance/chunks.lance/_versions");
        let manifests = std::fs::read_dir(&versions).unwrap().map(|entry| entry.unwrap().path());
        // Names count down: the newest is first.
        let newest = manifests.filter(|path| path.extension().is_some_and(|found| found == "manifest")).min().unwrap();
        let number: u64 = newest.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        let whole = std::fs::read(&newest).unwrap();
        let torn = versions.join(format!("{:020}.manifest", number - 1));
        std::fs::write(&torn, &whole[..length]).unwrap();
        world.write("lib.rs", "pub fn edited() {}\n");
        let (report, code) = world.run(&[]);
        assert_eq!((code, report["ending"].as_str()), (0, Some("committed")), "{report:#}");
        assert_eq!(world.digest(), world.digest_from_scratch());
    }
}
