//! `gristmill watch`, as a process.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{DEADLINE, Process};
use crate::world::{World, code, text};

/// A watching process, after its first epoch. It holds the lock of the index.
pub(crate) fn watching(command: Command) -> Process {
    let process = Process::start(command);
    process.wait_for_line("epoch 1 ");
    process
}

/// Waits until the index equals a full rebuild.
fn wait_until_current(world: &World, step: &str) {
    let expected = world.digest_from_scratch();
    let started = Instant::now();
    while world.digest() != expected {
        assert!(started.elapsed() < DEADLINE, "{step}: the index did not follow");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_index_follows_the_source() {
    let world = World::sample();
    let mut watching = watching(world.job_command("watch", &[]));
    let source = world.source();
    let steps: [(&str, &dyn Fn()); 9] = [
        ("a file is edited", &|| world.write("lib.rs", "pub fn edited() -> u32 {\n    7\n}\n")),
        ("a file is renamed", &|| std::fs::rename(source.join("notes.txt"), source.join("words.txt")).unwrap()),
        ("a file is deleted", &|| std::fs::remove_file(source.join("app/copy.py")).unwrap()),
        ("a folder comes with files", &|| {
            world.write("fresh/one.go", "package fresh\n\nfunc One() int { return 1 }\n");
            world.write("fresh/deep/two.go", "package deep\n\nfunc Two() int { return 2 }\n");
        }),
        ("a file in the new folder is edited", &|| {
            world.write("fresh/deep/two.go", "package deep\n\nfunc Three() int { return 3 }\n");
        }),
        ("a folder is renamed", &|| std::fs::rename(source.join("fresh"), source.join("stale")).unwrap()),
        ("files are ignored", &|| world.write(".gitignore", "web/\n*.txt\n")),
        ("files are no longer ignored", &|| std::fs::remove_file(source.join(".gitignore")).unwrap()),
        ("a file is replaced as editors do", &|| {
            world.write("lib.rs~", "pub fn replaced() {}\n");
            std::fs::rename(source.join("lib.rs~"), source.join("lib.rs")).unwrap();
        }),
    ];
    for (step, act) in steps {
        let before = world.digest();
        act();
        wait_until_current(&world, step);
        assert_ne!(world.digest(), before, "{step}: the step should change the index");
    }
    assert_eq!(watching.end("-INT"), Some(0));
    assert_eq!(world.digest(), world.digest_from_scratch());
    let (report, _) = world.run(&[]);
    assert_eq!(report["ending"], "unchanged");
}

#[test]
fn a_watch_can_be_stopped_during_an_epoch() {
    let world = World::sample();
    let mut watching = watching(world.job_command("watch", &["--mode", "sequential", "--debounce", "1"]));
    let before = world.digest();
    for n in 0..100 {
        world.write(&format!("many/{n}.rs"), format!("fn f{n}() {{ {} }}\n", "call(); ".repeat(200)));
    }
    let after = world.digest_from_scratch();
    assert_ne!(before, after);
    assert_eq!(watching.end("-TERM"), Some(0));
    world.run(&[]);
    assert_eq!(world.digest(), after);
}

#[test]
fn a_deleted_index_is_rebuilt() {
    let world = World::sample();
    let mut watching = watching(world.job_command("watch", &[]));
    std::fs::remove_dir_all(world.index()).unwrap();
    world.write("lib.rs", "pub fn after_the_loss() {}\n");
    watching.wait_for_line("note: the index folder was deleted");
    wait_until_current(&world, "after the loss");
    std::fs::remove_file(world.index().join("HEAD")).unwrap();
    world.write("lib.rs", "pub fn after_another_loss() {}\n");
    watching.wait_for_line("note: the index folder was deleted or replaced");
    world.write("lib.rs", "pub fn and_on() {}\n");
    wait_until_current(&world, "and on");
    assert_eq!(watching.end("-INT"), Some(0));
}

#[test]
fn the_index_is_locked_during_a_watch() {
    let world = World::sample();
    let mut watching = watching(world.job_command("watch", &[]));
    for name in ["watch", "run", "gc"] {
        let output = world.job_command(name, &[]).output().unwrap();
        assert_eq!(code(&output), 4, "{name}: {}", text(&output.stderr));
    }
    assert_eq!(world.search(&["find_entry", "--mode", "text"])[0]["path"], "lib.rs", "readers are not blocked");
    assert_eq!(watching.end("-INT"), Some(0));
    assert_eq!(code(&world.run_command(&[]).output().unwrap()), 0);
}

/// Its own writes must not trigger it.
#[test]
fn an_index_within_the_source_is_not_watched() {
    let world = World::sample();
    let index = world.source().join(".gristmill");
    let mut command = world.command(&["watch", "--debounce", "1"]);
    command.arg("--source").arg(world.source());
    let mut watching = watching(command);
    let runs = |index: &Path| std::fs::read_dir(index.join("runs")).unwrap().count();
    // Far longer than the reaction to a change.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(runs(&index), 1);
    world.write("lib.rs", "pub fn edited() {}\n");
    watching.wait_for_line("epoch 2 ");
    assert_eq!(watching.end("-INT"), Some(0));
}

/// A build may write there all day, and the number of reports is limited.
#[test]
fn changes_of_ignored_files_start_no_run() {
    let world = World::sample();
    world.write(".gitignore", "target/\n");
    std::fs::create_dir(world.source().join("target")).unwrap();
    let mut watching = watching(world.job_command("watch", &["--debounce", "1"]));
    for n in 0..5 {
        world.write("target/output.rs", format!("fn f{n}() {{}}\n"));
        std::thread::sleep(Duration::from_millis(100));
    }
    world.write("lib.rs", "pub fn edited() {}\n");
    watching.wait_for_line("epoch 2 ");
    assert_eq!(watching.end("-INT"), Some(0));
    assert_eq!(std::fs::read_dir(world.index().join("runs")).unwrap().count(), 2);
}

#[test]
fn a_revision_cannot_be_watched() {
    let world = World::repository();
    let output = world.job_command("watch", &["--set", "source.kind=git"]).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("nothing to watch"), "{}", text(&output.stderr));
}
