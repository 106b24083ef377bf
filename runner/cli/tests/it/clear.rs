//! `gristmill clear`, and waiting for the lock of an index.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use crate::world::{World, code, text};

#[test]
fn an_index_is_cleared_and_goes_on_counting() {
    let world = World::sample();
    world.run(&[]);
    world.write("lib.rs", "pub fn second() {}\n");
    world.run(&[]);
    let clear = |more: &[&str]| {
        let output = world.command(&["clear"]).arg("--index").arg(world.index()).args(more).output().unwrap();
        (code(&output), text(&output.stdout), text(&output.stderr))
    };
    let (exit, printed, errors) = clear(&[]);
    assert!(exit == 0 && printed.contains("cleared after epoch 2; "), "{printed}{errors}");
    assert_eq!(code(&world.command(&["status"]).arg("--index").arg(world.index()).output().unwrap()), 1);
    let left: Vec<_> = std::fs::read_dir(world.index()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| name != "lance" && name != "tantivy" && name != "HEAD"), "{left:?}");
    let (exit, printed, _) = clear(&["--json"]);
    assert!(exit == 0 && printed.contains("\"last_epoch\": 2"), "{printed}");

    let (report, _) = world.run(&[]);
    assert_eq!((report["epoch"].as_u64(), report["notice"].as_str()), (Some(3), None), "{report:#}");
    assert!(report["work"]["passages_embedded"].as_u64() > Some(0), "{report:#}");
    assert_eq!(world.digest(), world.digest_from_scratch());
    world.read(&["status", "--verify"]);

    let nowhere = world.command(&["clear", "--index", "nowhere"]).output().unwrap();
    assert_eq!(code(&nowhere), 1, "{}", text(&nowhere.stderr));
    std::fs::create_dir(world.folder.path().join("mine")).unwrap();
    std::fs::write(world.folder.path().join("mine/notes"), "mine").unwrap();
    let foreign = world.command(&["clear", "--index", "mine"]).output().unwrap();
    assert_eq!(code(&foreign), 2, "{}", text(&foreign.stderr));
    assert!(world.folder.path().join("mine/notes").exists());
}

/// What no record names goes too: of epochs that were never committed, or whose records are damaged.
#[test]
fn nothing_of_the_source_is_left() {
    for is_killed in [true, false] {
        let world = World::sample();
        if is_killed {
            let output = world.run_command(&[]).env("GRISTMILL_CRASH_AT", "staged").output().unwrap();
            assert_eq!(output.status.code(), None);
        } else {
            world.run(&[]);
            std::fs::write(world.index().join("commits/1.json"), "{").unwrap();
        }
        std::fs::create_dir(world.index().join("mine")).unwrap();
        std::fs::write(world.index().join("mine/notes.txt"), "mine").unwrap();
        assert!(world.index().join("lance").exists());
        let output = world.command(&["clear"]).arg("--index").arg(world.index()).output().unwrap();
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        for store in ["lance", "tantivy"] {
            assert!(!world.index().join(store).exists(), "{store} is left, killed: {is_killed}");
        }
        assert!(world.index().join("mine/notes.txt").exists(), "what is not ours stays");
        world.run(&[]);
        assert_eq!(world.digest(), world.digest_from_scratch());
    }
}

#[test]
fn commands_wait_for_the_lock_when_asked_to() {
    let world = World::sample();
    world.run(&[]);
    let lock = File::open(world.index().join("LOCK")).unwrap();
    lock.try_lock().unwrap();
    for (name, more) in [("run", &["--wait=0"][..]), ("run", &[]), ("gc", &[]), ("clear", &["--wait=1"])] {
        let mut command = world.command(&[name]);
        if name != "clear" {
            command.arg("--source").arg(world.source());
        }
        let output = command.arg("--index").arg(world.index()).args(more).output().unwrap();
        let errors = text(&output.stderr);
        assert!(code(&output) == 4 && errors.contains("is being written by"), "{name}: {errors}");
        assert!(errors.contains("--wait"), "{name}: {errors}");
    }
    let mut waiting = world.run_command(&["--wait", "--quiet"]).stderr(Stdio::piped()).spawn().unwrap();
    assert!(waiting.try_wait().unwrap().is_none());
    drop(lock);
    let status = waiting.wait().unwrap();
    let mut errors = String::new();
    waiting.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(status.success(), "{errors}");
}
