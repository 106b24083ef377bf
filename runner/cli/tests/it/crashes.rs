//! Law 3 under crashes: a process that dies anywhere leaves the previous or the new epoch, complete,
//! in every store.

use std::process::Stdio;
use std::time::Duration;

use crate::world::{World, text};

/// The points at which a run can be made to crash.
const POINTS: [&str; 7] =
    ["embed.journaled", "staged", "publish.one", "publish.one:2", "published", "commit.before_head", "committed"];

/// A tree, an index of it, and then an edit.
fn edited() -> World {
    let world = World::sample();
    world.run(&[]);
    world.write("lib.rs", "pub fn replaced() -> u32 {\n    7\n}\n");
    world.write("new.go", "package main\n\nfunc Fresh() int { return 1 }\n");
    std::fs::remove_file(world.source().join("notes.txt")).unwrap();
    world
}

#[test]
fn a_crash_at_any_point_leaves_one_epoch_and_the_next_run_completes() {
    for mode in ["sequential", "parallel", "pipeline"] {
        let world = edited();
        let (before, after) = (world.digest(), world.digest_from_scratch());
        assert_ne!(before, after);
        for point in POINTS {
            let output = world.run_command(&["--mode", mode]).env("GRISTMILL_CRASH_AT", point).output().unwrap();
            assert_eq!(output.status.code(), None, "{mode} {point}: the process was to die: {}", text(&output.stdout));
            // `committed` is the only point after the commit, where the new epoch is visible.
            let expected = if point == "committed" { &after } else { &before };
            assert_eq!(&world.digest(), expected, "{mode} {point}");
        }
        let (report, _) = world.run(&["--mode", mode]);
        assert_eq!(report["ending"], "unchanged", "{mode}: the last crash came after the commit");
        assert_eq!(world.digest(), after, "{mode}");
        world.write("new.go", "package main\n\nfunc Fresher() int { return 2 }\n");
        world.run(&["--mode", mode]);
        assert_eq!(world.digest(), world.digest_from_scratch(), "{mode}: epochs after the crashes are sound");
    }
}

/// A panic ends a run with a message; what it was is in a log, and the next run verifies the index.
#[test]
fn a_panic_is_logged_and_the_index_verified() {
    let world = edited();
    let (before, after) = (world.digest(), world.digest_from_scratch());
    let segments = std::fs::read_dir(world.index().join("tantivy")).unwrap().map(|entry| entry.unwrap().path());
    let segment = segments.into_iter().find(|path| path.extension().is_some_and(|it| it == "store")).unwrap();
    for point in ["staged", "publish.one", "published"] {
        let output = world.run_command(&[]).env("GRISTMILL_PANIC_AT", point).output().unwrap();
        let errors = text(&output.stderr);
        assert!(
            output.status.code() == Some(1) && errors.contains("internal error: asked to panic"),
            "{point}: {errors}"
        );
        assert!(errors.contains("panic.log") && !errors.contains("stack backtrace"), "{point}: {errors}");
        assert_eq!(world.digest(), before, "{point}");
        assert!(world.index().join("VERIFY").exists(), "{point}");
    }
    let log = std::fs::read_to_string(world.index().join("panic.log")).unwrap();
    assert_eq!(log.matches("asked to panic at").count(), 3, "{log}");
    assert!(log.contains("thread ") && log.contains("not contained") && log.contains("failpoint.rs"), "{log}");
    // Damage that only a checksum shows: it may be what made the run panic.
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[3] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let (report, code) = world.run(&[]);
    assert!(code == 0 && report["notice"].as_str().unwrap().contains("checksum mismatch"), "{report:#}");
    assert_eq!(world.digest(), after);
    assert!(!world.index().join("VERIFY").exists());
}

#[test]
fn vectors_survive_a_crash() {
    let world = World::sample();
    let crashed = world.run_command(&["--mode", "parallel"]).env("GRISTMILL_CRASH_AT", "staged").output().unwrap();
    assert_eq!(crashed.status.code(), None);
    let (report, _) = world.run(&[]);
    assert_eq!(report["work"]["passages_embedded"], 0, "{:#}", report["work"]);
    assert!(report["work"]["passages_recovered"].as_u64() > Some(0));
    // Whoever was killed left no word; the next run says so, once.
    let notice = report["notice"].as_str().unwrap_or_default();
    assert!(notice.contains("ended before this run, in phase `"), "{report:#}");
    assert_eq!(world.run(&[]).0["notice"].as_str(), None);
    assert_eq!(world.digest(), world.digest_from_scratch());
}

/// The number of kills; `GRISTMILL_KILLS` sets another.
fn kills() -> u64 {
    std::env::var("GRISTMILL_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(6)
}

#[test]
fn a_kill_at_any_moment_leaves_one_epoch() {
    let world = edited();
    let (before, after) = (world.digest(), world.digest_from_scratch());
    for kill in 0..kills() {
        let mut child = world.run_command(&["--quiet"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Spread over a run by a fixed odd step, so that failures can be repeated.
        std::thread::sleep(Duration::from_millis(20 + kill * 37 % 400));
        let _ = child.kill();
        child.wait().unwrap();
        let digest = world.digest();
        assert!(digest == before || digest == after, "kill {kill}: a mixed epoch");
    }
    world.run(&[]);
    assert_eq!(world.digest(), after);
}

#[cfg(unix)]
#[test]
fn an_interrupt_abandons_the_epoch_cleanly() {
    let world = World::sample();
    for n in 0..300 {
        world.write(&format!("many/{n}.rs"), format!("fn f{n}() {{ {} }}\n", "call(); ".repeat(200)));
    }
    let mut child = world.run_command(&["--mode", "sequential"]).stderr(Stdio::null()).spawn().unwrap();
    // It listens to signals before it takes the lock.
    while !world.index().join("LOCK").exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    let code = child.wait().unwrap().code();
    // A machine may be fast enough to be done by then.
    assert!(code == Some(130) || code == Some(0), "{code:?}");
    let (report, _) = world.run(&[]);
    assert_eq!(report["epoch"], if code == Some(0) { 1 } else { report["epoch"].as_u64().unwrap() });
    assert_eq!(world.digest(), world.digest_from_scratch());
}
