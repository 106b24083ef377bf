//! Retrieval quality on an annotation set.

use serde_json::{Value, json};

use crate::world::{World, code, text};

/// Writes a set of two repositories: the sample tree, and one that does not exist.
fn set(world: &World) {
    let folder = world.folder.path().join("set/annotations");
    std::fs::create_dir_all(&folder).unwrap();
    let repository = |name: &str, root: Value| json!({"name": name, "language": "rust", "url": "x", "revision": "0", "benchmark_root": root});
    let repos = json!([repository("src", Value::Null), repository("gone", Value::Null)]);
    std::fs::write(world.folder.path().join("set/repos.json"), repos.to_string()).unwrap();
    let annotations = json!([
        {"query": "HttpServer", "relevant": ["web/index.ts"], "secondary": [], "category": "symbol"},
        {"query": "find the entry of a key", "relevant": [{"path": "lib.rs", "start_line": 3, "end_line": 6}],
         "secondary": [], "category": "semantic"},
        {"query": "zzz", "relevant": ["nowhere.rs"], "secondary": ["lib.rs"], "category": "semantic"},
    ]);
    std::fs::write(folder.join("src.json"), annotations.to_string()).unwrap();
    std::fs::write(folder.join("gone.json"), "[]").unwrap();
}

#[test]
fn hits_are_evaluated_and_reported() {
    let world = World::sample();
    set(&world);
    let path = |name: &str| world.folder.path().join(name);
    let mut command = world.command(&["eval", "set", "--repos", ".", "--mode", "text", "--mode", "hybrid"]);
    command.args(["--variant", "usual", "--variant", "bare:stage.chunk.header=none"]);
    command.arg("--json").arg(path("e.json")).arg("--csv").arg(path("e.csv")).arg("--html").arg(path("e.html"));
    let output = command.output().unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("skipped: gone"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("NDCG@10"), "{}", text(&output.stdout));

    let report: Value = serde_json::from_slice(&std::fs::read(path("e.json")).unwrap()).unwrap();
    let report = report.as_array().unwrap();
    let names: Vec<_> = report.iter().map(|it| [it["variant"].clone(), it["mode"].clone()]).collect();
    assert_eq!(names, [["usual", "text"], ["usual", "hybrid"], ["bare", "text"], ["bare", "hybrid"]]);
    for evaluation in report {
        let answers = evaluation["answers"].as_array().unwrap();
        let gains: Vec<f64> = answers.iter().map(|answer| answer["chunks"]["ndcg"].as_f64().unwrap()).collect();
        assert_eq!(&gains[..2], [1.0, 1.0], "{}", evaluation["mode"]);
        assert!(gains[2] < 1.0, "one of its targets does not exist");
        assert!(
            evaluation["cost"]["chunks"].as_u64().unwrap() > 3 && evaluation["cost"]["bytes"].as_u64().unwrap() > 0
        );
    }
    assert_eq!(std::fs::read_to_string(path("e.csv")).unwrap().lines().count(), 1 + 4 * 3);
    let page = std::fs::read_to_string(path("e.html")).unwrap();
    assert!(page.contains("<svg") && !page.contains("http"), "the page is self-contained");
}

#[test]
fn missing_sets_and_repositories_are_reported() {
    let world = World::sample();
    let output = world.command(&["eval", "set", "--repos", "."]).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("repos.json"), "{}", text(&output.stderr));
    set(&world);
    let output = world.command(&["eval", "set", "--repos", ".", "--only", "gone"]).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("no repository of the set is in"), "{}", text(&output.stderr));
    let output = world.command(&["eval", "set", "--repos", ".", "--only", "another"]).output().unwrap();
    assert!(text(&output.stderr).contains("unknown repository `another`"), "{}", text(&output.stderr));
}
