//! Recovery from damage to the index, and wrong clocks.

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
        let epoch = std::fs::read_to_string(world.index().join("HEAD")).unwrap();
        flip(&world.index().join("merkle").join(epoch.trim()), at);
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

#[test]
fn an_index_without_head_can_be_rebuilt() {
    let damages: [Damage; 4] = [
        ("no number", |index| std::fs::write(index.join("HEAD"), "zero").unwrap()),
        ("a number of no epoch", |index| std::fs::write(index.join("HEAD"), "7\n").unwrap()),
        ("no record", |index| std::fs::remove_file(index.join("commits/2.json")).unwrap()),
        ("a torn record", |index| std::fs::write(index.join("commits/2.json"), "{").unwrap()),
    ];
    for (name, damage) in damages {
        let world = World::sample();
        world.run(&[]);
        world.write("lib.rs", "pub fn second() {}\n");
        world.run(&[]);
        damage(&world.index());
        let refused = world.run_command(&[]).output().unwrap();
        assert_eq!(code(&refused), 1, "{name}: {}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains("gristmill run --full"), "{name}: {}", text(&refused.stderr));
        let (report, code) = world.run(&["--full"]);
        assert_eq!((code, report["ending"].as_str()), (0, Some("committed")), "{name}");
        assert_eq!(world.digest(), world.digest_from_scratch(), "{name}");
        world.write("lib.rs", "pub fn third() {}\n");
        let (report, _) = world.run(&[]);
        assert_eq!((report["work"]["contents_analysed"].as_u64(), report["rebuilt_because"].as_str()), (Some(1), None));
        assert_eq!(world.digest(), world.digest_from_scratch(), "{name}: the epoch after");
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
