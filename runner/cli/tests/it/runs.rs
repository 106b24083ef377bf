//! Runs of the real binary over real stores.

use crate::world::{World, code, text};

#[test]
fn every_mode_writes_the_same_index() {
    let world = World::sample();
    let scratch = world.digest_from_scratch();
    for mode in ["sequential", "parallel", "pipeline"] {
        let (report, code) = world.run(&["--full", "--mode", mode]);
        assert_eq!((report["mode"].as_str(), code), (Some(mode), 0));
        assert_eq!(report["work"]["contents_analysed"], 4, "{mode}: a copy is analysed once");
        assert_eq!(world.digest(), scratch, "{mode}");
    }
}

#[test]
fn a_run_processes_only_changes() {
    let world = World::sample();
    world.run(&[]);
    // Stat data within the clock resolution of a write is not trusted.
    std::thread::sleep(std::time::Duration::from_millis(30));
    world.run(&[]);
    let (nothing, _) = world.run(&[]);
    assert_eq!((nothing["ending"].as_str(), nothing["scan"]["files_read"].as_u64()), (Some("unchanged"), Some(0)));

    world.write("lib.rs", "//! A cache.\n\n/// Finds the entry of a key.\npub fn find_entry(key: &str) -> Option<u32> {\n    Some(1)\n}\n");
    let (edit, _) = world.run(&[]);
    assert_eq!((edit["work"]["contents_analysed"].as_u64(), edit["changes"]["modified"].as_u64()), (Some(1), Some(1)));
    assert_eq!(world.digest(), world.digest_from_scratch());

    std::fs::rename(world.source().join("app"), world.source().join("moved")).unwrap();
    let (moved, _) = world.run(&["--mode", "pipeline"]);
    assert_eq!(
        (moved["work"]["contents_analysed"].as_u64(), moved["work"]["paths_recalled"].as_u64()),
        (Some(0), Some(2))
    );
    assert_eq!(world.digest(), world.digest_from_scratch());

    std::fs::remove_dir_all(world.source().join("web")).unwrap();
    world.run(&["--mode", "sequential"]);
    assert_eq!(world.digest(), world.digest_from_scratch());
}

#[test]
fn search_finds_by_lexical_and_by_vector_scores() {
    let world = World::sample();
    world.run(&[]);
    for (mode, query, path) in [
        ("text", "find_entry", "lib.rs"),
        ("vector", "open the settings", "app/"),
        ("hybrid", "http server listen on a port", "web/index.ts"),
    ] {
        let hits = world.search(&[query, "--mode", mode, "-k", "3"]);
        assert!(hits[0]["path"].as_str().unwrap().starts_with(path), "{mode}: {hits:#}");
        for field in ["start_line", "end_line", "score"] {
            assert!(hits[0][field].is_number(), "{mode}: {field}");
        }
    }
    let only = world.search(&["settings", "--path", "*.ts"]);
    assert!(only.as_array().unwrap().iter().all(|hit| hit["path"] == "web/index.ts"), "{only:#}");
    let only = world.search(&["settings", "--language", "python"]);
    assert!(only.as_array().unwrap().iter().all(|hit| hit["language"] == "python") && only[0].is_object(), "{only:#}");
}

#[test]
fn a_large_table_is_searched_by_its_vector_index() {
    let world = World::sample();
    for nth in 0..300 {
        let text = format!("def handle_{nth}(request):\n    return request.{}\n", ["body", "path", "user"][nth % 3]);
        world.write(&format!("many/f{nth}.py"), text);
    }
    let searches: [&[&str]; 4] = [
        &["open the settings"],
        &["parse the config at a path", "--path", "app/"],
        &["a server that listens", "--language", "typescript"],
        &["find the entry of a key", "--path", "*.rs", "--language", "rust"],
    ];
    let best = || searches.map(|args| world.search(&[args, &["--mode", "vector", "-k", "1"]].concat())[0].clone());
    world.run(&["--set", "stage.lance.vector_index.kind=none"]);
    let (digest, exact) = (world.digest(), best());
    let indexes = world.index().join("lance/chunks.lance/_indices");
    assert!(!indexes.exists());
    world.run(&["--full", "--set", "stage.lance.vector_index.rows=256"]);
    assert!(indexes.exists());
    assert_eq!(world.digest(), digest);
    for (exact, found) in exact.iter().zip(best()) {
        assert_eq!(found["path"], exact["path"], "{found:#}");
        let score = |hit: &serde_json::Value| hit["score"].as_f64().unwrap();
        assert!((score(exact) - score(&found)).abs() < 1e-4, "{exact:#} {found:#}");
    }
}

#[test]
fn rounded_vectors_are_not_reused_by_a_sink_in_full_precision() {
    let world = World::sample();
    let stages = [("read", "source"), ("hash", "read"), ("parse", "hash"), ("chunk", "parse"), ("embed", "chunk")];
    let mut job: String = stages
        .iter()
        .map(|(name, input)| format!("[[stage]]\nname = \"{name}\"\noperator = \"{name}\"\ninput = \"{input}\"\n\n"))
        .collect();
    job.push_str(
        "[[stage]]\nname = \"small\"\nsink = \"lance\"\ninput = [\"parse\", \"embed\"]\nvectors = \"f16\"\n\n",
    );
    job.push_str("[[stage]]\nname = \"whole\"\nsink = \"lance\"\ninput = [\"parse\", \"embed\"]\n");
    let file = world.folder.path().join("job.toml");
    std::fs::write(&file, job).unwrap();
    let job = file.to_str().unwrap();
    let scratch = || world.digest_from_scratch_of(&world.source(), &[job]);
    world.run(&[job]);
    assert_eq!(world.digest(), scratch());
    // Reused from a store that still has it.
    std::fs::remove_file(world.source().join("notes.txt")).unwrap();
    world.run(&[job]);
    world.write("notes.txt", "Plain words about nothing in particular.\n");
    let (report, _) = world.run(&[job]);
    assert_eq!(report["work"]["passages_reused"], 1, "{:#}", report["work"]);
    assert_eq!(world.digest(), scratch());

    let (report, _) = world.run(&[job, "--set", "stage.small.vectors=f32"]);
    assert!(report["rebuilt_because"].as_str().unwrap().contains("another form"), "{report:#}");
}

#[test]
fn bad_files_become_findings_and_nothing_else_fails() {
    let world = World::sample();
    world.write("latin.py", b"name = 'caf\xe9'\n");
    world.write("image.bin", b"\x89PNG\x00\x01\x02");
    world.write("nul_later.txt", [vec![b'a'; 9000], vec![0], b"end\n".to_vec()].concat());
    world.write("empty.rs", "");
    world.write("long_line.json", format!("[{}1]", "1,".repeat(400_000)));
    world.write("deep.js", format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    world.write("id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    world.write("token.py", "key = 'AKIAIOSFODNN7ABCDEFG'\n");
    std::fs::File::create(world.source().join("huge.txt")).unwrap().set_len(2 << 30).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        std::fs::write(world.source().join(std::ffi::OsStr::from_bytes(b"odd\xff.rs")), "fn odd_name() {}\n").unwrap();
        std::os::unix::fs::symlink(world.source(), world.source().join("loop")).unwrap();
    }
    let mut digests = Vec::new();
    for mode in ["sequential", "parallel", "pipeline"] {
        let (report, code) = world.run(&["--full", "--mode", mode]);
        assert_eq!(code, 0, "{mode}: {:#}", report["quarantined"]);
        for finding in ["binary", "encoding", "nul", "sensitive", "secret", "too_large", "nesting"] {
            assert!(report["findings"][finding].as_u64() >= Some(1), "{mode}: {finding} in {:#}", report["findings"]);
        }
        digests.push(world.digest());
    }
    assert!(digests.iter().all(|digest| *digest == digests[0]));
    assert_eq!(world.search(&["odd_name", "--mode", "text"])[0]["path"], r"odd\xff.rs");
    assert_eq!(world.search(&["find_entry", "--mode", "text"])[0]["path"], "lib.rs");
    let leaked = world.search(&["AKIAIOSFODNN7ABCDEFG", "--mode", "text"]);
    assert!(!leaked.to_string().contains("AKIAIOSFODNN7ABCDEFG"), "{leaked:#}");
}

#[test]
fn files_with_secrets_can_be_quarantined() {
    let world = World::sample();
    world.write("token.py", "key = 'AKIAIOSFODNN7ABCDEFG'\n");
    let (report, code) = world.run(&["--set", "stage.read.secrets=skip"]);
    assert_eq!((code, report["quarantined"][0]["path"].as_str()), (3, Some("token.py")));
}

#[test]
fn an_empty_tree_gives_an_empty_index() {
    let world = World::new();
    let (report, code) = world.run(&[]);
    assert_eq!((code, report["epoch"].as_u64()), (0, Some(1)));
    assert_eq!(world.search(&["anything"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn failures_have_their_exit_codes() {
    let world = World::sample();
    let missing = world.command(&["run", "--source", "nowhere", "--index", "index"]).output().unwrap();
    assert_eq!(code(&missing), 2, "{}", text(&missing.stderr));
    std::fs::create_dir(world.index()).unwrap();
    std::fs::write(world.index().join("notes"), "mine").unwrap();
    let occupied = world.run_command(&[]).output().unwrap();
    assert_eq!(code(&occupied), 2, "{}", text(&occupied.stderr));
    assert!(text(&occupied.stderr).contains("is no index"), "{}", text(&occupied.stderr));
    std::fs::remove_dir_all(world.index()).unwrap();

    world.run(&[]);
    let lock = std::fs::File::open(world.index().join("LOCK")).unwrap();
    lock.try_lock().unwrap();
    assert_eq!(code(&world.run_command(&[]).output().unwrap()), 4);
    drop(lock);

    let commit = world.index().join("commits/1.json");
    let newer = std::fs::read_to_string(&commit).unwrap().replacen("\"format\": 2", "\"format\": 99", 1);
    std::fs::write(&commit, &newer).unwrap();
    let refused = world.run_command(&["--full"]).output().unwrap();
    assert_eq!(code(&refused), 1);
    assert!(text(&refused.stderr).contains("format 99"), "{}", text(&refused.stderr));

    // As the first versions wrote it.
    std::fs::write(&commit, newer.replacen("\"format\": 99", "\"format\": 1", 1)).unwrap();
    std::fs::write(world.index().join("HEAD"), "1\n").unwrap();
    for mut command in [world.run_command(&[]), world.command(&["plan", "--index", world.index().to_str().unwrap()])] {
        let older = command.output().unwrap();
        assert_eq!(code(&older), 1);
        assert!(text(&older.stderr).contains("rebuild it with `gristmill run --full`"), "{}", text(&older.stderr));
    }
    world.run(&["--full"]);
    assert_eq!(world.digest(), world.digest_from_scratch());
}

#[test]
fn status_and_inspect_show_the_index() {
    let world = World::sample();
    world.run(&[]);
    for (args, expected) in [
        (vec!["status"], "epoch   1"),
        (vec!["inspect"], "lance/chunks"),
        (vec!["inspect", "--table", "symbols"], "qualified_name"),
    ] {
        let output = world.command(&args).arg("--index").arg(world.index()).output().unwrap();
        assert!(text(&output.stdout).contains(expected), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
    }
}

#[test]
fn damage_to_a_full_text_index_is_detected() {
    let world = World::sample();
    world.run(&[]);
    let verify = || world.command(&["status", "--verify"]).arg("--index").arg(world.index()).output().unwrap();
    assert_eq!(code(&verify()), 0);
    let files = std::fs::read_dir(world.index().join("tantivy")).unwrap().map(|entry| entry.unwrap().path());
    let store = files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "store")).unwrap();
    let mut bytes = std::fs::read(&store).unwrap();
    bytes[3] ^= 1;
    std::fs::write(&store, bytes).unwrap();
    let damaged = verify();
    assert_eq!(code(&damaged), 1);
    assert!(text(&damaged.stderr).contains("checksum mismatch"), "{}", text(&damaged.stderr));
}
