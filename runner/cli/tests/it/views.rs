//! Jobs with views.

use crate::world::{World, code, text};

/// All views.
const ALL: [&str; 12] = [
    "--set",
    "views.edges=true",
    "--set",
    "views.unresolved=true",
    "--set",
    "views.import_cycles=true",
    "--set",
    "views.reachable=[\"app/*.py\"]",
    "--set",
    "views.symbol_ranks=true",
    "--set",
    "views.rollups=true",
];

const NAMES: [&str; 6] = ["edges", "unresolved", "import_cycles", "reachable", "symbol_ranks", "rollups"];

/// The sample with files that depend on each other.
fn connected() -> World {
    let world = World::sample();
    world.write("app/one.py", "import two\n\ndef first():\n    return two.second()\n");
    world.write("app/two.py", "import one\n\ndef second():\n    return one.first() + missing_name()\n");
    world.write("app/three.py", "import two\n\ndef third():\n    return two.second()\n");
    world
}

fn rows(world: &World, table: &str) -> String {
    let shown = world.read(&["inspect", "--table", table, "-n", "1000"]);
    shown.split_once("\nrow 1\n").map_or_else(String::new, |(_, rows)| rows.to_owned())
}

fn scratch(world: &World, more: &[&str]) -> String {
    world.digest_from_scratch_of(&world.source(), more)
}

#[test]
fn views_are_tables() {
    let world = connected();
    let (report, code) = world.run(&ALL);
    assert_eq!(code, 0);
    let (listed, status) = (world.read(&["inspect"]), world.read(&["status"]));
    for name in NAMES {
        assert!(listed.contains(&format!("lance/{name} ")), "{listed}");
        assert!(status.contains(&format!(" {name}")), "{status}");
        assert!(world.digest().contains(&format!("lance/{name}")), "{name}");
        assert!(report["views"][name]["added"].as_u64() > Some(0), "{name}: {:#}", report["views"]);
        assert!(!rows(&world, name).is_empty(), "{name}");
    }
    assert!(rows(&world, "unresolved").contains("missing_name"));
    for mode in ["parallel", "pipeline", "sequential"] {
        world.run(&[&["--full", "--mode", mode], &ALL[..]].concat());
        assert_eq!(world.digest(), scratch(&world, &ALL), "{mode}");
    }
}

#[test]
fn an_edit_updates_dependent_rows_of_views() {
    let world = connected();
    world.run(&ALL);
    let edges = rows(&world, "edges");
    assert!(edges.contains("app/three.py"), "{edges}");

    world.write("app/three.py", "def third():\n    return 3\n");
    let (report, _) = world.run(&ALL);
    assert_eq!(report["work"]["contents_analysed"], 1);
    assert!(report["views"]["edges"]["deleted"].as_u64() > Some(0), "{:#}", report["views"]);
    assert!(!rows(&world, "edges").contains("app/three.py"), "{}", rows(&world, "edges"));
    assert_eq!(world.digest(), scratch(&world, &ALL));

    // Removing a definition removes edges of unchanged files.
    std::fs::rename(world.source().join("app/two.py"), world.source().join("app/four.py")).unwrap();
    let (report, _) = world.run(&ALL);
    assert_eq!(report["work"]["contents_analysed"], 0);
    assert_eq!(world.digest(), scratch(&world, &ALL));
    world.write("app/one.py", "def first():\n    return 1\n");
    world.run(&ALL);
    assert_eq!(rows(&world, "import_cycles"), "");
    assert_eq!(world.digest(), scratch(&world, &ALL));
}

#[test]
fn adding_a_view_parses_nothing() {
    let world = connected();
    world.run(&[]);
    let (report, _) = world.run(&["--set", "views.edges=true"]);
    assert_eq!(
        (report["ending"].as_str(), report["work"]["contents_analysed"].as_u64(), report["rebuilt_because"].as_str()),
        (Some("committed"), Some(0), None)
    );
    assert_eq!(report["scan"]["files_read"].as_u64().map(|read| read <= 8), Some(true));
    assert_eq!(world.digest(), scratch(&world, &["--set", "views.edges=true"]));

    let (report, _) = world.run(&ALL);
    assert_eq!(
        (report["work"]["contents_analysed"].as_u64(), &report["views"]["edges"]),
        (Some(0), &serde_json::Value::Null)
    );
    assert_eq!(world.digest(), scratch(&world, &ALL));

    let mut others = ALL;
    others[7] = "views.reachable=[\"lib.rs\"]";
    let (report, _) = world.run(&others);
    assert_eq!(report["work"]["contents_analysed"], 0);
    assert_eq!(world.digest(), scratch(&world, &others), "other roots reach other files");
}

#[test]
fn a_removed_view_leaves_no_table() {
    let world = connected();
    world.run(&ALL);
    let (report, _) = world.run(&["--set", "views.rollups=true"]);
    assert_eq!((report["ending"].as_str(), report["work"]["contents_analysed"].as_u64()), (Some("committed"), Some(0)));
    let listed = world.read(&["inspect"]);
    assert!(listed.contains("lance/rollups") && !listed.contains("lance/edges"), "{listed}");
    assert_eq!(world.digest(), scratch(&world, &["--set", "views.rollups=true"]));
    let (report, _) = world.run(&["--set", "views.rollups=true"]);
    assert_eq!(report["ending"], "unchanged");
}

#[test]
fn views_survive_garbage_collection() {
    let world = connected();
    world.run(&ALL);
    world.write("app/five.py", "import two\n\ndef fifth():\n    return two.second()\n");
    world.run(&ALL);
    let before = world.digest();
    let output = world.job_command("gc", &["--keep", "1"]).args(ALL).output().unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert_eq!(world.digest(), before);
    std::fs::remove_file(world.source().join("app/two.py")).unwrap();
    let (report, _) = world.run(&ALL);
    assert_eq!(report["work"]["contents_analysed"], 0);
    assert_eq!(world.digest(), scratch(&world, &ALL));
}

#[test]
fn views_need_a_sink_that_stores_them() {
    let world = World::sample();
    let stages = [("read", "source"), ("hash", "read"), ("parse", "hash"), ("chunk", "parse")];
    let mut job: String = stages
        .iter()
        .map(|(name, input)| format!("[[stage]]\nname = \"{name}\"\noperator = \"{name}\"\ninput = \"{input}\"\n\n"))
        .collect();
    job.push_str("[[stage]]\nname = \"tantivy\"\nsink = \"tantivy\"\ninput = \"chunk\"\n\n[views]\nedges = true\n");
    let file = world.folder.path().join("job.toml");
    std::fs::write(&file, job).unwrap();
    let output = world.run_command(&[file.to_str().unwrap()]).output().unwrap();
    assert_eq!(code(&output), 2, "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stderr).contains("no sink keeps their tables"), "{}", text(&output.stderr));
    assert!(!world.index().join("HEAD").exists());
}
