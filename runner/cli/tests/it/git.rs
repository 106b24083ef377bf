//! Revisions of git repositories, indexed without a checkout.

use serde_json::Value;

use crate::world::{World, code, text};

/// The settings of a job that indexes `HEAD`.
const GIT: [&str; 2] = ["--set", "source.kind=git"];

/// Indexes a revision, which must succeed.
fn run_at(world: &World, revision: &str) -> Value {
    let (report, code) = world.run(&["--set", "source.kind=git", "--set", &format!("source.revision={revision}")]);
    assert_eq!(code, 0, "{:#}", report["quarantined"]);
    report
}

fn digest_of_files(world: &World, revision: &str) -> String {
    world.digest_from_scratch_of(&world.archive(revision), &[])
}

#[test]
fn a_revision_is_indexed_without_a_checkout() {
    let world = World::repository();
    let first = world.git(&["rev-parse", "HEAD"]);
    world.write("lib.rs", "pub fn never_committed() {}\n");
    std::fs::remove_dir_all(world.source().join("app")).unwrap();
    for mode in ["sequential", "parallel", "pipeline"] {
        let (report, code) = world.run(&["--full", "--mode", mode, GIT[0], GIT[1]]);
        assert_eq!((code, report["revision"].as_str()), (0, Some(&*first)), "{mode}");
        assert_eq!(world.digest(), digest_of_files(&world, "HEAD"), "{mode}");
    }
    assert_eq!(world.search(&["parse_config", "--mode", "text"])[0]["path"], "app/copy.py");
    assert_eq!(world.search(&["never_committed", "--mode", "text"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn a_new_commit_reads_only_its_changes() {
    let world = World::repository();
    world.run(&GIT);
    world.write("lib.rs", "pub fn replaced() -> u32 {\n    7\n}\n");
    std::fs::rename(world.source().join("web"), world.source().join("site")).unwrap();
    let second = world.commit("second");
    let (report, _) = world.run(&GIT);
    assert_eq!(report["revision"].as_str(), Some(&*second));
    assert_eq!(
        (report["scan"]["files_read"].as_u64(), report["work"]["contents_analysed"].as_u64()),
        (Some(2), Some(1)),
        "the edited and the renamed file are read, and one is parsed: {:#}",
        report["work"]
    );
    assert_eq!(world.digest(), digest_of_files(&world, "HEAD"));

    world.git(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
    let (report, _) = world.run(&GIT);
    assert_eq!((report["ending"].as_str(), report["scan"]["files_read"].as_u64()), (Some("unchanged"), Some(0)));
    let status: Value = serde_json::from_str(&world.read(&["status", "--json"])).unwrap();
    assert_eq!(status["record"]["revision"].as_str(), Some(&*world.git(&["rev-parse", "HEAD"])));
}

#[test]
fn switching_back_to_a_branch_parses_nothing() {
    let world = World::repository();
    run_at(&world, "main");
    let main = world.digest();
    world.git(&["checkout", "--quiet", "-b", "topic"]);
    world.write("lib.rs", "pub fn of_the_topic() -> u32 {\n    7\n}\n");
    world.write("fresh.go", "package main\n\nfunc Fresh() int { return 1 }\n");
    std::fs::remove_file(world.source().join("notes.txt")).unwrap();
    world.commit("topic");
    let there = run_at(&world, "topic");
    assert_eq!(there["work"]["contents_analysed"], 2);
    let topic = world.digest();
    assert_eq!(topic, digest_of_files(&world, "topic"));

    for (branch, digest) in [("main", &main), ("topic", &topic), ("main", &main)] {
        let report = run_at(&world, branch);
        assert_eq!(report["ending"], "committed");
        assert_eq!(
            (report["work"]["contents_analysed"].as_u64(), report["work"]["passages_embedded"].as_u64()),
            (Some(0), Some(0)),
            "{branch}: {:#}",
            report["work"]
        );
        assert_eq!(&world.digest(), digest, "{branch}");
    }
}

#[test]
fn a_checkout_and_its_revision_give_the_same_index() {
    let world = World::repository();
    world.run(&[]);
    let files = world.digest();
    let (report, _) = world.run(&GIT);
    assert_eq!(report["ending"], "unchanged", "the same files by another name");
    world.write("lib.rs", "pub fn replaced() -> u32 {\n    7\n}\n");
    world.commit("second");
    world.run(&GIT);
    world.git(&["checkout", "--quiet", "HEAD~"]);
    let (report, _) = world.run(&[]);
    assert_eq!(report["work"]["contents_analysed"], 0);
    assert_eq!(world.digest(), files);
}

#[cfg(unix)]
#[test]
fn submodules_are_reported_and_links_skipped() {
    let world = World::repository();
    std::os::unix::fs::symlink("lib.rs", world.source().join("link.rs")).unwrap();
    world.git(&["add", "--all"]);
    let somewhere = "0123456789012345678901234567890123456789";
    world.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{somewhere},vendored")]);
    world.git(&["commit", "--quiet", "--message", "odd entries"]);
    let (report, code) = world.run(&GIT);
    assert_eq!((code, report["findings"]["submodule"].as_u64()), (0, Some(1)), "{:#}", report["findings"]);
    assert!(world.read(&["inspect", "--table", "diagnostics"]).contains("vendored"));
    assert!(!world.read(&["inspect", "--table", "files", "-n", "100"]).contains("link.rs"), "links are skipped");
}

#[test]
fn a_missing_blob_quarantines_its_file_until_it_is_back() {
    let world = World::repository();
    world.run(&GIT);
    let whole = world.digest();
    let (lost, kept) = (world.object("HEAD:notes.txt"), world.folder.path().join("kept"));
    // A full scan detects the missing blob; a scan of a known commit does not, but the file is read
    // when it must be analysed.
    for (more, finding) in [(None, "missing_object"), (Some("--full"), "unreadable")] {
        if more.is_none() {
            std::fs::remove_dir_all(world.index()).unwrap();
        }
        std::fs::rename(&lost, &kept).unwrap();
        let output = world.run_command(&GIT).args(more).output().unwrap();
        assert_eq!(code(&output), 3, "{finding}: {}", text(&output.stderr));
        let named = format!("notes.txt: {finding}: ");
        assert!(text(&output.stdout).contains(&named), "{}", text(&output.stdout));
        for _ in 0..2 {
            let (again, code) = world.run(&GIT);
            assert_eq!(
                (code, again["quarantined"][0]["path"].as_str()),
                (3, Some("notes.txt")),
                "{finding}: {again:#}"
            );
        }
        std::fs::rename(&kept, &lost).unwrap();
        let (healed, code) = world.run(&GIT);
        assert_eq!((code, healed["changes"]["modified"].as_u64()), (0, Some(1)), "{finding}");
        assert_eq!(world.digest(), whole, "{finding}");
    }
}

#[test]
fn a_rewritten_branch_is_indexed_incrementally() {
    let world = World::repository();
    world.write("lib.rs", "pub fn forgotten() {}\n");
    let forgotten = world.commit("second");
    world.run(&GIT);
    world.write("lib.rs", "pub fn remembered() {}\n");
    world.git(&["commit", "--quiet", "--all", "--amend", "--message", "rewritten"]);
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["gc", "--quiet", "--prune=now"]);
    assert!(!world.object(&forgotten).exists(), "the indexed commit is gone");
    let (report, code) = world.run(&GIT);
    assert_eq!(
        (code, report["work"]["contents_analysed"].as_u64(), report["rebuilt_because"].as_str()),
        (0, Some(1), None)
    );
    assert_eq!(world.digest(), digest_of_files(&world, "HEAD"));
}

#[test]
fn an_unknown_revision_is_rejected_with_a_suggestion() {
    let world = World::repository();
    for (revision, advice) in [("mian", "was `main` meant?"), ("main~7", "git log")] {
        let revision = format!("source.revision={revision}");
        let output = world.run_command(&[GIT[0], GIT[1], "--set", &revision]).output().unwrap();
        assert_eq!(code(&output), 2, "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains(advice), "{}", text(&output.stderr));
    }
    assert!(!world.index().join("HEAD").exists());
}

#[test]
fn a_folder_without_a_repository_is_rejected() {
    let world = World::sample();
    let output = world.run_command(&GIT).output().unwrap();
    assert_eq!(code(&output), 2, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("no git repository"), "{}", text(&output.stderr));
}

/// Indexes several refs, which must succeed.
fn run_on(world: &World, refs: &str) -> Value {
    let (report, code) = world.run(&[GIT[0], GIT[1], "--set", &format!("source.refs={refs}")]);
    assert_eq!(code, 0, "{:#}", report["quarantined"]);
    report
}

#[test]
fn refs_share_rows_and_a_search_selects_one() {
    const REFS: &str = r#"["main", "release/*"]"#;
    let world = World::repository();
    world.git(&["branch", "-M", "main"]);
    world.git(&["branch", "release/1"]);
    world.write("lib.rs", "/// Finds the entry of a key.\npub fn find_entry_by_key(key: &str) -> u32 {\n    9\n}\n");
    world.commit("second");
    let report = run_on(&world, REFS);
    let files = report["scan"]["files"].as_u64().unwrap();
    let contents = report["work"]["contents_analysed"].as_u64().unwrap();
    assert_eq!((files % 2, contents), (0, files / 2), "five files, of which two are equal and one has two versions");
    let names = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|held| held["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&report["refs"]), ["main", "release/1"]);

    for mode in ["text", "vector", "hybrid"] {
        let found = |ref_name: &[&str]| {
            let hits = world.search(&[&["find the entry of a key", "--mode", mode], ref_name].concat());
            let hits = hits.as_array().unwrap().clone();
            let symbols: Vec<_> =
                hits.iter().filter(|hit| hit["path"] == "lib.rs").map(|hit| hit["symbol"].to_string()).collect();
            symbols
        };
        assert_eq!(found(&["--ref", "release/1"]), [r#""find_entry""#], "{mode}");
        assert_eq!(found(&["--ref", "main"]), [r#""find_entry_by_key""#], "{mode}");
        assert_eq!(found(&[]), [r#""find_entry_by_key""#], "{mode}: the first of the job");
    }
    let output = world.command(&["search", "x", "--ref", "relase/1", "--index"]).arg(world.index()).output().unwrap();
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("available refs: main, release/1"), "{}", text(&output.stderr));

    world.git(&["branch", "release/2"]);
    let report = run_on(&world, REFS);
    assert_eq!(report["scan"]["files_read"], 0, "what another ref has is not read");
    let added = (&report["rows"]["lance"]["added"], &report["views"]["refs"]["added"]);
    assert_eq!(added, (&(files / 2).into(), &(files / 2).into()), "a new branch adds rows to the table `refs` alone");
    world.git(&["branch", "-D", "release/1"]);
    run_on(&world, REFS);
    let digest = world.digest();
    std::fs::remove_dir_all(world.index()).unwrap();
    run_on(&world, REFS);
    assert_eq!(world.digest(), digest, "equals a full rebuild");
    assert!(world.read(&["status"]).contains("refs    main ("), "{}", world.read(&["status"]));
}

#[test]
fn a_ref_pattern_without_matches_is_rejected() {
    let world = World::repository();
    let output = world.run_command(&[GIT[0], GIT[1], "--set", r#"source.refs=["no/such"]"#]).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("matches `no/such`"), "{}", text(&output.stderr));
}
