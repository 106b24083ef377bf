//! Histories, one epoch per commit.

use serde_json::Value;

use crate::world::{World, code, text};

/// Twelve commits on `main` after the first: edits, renames, reverts, merges.
fn history() -> World {
    let world = World::repository();
    let rename = |from: &str, to: &str| std::fs::rename(world.source().join(from), world.source().join(to)).unwrap();
    let revert = || {
        world.git(&["revert", "--no-edit", "HEAD"]);
    };
    world.write("lib.rs", "pub fn replaced() -> u32 {\n    7\n}\n");
    world.commit("an edit");
    revert();
    rename("app", "moved");
    world.commit("a folder renamed");
    revert();
    world.git(&["checkout", "--quiet", "-b", "topic"]);
    world.write("topic/one.py", "def one():\n    return 1\n");
    world.commit("on the topic");
    world.write("topic/two.py", "def two():\n    return 2\n");
    world.commit("more of the topic");
    world.git(&["checkout", "--quiet", "main"]);
    world.write("main.go", "package main\n\nfunc Fresh() int { return 1 }\n");
    world.commit("beside the topic");
    world.git(&["merge", "--quiet", "--no-ff", "--message", "a merge", "topic"]);
    rename("lib.rs", "renamed.rs");
    world.write("notes.txt", "Other words.\n");
    world.commit("a file renamed, and one edited");
    std::fs::remove_dir_all(world.source().join("web")).unwrap();
    world.commit("a folder deleted");
    revert();
    world.git(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
    world.git(&["revert", "--no-edit", "--mainline", "1", "HEAD~4"]);
    world.git(&["mv", "main.go", "other.go"]);
    world.commit("another rename");
    world
}

#[test]
fn every_epoch_of_a_history_equals_a_full_rebuild() {
    let world = history();
    let first = world.git(&["rev-list", "--max-parents=0", "main"]);
    let report = world.folder.path().join("report.json");
    let args = ["--from", &first, "--to", "main", "--verify", "every:3", "--report", report.to_str().unwrap()];
    let output = world.job_command("replay", &args).output().unwrap();
    assert_eq!(code(&output), 0, "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("4 of 4 verified epochs equal a full rebuild"));
    assert!(text(&output.stdout).contains("12 commits in"), "{}", text(&output.stdout));

    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let steps = report.as_array().unwrap();
    assert_eq!(steps.len(), 13, "the first commit and twelve more");
    let count = |step: &Value, key: &str| step[key].as_u64().unwrap();
    for (nth, step) in steps.iter().enumerate() {
        assert_eq!(step["commit"].as_str(), Some(&*world.git(&["rev-parse", &commit_of(&world, nth)])));
        assert_eq!(step["verified"].is_null(), nth == 0 || nth % 3 != 0, "{step:#}");
        assert!(step["wall_ms"].as_f64() > Some(0.0) && step["epoch"].as_u64() > Some(0), "{step:#}");
        let subject = step["subject"].as_str().unwrap();
        let known = subject.starts_with("Revert") || subject.contains("another rename") || subject == "nothing";
        if known || subject == "a folder renamed" {
            assert_eq!(count(step, "contents_analysed"), 0, "{subject}");
        }
        if subject.starts_with("Revert") {
            assert_eq!(count(step, "passages_embedded"), 0, "{subject}");
        }
        if subject == "a merge" {
            assert_eq!((count(step, "files_changed"), count(step, "contents_analysed")), (2, 2));
        }
    }
    assert_eq!(world.digest(), world.digest_from_scratch_of(&world.archive("main"), &[]));
}

/// The n-th commit among the first parents of `main`.
fn commit_of(world: &World, nth: usize) -> String {
    let commits = world.git(&["rev-list", "--first-parent", "--reverse", "main"]);
    commits.lines().nth(nth).unwrap().to_owned()
}

#[test]
fn invalid_ranges_are_rejected() {
    let world = World::repository();
    world.git(&["checkout", "--quiet", "-b", "topic"]);
    world.write("topic.py", "def one():\n    return 1\n");
    world.commit("on the topic");
    let output = world.job_command("replay", &["--from", "topic", "--to", "main"]).output().unwrap();
    assert_eq!(code(&output), 2, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("`topic` is not among the first parents of `main`"));
    for args in [["--from", "nothing"], ["--verify", "every:0"], ["--verify", "3"]] {
        let output = world.job_command("replay", &["--from", "main"]).args(args).output().unwrap();
        assert_eq!(code(&output), 2, "{args:?}: {}", text(&output.stderr));
    }
    assert!(!world.index().exists(), "nothing was run");
}
