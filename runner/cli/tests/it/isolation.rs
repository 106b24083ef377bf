//! What a grammar's code does wrong costs one file.
#![cfg(unix)]

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::Process;
use crate::world::{World, code, text};

/// Texts that end or stall the process that parses them, with the codes of their diagnostics.
fn hostile() -> [(&'static str, String, &'static str); 5] {
    let body = "  a line of text inside the heredoc, long enough to matter here\n".repeat(4);
    let heredocs: String = (0..200).map(|nth| format!("<<~EOF{nth:04}, ")).collect();
    let ends: String = (0..200).map(|nth| format!("x\nEOF{nth:04}\n")).collect();
    [
        ("deep.yaml", "- ".repeat(300), "parser_crashed"),
        ("typing.rb", format!("<<~\"BASH\n{body}\n{body}\n  one more line\nBASH\n"), "parser_crashed"),
        ("many.rb", format!("f({heredocs}1)\n{ends}"), "parser_crashed"),
        ("tags.html", "<a>".repeat(30_000), "nesting"),
        ("options.html", "<option>".repeat(20_000), "parse_timeout"),
    ]
}

fn world_with_hostile_files() -> World {
    let world = World::sample();
    for (path, text, _) in hostile() {
        world.write(path, text);
    }
    world
}

fn has_symbol(world: &World, name: &str) -> bool {
    let answer: Value = serde_json::from_str(&world.read(&["get-symbols", "--json", name])).unwrap();
    !answer["answer"]["symbols"].as_array().unwrap().is_empty()
}

#[test]
fn hostile_files_become_text_with_a_diagnostic_in_every_mode() {
    let world = world_with_hostile_files();
    let mut digests = Vec::new();
    for mode in ["sequential", "parallel", "pipeline"] {
        let _ = std::fs::remove_dir_all(world.index());
        let (report, code) = world.run(&["--mode", mode]);
        assert_eq!(code, 0, "{mode}: nothing is quarantined");
        let findings = &report["findings"];
        assert_eq!(
            (&findings["parser_crashed"], &findings["nesting"], &findings["parse_timeout"]),
            (&3.into(), &1.into(), &1.into()),
            "{mode}: {findings}"
        );
        assert_eq!(report["changes"]["added"], 10, "{mode}");
        assert!(has_symbol(&world, "parse_config"), "{mode}");
        digests.push(world.digest());
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
    let rows = world.read(&["inspect", "--table", "diagnostics", "-n", "50"]);
    for (path, _, code) in hostile() {
        assert!(rows.contains(path) && rows.contains(code), "{path}: {rows}");
    }
}

#[test]
fn workers_make_the_rows_that_the_process_itself_makes() {
    let world = World::sample();
    world.run(&[]);
    let isolated = world.digest();
    std::fs::remove_dir_all(world.index()).unwrap();
    let output = world.run_command(&[]).env("GRISTMILL_ISOLATION", "off").output().unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(world.digest(), isolated);
}

#[test]
fn a_watch_survives_files_that_crash_their_parser() {
    let world = World::sample();
    let mut watch = Process::start(world.job_command("watch", &["--debounce", "20"]));
    watch.wait_for_line("epoch 1");
    for (path, text, _) in &hostile()[..2] {
        world.write(path, text);
    }
    watch.wait_for_line("epoch 2");
    world.write("after.py", "def after():\n    pass\n");
    watch.wait_for_line("epoch 3");
    assert_eq!(watch.end("-TERM"), Some(0), "{}", watch.errors());
    assert!(has_symbol(&world, "after"));
}

/// One step of the grammar may take longer than anybody waits.
#[test]
fn a_signal_ends_a_run_that_parses() {
    for mode in ["sequential", "parallel", "pipeline"] {
        let world = World::new();
        // Its budget of time is some seven seconds.
        world.write("slow.html", "<option>".repeat(100_000));
        let mut run = Process::start(world.run_command(&["--mode", mode]));
        std::thread::sleep(Duration::from_millis(1500));
        let signalled = Instant::now();
        assert_eq!(run.end("-TERM"), Some(130), "{mode}: {}", run.errors());
        assert!(signalled.elapsed() < Duration::from_secs(4), "{mode}: {:?}", signalled.elapsed());
    }
}
