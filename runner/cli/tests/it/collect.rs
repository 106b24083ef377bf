//! Garbage collection: old epochs and compaction.

use std::collections::BTreeMap;
use std::path::Path;

use gristmill_pipeline::Epoch;
use gristmill_query::Snapshot;
use serde_json::Value;

use crate::world::{World, code, text};

/// An index with several epochs; each after the first edits one file and adds another.
fn epochs(count: u32, more: &[&str]) -> World {
    let world = World::sample();
    world.run(more);
    for epoch in 2..=count {
        world.write("lib.rs", format!("pub fn of_epoch_{epoch}() -> u32 {{\n    {epoch}\n}}\n"));
        world.write(&format!("many/{epoch}.py"), format!("def added_{epoch}():\n    return {epoch}\n"));
        world.run(more);
    }
    world
}

fn gc(world: &World, more: &[&str]) -> Value {
    let output = world.job_command("gc", &["--json"]).args(more).output().unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn kept(collected: &Value) -> Vec<u64> {
    collected["kept"].as_array().unwrap().iter().map(|epoch| epoch.as_u64().unwrap()).collect()
}

/// The number of files in a folder with an extension.
fn files(folder: &Path, extension: &str) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|found| found == extension)).count()
}

/// The number of fragments of each table, and of segments of the full-text index.
fn parts(world: &World) -> BTreeMap<String, usize> {
    let tables = std::fs::read_dir(world.index().join("lance")).unwrap().map(|entry| entry.unwrap().path());
    let tables = tables.filter(|path| path.extension().is_some_and(|extension| extension == "lance"));
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let filled = tables.filter(|path| path.join("data").exists());
    let mut parts: BTreeMap<String, usize> =
        filled.map(|path| (name(&path), files(&path.join("data"), "lance"))).collect();
    parts.insert("tantivy".into(), files(&world.index().join("tantivy"), "store"));
    parts
}

#[test]
fn old_epochs_are_deleted_and_the_stores_compacted() {
    let world = epochs(4, &[]);
    let before = world.digest();
    assert!(parts(&world).values().any(|parts| *parts > 1), "{:?}", parts(&world));
    let collected = gc(&world, &["--keep", "1"]);
    assert_eq!((kept(&collected), collected["given_up"].as_u64()), (vec![5], Some(4)), "{collected:#}");
    assert_eq!(collected["compacted"], 5);
    assert!(collected["bytes"][1].as_u64() < collected["bytes"][0].as_u64(), "{collected:#}");
    assert_eq!(world.digest(), before);
    assert!(parts(&world).values().all(|parts| *parts <= 1), "one part each: {:?}", parts(&world));

    let output = world.command(&["digest", "--epoch", "1"]).arg("--index").arg(world.index()).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("no epoch 1"), "{}", text(&output.stderr));
    assert_eq!(world.search(&["of_epoch_4", "--mode", "text"])[0]["path"], "lib.rs");
    assert_eq!(world.search(&["open the settings", "--mode", "vector"])[0]["symbol"], "parse_config");

    world.write("many/2.py", "def edited():\n    return 0\n");
    let (report, _) = world.run(&[]);
    assert_eq!(
        (report["work"]["contents_analysed"].as_u64(), &report["rebuilt_because"]),
        (Some(1), &Value::Null),
        "{report:#}"
    );
    assert_eq!(world.digest(), world.digest_from_scratch());
}

#[test]
fn without_compaction_only_epochs_are_deleted() {
    let world = epochs(3, &[]);
    let before = world.digest();
    let collected = gc(&world, &["--keep", "2", "--no-compact"]);
    assert_eq!((kept(&collected), &collected["compacted"]), (vec![2, 3], &Value::Null));
    assert_eq!(world.digest(), before);
}

#[test]
fn an_index_can_retain_all_epochs() {
    for keep in [&["--set", "index.keep=0"][..], &["--keep", "18446744073709551615"]] {
        let world = epochs(3, &["--set", "index.keep=0"]);
        let before = world.digest();
        assert_eq!(kept(&gc(&world, keep)), [1, 2, 3, 4], "{keep:?}");
        assert_eq!(world.digest(), before);
    }
}

#[test]
fn the_newest_epoch_is_never_deleted() {
    let world = epochs(2, &[]);
    let before = world.digest();
    assert_eq!(kept(&gc(&world, &["--keep", "0"])), [3]);
    assert_eq!(kept(&gc(&world, &["--keep", "0", "--no-compact"])), [3]);
    assert_eq!(world.digest(), before);
}

#[test]
fn a_pinned_epoch_is_retained() {
    let world = epochs(4, &[]);
    let digests = |snapshot: &Snapshot| {
        (
            snapshot.lance("lance").unwrap().table_digests().unwrap(),
            snapshot.tantivy("tantivy").unwrap().digest().unwrap(),
        )
    };
    let held = Snapshot::open(&world.index(), Some(Epoch::new(2))).unwrap();
    let before = digests(&held);
    assert_eq!(kept(&gc(&world, &["--keep", "1"])), [2, 5]);
    assert_eq!(digests(&held), before);
    world.write("lib.rs", "pub fn newer() {}\n");
    world.run(&["--set", "index.keep=1"]);
    assert_eq!(digests(&held), before, "an automatic collection retains it too");
    drop(held);
    assert_eq!(kept(&gc(&world, &["--keep", "1"])), [7]);
    assert!(Snapshot::open(&world.index(), Some(Epoch::new(2))).is_err());
    assert_eq!(world.digest(), world.digest_from_scratch());
}

/// The newest epoch's record is rewritten when another commit has the same files.
#[test]
fn a_pin_survives_a_rewrite_of_the_commit_record() {
    let world = World::repository();
    let git = ["--set", "source.kind=git"];
    world.run(&git);
    let held = Snapshot::open(&world.index(), Some(Epoch::new(1))).unwrap();
    world.git(&["commit", "--quiet", "--allow-empty", "--message", "the same files"]);
    let (report, _) = world.run(&git);
    assert_eq!(report["ending"], "unchanged");
    world.write("lib.rs", "pub fn newer() {}\n");
    world.commit("other files");
    world.run(&git);
    assert_eq!(kept(&gc(&world, &["--keep", "1", git[0], git[1]])), [1, 3]);
    drop(held);
    assert_eq!(kept(&gc(&world, &["--keep", "1", "--no-compact", git[0], git[1]])), [3]);
}

#[test]
fn a_run_collects_at_twice_the_number_of_epochs() {
    let commits = |world: &World| files(&world.index().join("commits"), "json");
    let world = epochs(3, &["--set", "index.keep=2"]);
    assert_eq!(commits(&world), 3);
    let world = epochs(4, &["--set", "index.keep=2"]);
    assert_eq!(commits(&world), 2);
    assert_eq!(world.digest(), world.digest_from_scratch());
}

#[test]
fn retained_contents_are_reused_after_a_compaction() {
    let world = epochs(1, &[]);
    let (first, digest) = (std::fs::read(world.source().join("lib.rs")).unwrap(), world.digest());
    world.write("lib.rs", "pub fn for_a_while() {}\n");
    world.run(&[]);
    gc(&world, &["--keep", "3"]);
    world.write("lib.rs", first);
    let (report, _) = world.run(&[]);
    assert_eq!(
        (report["work"]["contents_analysed"].as_u64(), report["work"]["passages_embedded"].as_u64()),
        (Some(0), Some(0)),
        "{:#}",
        report["work"]
    );
    assert_eq!(world.digest(), digest);
}

/// The points at which a collection can be made to crash.
const POINTS: [&str; 8] = [
    "staged",
    "publish.one",
    "publish.one:2",
    "published",
    "commit.before_head",
    "given_up",
    "retain.one",
    "retain.one:2",
];

#[test]
fn a_crash_during_collection_loses_nothing() {
    for point in POINTS {
        let world = epochs(3, &[]);
        let before = world.digest();
        let crashed = world.job_command("gc", &["--keep", "1"]).env("GRISTMILL_CRASH_AT", point).output().unwrap();
        assert_eq!(crashed.status.code(), None, "{point}: the process was to die: {}", text(&crashed.stdout));
        assert_eq!(world.digest(), before, "{point}");
        assert_eq!(kept(&gc(&world, &["--keep", "1"])).len(), 1, "{point}");
        assert_eq!(world.digest(), before, "{point}");
        assert!(parts(&world).values().all(|parts| *parts <= 1), "{point}: {:?}", parts(&world));
        world.write("many/2.py", "def edited():\n    return 0\n");
        let (report, _) = world.run(&[]);
        assert_eq!(report["work"]["contents_analysed"], 1, "{point}");
        assert_eq!(world.digest(), world.digest_from_scratch(), "{point}");
    }
}

#[test]
fn collection_needs_an_index_that_is_not_locked() {
    let world = World::sample();
    let missing = world.job_command("gc", &[]).output().unwrap();
    assert_eq!(code(&missing), 1, "{}", text(&missing.stderr));
    assert!(text(&missing.stderr).contains("gristmill run"), "{}", text(&missing.stderr));
    world.run(&[]);
    let lock = std::fs::File::open(world.index().join("LOCK")).unwrap();
    lock.try_lock().unwrap();
    assert_eq!(code(&world.job_command("gc", &[]).output().unwrap()), 4);
}
