//! `gristmill history`.

use serde_json::Value;

use crate::world::World;

fn history(world: &World, more: &[&str]) -> Vec<Value> {
    serde_json::from_str(&world.read(&[&["history", "--json"], more].concat())).unwrap()
}

/// Three epochs, and a run without changes.
fn three_epochs() -> World {
    let world = World::sample();
    world.run(&[]);
    world.write("lib.rs", "pub fn replaced() {}\n");
    world.write("new.go", "package main\n\nfunc Fresh() int { return 1 }\n");
    world.run(&[]);
    std::fs::rename(world.source().join("web"), world.source().join("site")).unwrap();
    std::fs::remove_file(world.source().join("notes.txt")).unwrap();
    world.run(&[]);
    world.run(&[]);
    world
}

#[test]
fn every_epoch_is_listed_with_its_changes() {
    let world = three_epochs();
    let entries = history(&world, &[]);
    assert_eq!(entries.iter().map(|entry| entry["epoch"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    let changes = |entry: &Value| {
        ["added", "modified", "deleted", "renamed"].map(|key| entry["run"]["changes"][key].as_u64().unwrap())
    };
    assert_eq!(entries.iter().map(changes).collect::<Vec<_>>(), [[5, 0, 0, 0], [1, 1, 0, 0], [1, 0, 2, 1]]);
    assert_eq!(entries.iter().map(|entry| entry["files"].as_u64().unwrap()).collect::<Vec<_>>(), [5, 6, 5]);
    for entry in &entries {
        assert_eq!(entry["run"]["ending"], "committed", "a run that changed nothing hides none");
        assert!(entry["rows"]["lance"]["added"].as_u64() > Some(0), "{entry:#}");
    }
    assert!(entries.windows(2).all(|pair| pair[0]["committed_ms"].as_u64() <= pair[1]["committed_ms"].as_u64()));
}

#[test]
fn an_epoch_has_the_report_of_its_run() {
    let world = three_epochs();
    let output = world.job_command("gc", &["--keep", "10"]).output().unwrap();
    assert!(output.status.success());
    world.run(&[]);
    assert_eq!(history(&world, &[])[3]["run"], Value::Null, "no run made the compacted epoch");

    std::fs::write(world.index().join("HEAD"), "zero").unwrap();
    let (report, _) = world.run(&["--full"]);
    // The epochs before it are whole.
    assert_eq!(report["epoch"], 5);
    let entries = history(&world, &[]);
    assert_eq!((entries.len(), &entries[4]["run"]["started_ms"]), (5, &report["started_ms"]));
}

#[test]
fn the_number_of_listed_epochs_is_limited() {
    let world = three_epochs();
    let newest = history(&world, &["-n", "2"]);
    assert_eq!(newest.iter().map(|entry| entry["epoch"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(history(&world, &["-n", "0"]).len(), 0);
    assert_eq!(history(&world, &["-n", "100"]).len(), 3);
}

#[test]
fn the_table_has_one_line_per_epoch() {
    let world = World::repository();
    world.run(&["--set", "source.kind=git"]);
    let table = world.read(&["history"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].contains("renamed") && lines[0].contains("revision"), "{table}");
    let revision = world.git(&["rev-parse", "HEAD"]);
    assert!(lines.last().is_some_and(|line| line.contains(&revision[..12])), "{table}");

    // Without run reports the epochs are still listed.
    std::fs::remove_dir_all(world.index().join("runs")).unwrap();
    let entries = history(&world, &[]);
    assert_eq!((entries.len(), &entries[0]["run"], entries[0]["files"].as_u64()), (1, &Value::Null, Some(5)));
}
