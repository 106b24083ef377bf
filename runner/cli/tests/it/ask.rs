//! The subcommands of the tools.

use serde_json::{Value, json};

use crate::world::{World, code, text};

/// The answer of a tool on the index of the world.
fn ask(world: &World, args: &[&str]) -> Value {
    answered(world, &[args, &["--index", "index"]].concat())["answer"].clone()
}

/// The JSON output of a command that names the index itself: epoch, notes and answer.
fn answered(world: &World, args: &[&str]) -> Value {
    let output = world.command(args).arg("--json").output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asserts that a tool fails with this exit code and message.
fn fails(world: &World, args: &[&str], exit: i32, message: &str) {
    let output = world.command(args).args(["--index", "index"]).output().unwrap();
    let stderr = text(&output.stderr);
    // Long lines are wrapped.
    let on_one_line = stderr.replace(['\n', '│'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code(&output) == exit && on_one_line.contains(message), "{args:?}: {}: {stderr}", code(&output));
}

fn indexed() -> World {
    let world = World::sample();
    world.run(&[]);
    world
}

/// The values of a key of all objects in an array.
fn each<'a>(values: &'a Value, key: &str) -> Vec<&'a str> {
    values.as_array().unwrap().iter().map(|value| value[key].as_str().unwrap()).collect()
}

/// The sample as an index of two refs, of which `release/1` has another `lib.rs` and a file more.
fn over_refs() -> World {
    let world = World::repository();
    world.git(&["checkout", "--quiet", "-b", "release/1"]);
    world.write("lib.rs", "pub struct Released;\n\npub fn released() -> u32 {\n    9\n}\n");
    world.write("extra/notes.md", "# Notes\n\nOnly here.\n");
    world.commit("second");
    world.run(&["--set", "source.kind=git", "--set", r#"source.refs=["main", "release/*"]"#]);
    world
}

#[test]
fn aggregate_summarises_folders_and_languages() {
    let world = indexed();
    let by_path = ask(&world, &["aggregate"]);
    assert_eq!(each(&by_path["groups"], "key"), ["", "app", "web"], "by descending lines: {by_path:#}");
    assert_eq!((&by_path["groups"][1]["files"], &by_path["groups"][1]["lines"]), (&json!(2), &json!(6)));
    let total = &by_path["total"];
    assert_eq!((&total["key"], &total["files"], &by_path["groups_found"]), (&json!("total"), &json!(5), &json!(3)));
    for size in ["files", "lines", "bytes", "chunks", "symbols"] {
        let sum: u64 = by_path["groups"].as_array().unwrap().iter().map(|group| group[size].as_u64().unwrap()).sum();
        assert_eq!(Some(sum), total[size].as_u64(), "{size}");
    }
    let by_language = ask(&world, &["aggregate", "language", "--path", "app/"]);
    assert_eq!((each(&by_language["groups"], "key"), &by_language["total"]["files"]), (vec!["python"], &json!(2)));
    let few = ask(&world, &["aggregate", "--limit", "1", "--language", "rust", "--language", "typescript"]);
    assert_eq!((each(&few["groups"], "key"), &few["groups_found"]), (vec![""], &json!(2)));
    assert_eq!(few["total"]["files"], 2, "the total is of all groups");
    let none = ask(&world, &["aggregate", "--language", "cobol"]);
    assert_eq!((none["groups"].as_array().map(Vec::len), &none["total"]["lines"]), (Some(0), &json!(0)));
}

#[test]
fn aggregate_groups_at_the_requested_depth() {
    let world = World::new();
    for path in ["a/b/c/one.py", "a/b/two.py", "a/three.py"] {
        world.write(path, "def f():\n    return 1\n");
    }
    world.run(&[]);
    let keys = |depth: &str| {
        let answer = ask(&world, &["aggregate", "--depth", depth]);
        let mut keys: Vec<String> = each(&answer["groups"], "key").into_iter().map(str::to_owned).collect();
        keys.sort();
        keys
    };
    assert_eq!((keys("1"), keys("2")), (vec!["a".to_owned()], vec!["a".to_owned(), "a/b".to_owned()]));
    assert_eq!(keys("20"), ["a", "a/b", "a/b/c"]);
}

#[test]
fn aggregate_counts_definitions_by_kind() {
    let world = indexed();
    let kinds = ask(&world, &["aggregate", "kind"]);
    let function = kinds["groups"].as_array().unwrap().iter().find(|group| group["key"] == "function").unwrap();
    assert_eq!((&function["symbols"], &function["files"]), (&json!(3), &json!(3)), "{kinds:#}");
    assert_eq!((&function["lines"], &kinds["total"]["files"]), (&Value::Null, &json!(4)));
    let text = world.read(&["aggregate", "kind", "--limit", "1"]);
    assert!(text.contains("function") && text.contains("total") && text.contains("truncated: "), "{text}");
    assert!(!text.contains("lines"), "{text}");
}

#[test]
fn list_preview_shows_folders_and_first_definitions() {
    let world = indexed();
    let top = ask(&world, &["list-preview"]);
    assert_eq!(each(&top["entries"], "path"), ["app", "lib.rs", "notes.txt", "web"]);
    assert_eq!(each(&top["entries"], "kind"), ["folder", "file", "file", "folder"]);
    let (app, lib) = (&top["entries"][0], &top["entries"][1]);
    assert_eq!((&app["files"], &app["lines"], &app["languages"]), (&json!(2), &json!(6), &json!(["python"])));
    assert_eq!((&app["preview"], &lib["languages"]), (&Value::Null, &json!(["rust"])));
    assert_eq!(lib["preview"], json!([{"kind": "function", "qualified_name": "find_entry", "line": 4}]));

    let deep = ask(&world, &["list-preview", ".", "--depth", "2", "--preview", "1"]);
    let paths = ["app", "app/copy.py", "app/main.py", "lib.rs", "notes.txt", "web", "web/index.ts"];
    assert_eq!(each(&deep["entries"], "path"), paths);
    let class = &deep["entries"][6]["preview"];
    assert_eq!(class, &json!([{"kind": "class", "qualified_name": "HttpServer", "line": 1}]), "only the top level");
    let few = ask(&world, &["list-preview", "--depth", "2", "--limit", "4"]);
    assert_eq!((each(&few["entries"], "path"), &few["truncated"]), (each(&top["entries"], "path"), &json!(true)));

    for folder in ["app", "./app/"] {
        let entries = ask(&world, &["list-preview", folder, "--preview", "0"]);
        assert_eq!(
            (&entries["path"], each(&entries["entries"], "path")),
            (&json!("app"), vec!["app/copy.py", "app/main.py"])
        );
        assert_eq!(entries["entries"][0]["preview"], Value::Null);
    }
    let text = world.read(&["list-preview", "--depth", "2"]);
    assert!(text.contains("app/  2 files, 6 lines, python\n  copy.py  python, 3 lines"), "{text}");
}

#[test]
fn list_preview_descends_into_a_single_module() {
    let world = World::new();
    world.write(
        "A.cs",
        "namespace App\n{\n    class Server\n    {\n        void Listen() {}\n    }\n    class Client {}\n}\n",
    );
    world.run(&[]);
    let answer = ask(&world, &["list-preview"]);
    let names = each(&answer["entries"][0]["preview"], "qualified_name");
    assert_eq!(names, ["App.Server", "App.Client"], "{answer:#}");
}

#[test]
fn list_preview_lists_a_type_once() {
    let world = World::new();
    world.write(
        "a.rs",
        "pub struct A;\n\nimpl A {\n    fn of() -> Self {\n        A\n    }\n}\n\npub fn make() -> A {\n    A\n}\n",
    );
    world.run(&[]);
    let answer = ask(&world, &["list-preview"]);
    assert_eq!(each(&answer["entries"][0]["preview"], "qualified_name"), ["A", "make"], "{answer:#}");
}

#[test]
fn tools_reject_values_that_are_out_of_range_or_unknown() {
    let world = indexed();
    for (args, message) in [
        (["aggregate", "--depth", "0"], "`depth` must be between 1 and 20, got 0"),
        (["aggregate", "--limit", "1001"], "`limit` must be between 1 and 1000, got 1001"),
        (["aggregate", "--path", "a["], "invalid glob"),
        (["list-preview", "--depth", "6"], "`depth` must be between 1 and 5, got 6"),
        (["list-preview", "--preview", "21"], "`preview` must be between 0 and 20, got 21"),
        (["history-recent", "--epochs", "101"], "`epochs` must be between 1 and 100, got 101"),
        (["history-recent", "--limit", "0"], "`limit` must be between 1 and 1000, got 0"),
        (["metric-aggregate", "--runs", "0"], "`runs` must be between 1 and 100, got 0"),
        (["metric-series", "stage_busy_ms", "--runs=5"], "`stage` is required"),
        (["metric-series", "wall_ms", "--stage=parse"], "`stage` is not allowed"),
        (["simulate", "a.rs", "--revision=main"], "mutually exclusive"),
        (["simulate", "--revision", ""], "`revision` must be between 1 and 1000 bytes long, got 0"),
    ] {
        fails(&world, &args, 2, message);
    }
    fails(&world, &["metric-series", "walls"], 2, "overlap_efficiency");
    fails(&world, &["list-preview", "no/such"], 1, "no folder `no/such`");
    fails(&world, &["list-preview", "../../etc"], 1, "no folder `../../etc`");
    fails(&world, &["list-preview", "lib.rs"], 1, "read it with `get_files`");
    fails(&world, &["metric-aggregate", "--stage", "prase"], 1, "stages of the last runs: chunk,");
    fails(&world, &["metric-series", "stage_busy_ms", "--stage", "prase"], 1, "unknown stage `prase`");
    fails(&world, &["simulate", "*.cobol"], 1, "no indexed file matches");
}

#[test]
fn tools_query_one_of_several_refs() {
    let world = over_refs();
    let files = |ref_name: &str| ask(&world, &["aggregate", "--ref", ref_name])["total"]["files"].clone();
    assert_eq!((files("main"), files("release/1")), (json!(5), json!(6)));
    let kinds = ask(&world, &["aggregate", "kind", "--ref", "release/1", "--language", "rust"]);
    assert_eq!(kinds["total"]["symbols"], 2, "{kinds:#}");
    let listed = |ref_name: &str| ask(&world, &["list-preview", "--ref", ref_name]);
    assert_eq!(each(&listed("main")["entries"], "path"), ["app", "lib.rs", "notes.txt", "web"]);
    let release = listed("release/1");
    assert_eq!(each(&release["entries"], "path"), ["app", "extra", "lib.rs", "notes.txt", "web"]);
    assert_eq!(each(&release["entries"][2]["preview"], "qualified_name"), ["Released", "released"]);
    fails(&world, &["list-preview", "extra"], 1, "no folder `extra`");
    let change = ask(&world, &["simulate", "lib.rs", "--ref", "release/1"]);
    assert_eq!((&change["change"]["files"], &change["change"]["symbols"]), (&json!(1), &json!(2)));
}

#[test]
fn history_recent_lists_changed_paths() {
    let world = indexed();
    world.write("lib.rs", "pub fn replaced() {}\n");
    world.write("new.go", "package main\n\nfunc Fresh() int { return 1 }\n");
    std::fs::remove_file(world.source().join("notes.txt")).unwrap();
    world.run(&[]);
    std::fs::rename(world.source().join("web"), world.source().join("site")).unwrap();
    world.run(&[]);
    let answer = ask(&world, &["history-recent", "--paths"]);
    let epochs = &answer["epochs"];
    let numbers: Vec<_> = epochs.as_array().unwrap().iter().map(|epoch| epoch["epoch"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!((&epochs[1]["changes"]["added"], &epochs[1]["files"]), (&json!(1), &json!(5)));
    assert!(epochs[0]["wall_ms"].as_f64() > Some(0.0) && epochs[0]["committed_ms"].as_u64() > Some(0));
    let renamed = json!({"since": 2, "added": ["site/index.ts"], "modified": [], "deleted": ["web/index.ts"],
        "total": 2, "truncated": false});
    let edited = json!({"since": 1, "added": ["new.go"], "modified": ["lib.rs"], "deleted": ["notes.txt"],
        "total": 3, "truncated": false});
    assert_eq!((&epochs[0]["paths"], &epochs[1]["paths"], &epochs[2]["paths"]), (&renamed, &edited, &Value::Null));

    let few = ask(&world, &["history-recent", "--epochs", "1", "--paths", "--limit", "1"]);
    assert_eq!(few["epochs"].as_array().map(Vec::len), Some(1));
    let paths = &few["epochs"][0]["paths"];
    assert_eq!((&paths["added"], &paths["deleted"]), (&json!(["site/index.ts"]), &json!([])));
    assert_eq!((&paths["total"], &paths["truncated"]), (&json!(2), &json!(true)));
    let older = ask(&world, &["history-recent", "--epoch", "2"]);
    assert_eq!((&older["epochs"][0]["epoch"], &older["epochs"][0]["paths"]), (&json!(2), &Value::Null));

    std::fs::remove_dir_all(world.index().join("runs")).unwrap();
    let rendered = world.read(&["history-recent", "--paths", "-n", "1"]);
    assert!(rendered.starts_with("epoch 3  ") && rendered.contains("    + site/index.ts\n"), "{rendered}");
    let output = world.command(&["gc", "--keep", "1", "--no-compact", "--index", "index"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let alone = ask(&world, &["history-recent", "--paths"]);
    assert_eq!((alone["epochs"].as_array().map(Vec::len), &alone["epochs"][0]["paths"]), (Some(1), &Value::Null));
    assert_eq!((&alone["epochs"][0]["changes"], &alone["epochs"][0]["files"]), (&Value::Null, &json!(5)));
}

#[test]
fn history_recent_compares_the_paths_of_one_ref() {
    let world = over_refs();
    world.git(&["checkout", "--quiet", "main"]);
    world.write("app/main.py", "def parse_config(path):\n    return None\n");
    world.commit("third");
    world.git(&["branch", "topic"]);
    world.run(&["--set", "source.kind=git", "--set", r#"source.refs=["main", "release/*", "topic"]"#]);
    let paths =
        |ref_name: &str| ask(&world, &["history-recent", "--paths", "--ref", ref_name])["epochs"][0]["paths"].clone();
    assert_eq!((&paths("main")["modified"], &paths("main")["total"]), (&json!(["app/main.py"]), &json!(1)));
    assert_eq!(paths("release/1")["total"], 0);
    assert_eq!((&paths("topic")["total"], &paths("topic")["deleted"]), (&json!(5), &json!([])), "a new ref");
    let first = ask(&world, &["history-recent", "--paths"]);
    assert_eq!(first["epochs"][0]["paths"], paths("main"), "the default is the first ref of the job");
    assert_eq!(each(&first["epochs"][0]["refs"], "name"), ["main", "release/1", "topic"]);
    assert_eq!(each(&first["epochs"][1]["refs"], "name"), ["main", "release/1"]);
}

#[test]
fn metrics_come_from_the_run_reports() {
    let world = World::sample();
    let mut reports = vec![world.run(&[]).0];
    world.write("lib.rs", "pub fn replaced() {}\n");
    reports.push(world.run(&[]).0);
    reports.push(world.run(&[]).0);
    let answer = ask(&world, &["metric-aggregate"]);
    assert_eq!(answer["runs"], 3);
    let parse = answer["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == "parse").unwrap();
    let of = |report: &Value, key: &str| {
        let stages = report["stages"].as_array().unwrap();
        stages.iter().find(|stage| stage["name"] == "parse").map_or(0.0, |stage| stage[key].as_f64().unwrap())
    };
    let sum = |key: &str| reports.iter().map(|report| of(report, key)).sum::<f64>();
    assert_eq!((parse["items"].as_f64(), &parse["runs"]), (Some(sum("items")), &json!(2)), "{parse:#}");
    let busy = parse["busy_ms"]["sum"].as_f64().unwrap();
    assert!((busy - sum("busy_ms")).abs() < 1e-6, "{parse:#}");
    let rate = parse["items_per_second"].as_f64().unwrap();
    assert!((rate * busy / 1e3 - sum("items")).abs() < 1e-6, "{parse:#}");
    let newest = ask(&world, &["metric-aggregate", "--runs", "1", "--stage", "parse"]);
    assert_eq!(
        (newest["stages"].as_array().map(Vec::len), &newest["overall"]["wall_ms"]["sum"]),
        (Some(1), &reports[2]["time"]["wall_ms"])
    );
    assert!(world.read(&["metric-aggregate"]).contains("3 runs: "));

    let series = ask(&world, &["metric-series", "wall_ms"]);
    let points = series["points"].as_array().unwrap();
    let column = |key: &str| points.iter().map(|point| point[key].clone()).collect::<Vec<_>>();
    let reported =
        |section: &str, key: &str| reports.iter().map(|report| report[section][key].clone()).collect::<Vec<_>>();
    assert_eq!((column("value"), &series["unit"]), (reported("time", "wall_ms"), &json!("ms")));
    assert_eq!(
        (column("run"), column("epoch")),
        (vec![json!(1), json!(2), json!(3)], vec![json!(1), json!(2), json!(2)])
    );
    let started: Vec<_> = reports.iter().map(|report| report["started_ms"].clone()).collect();
    assert_eq!(column("started_ms"), started);

    let values = |args: &[&str]| {
        let series = ask(&world, &[&["metric-series"], args].concat());
        series["points"].as_array().unwrap().iter().map(|point| point["value"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(values(&["files_changed"]), [5.0, 1.0, 0.0]);
    assert_eq!(values(&["files_changed", "--runs", "2"]), [1.0, 0.0]);
    let embedded: Vec<_> = reported("work", "passages_embedded").iter().map(|count| count.as_f64().unwrap()).collect();
    assert_eq!(values(&["passages_embedded"]), embedded);
    let busy: Vec<_> =
        reports.iter().filter(|report| of(report, "busy_ms") > 0.0).map(|report| of(report, "busy_ms")).collect();
    let busy_per_run = values(&["stage_busy_ms", "--stage", "parse"]);
    assert_eq!(busy_per_run.into_iter().filter(|busy| *busy > 0.0).collect::<Vec<_>>(), busy);
    assert_eq!(
        values(&["stage_items_per_second", "--stage", "parse"]).len(),
        2,
        "a run without work has no throughput"
    );
}

#[test]
fn an_index_without_reports_has_no_metrics() {
    let world = indexed();
    std::fs::remove_dir_all(world.index().join("runs")).unwrap();
    let answer = ask(&world, &["metric-aggregate"]);
    assert_eq!((&answer["runs"], &answer["stages"]), (&json!(0), &json!([])));
    assert_eq!(ask(&world, &["metric-series", "cpu_ms"])["points"], json!([]));
    fails(&world, &["metric-series", "stage_busy_ms", "--stage", "parse"], 1, "the next run writes one");
    // An incomplete report is skipped.
    std::fs::create_dir_all(world.index().join("runs")).unwrap();
    std::fs::write(world.index().join("runs/7.json"), "{\"ending\": \"comm").unwrap();
    assert_eq!(ask(&world, &["metric-aggregate"])["runs"], 0);
}

/// Writes a job file where commands look for one, with further settings.
fn write_job(world: &World, source: &str, more: &str) {
    let job = format!("[source]\npath = \"src\"\n{source}\n[index]\npath = \"index\"\n\n{more}");
    std::fs::write(world.folder.path().join("gristmill.toml"), job).unwrap();
}

fn run_job(world: &World) -> Value {
    let output = world.command(&["run", "--quiet", "--report", "report.json"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&std::fs::read(world.folder.path().join("report.json")).unwrap()).unwrap()
}

#[test]
fn simulate_forecasts_the_next_run() {
    let world = World::sample();
    write_job(&world, "", "");
    run_job(&world);
    let nothing = answered(&world, &["simulate"]);
    assert_eq!((&nothing["answer"]["run"]["epoch"], &nothing["answer"]["run"]["files"]), (&Value::Null, &json!(5)));
    world.write("lib.rs", "pub fn replaced() {}\n");
    std::fs::remove_file(world.source().join("notes.txt")).unwrap();
    let run = answered(&world, &["simulate"])["answer"]["run"].clone();
    let plan: Value = serde_json::from_slice(&world.command(&["plan", "--json"]).output().unwrap().stdout).unwrap();
    assert_eq!((&run["changes"], &run["work"], &run["rows"]), (&plan["changes"], &plan["work"], &plan["rows"]));
    let stdout = text(&world.command(&["simulate"]).output().unwrap().stdout);
    assert!(stdout.starts_with("a run would commit epoch 2 with 4 files\n"), "{stdout}");
    let report = run_job(&world);
    for (forecast, reported) in [("changes", "changes"), ("work", "work"), ("rows", "rows")] {
        assert_eq!(run[forecast], report[reported], "{forecast}");
    }
    let older = answered(&world, &["simulate", "--epoch", "1"]);
    assert_eq!((&older["notes"][0]["code"], &older["answer"]["run"]["epoch"]), (&json!("newest_epoch"), &Value::Null));
}

#[test]
fn simulate_forecasts_another_revision() {
    let world = World::repository();
    write_job(&world, "kind = \"git\"\nrevision = \"main\"\n", "");
    run_job(&world);
    world.git(&["checkout", "--quiet", "-b", "topic"]);
    world.write("lib.rs", "pub fn of_the_topic() -> u32 {\n    7\n}\n");
    world.write("fresh.go", "package main\n\nfunc Fresh() int { return 1 }\n");
    let topic = world.commit("topic");
    let run = |args: &[&str]| answered(&world, &[&["simulate"], args].concat())["answer"]["run"].clone();
    assert_eq!(run(&[])["epoch"], Value::Null);
    let forecast = run(&["--revision", "topic"]);
    assert_eq!((forecast["revision"].as_str(), &forecast["files"]), (Some(&*topic), &json!(6)));
    assert_eq!((&forecast["changes"]["added"], &forecast["changes"]["modified"]), (&json!(1), &json!(1)));
    assert_eq!(forecast["work"]["contents_analysed"], 2);
    for (revision, message) in [("tpoic", "did you mean `topic`?"), ("main~7", "unknown revision `main~7`")] {
        let output = world.command(&["simulate", "--revision", revision]).output().unwrap();
        let stderr = text(&output.stderr);
        assert!(code(&output) == 1 && stderr.contains(message), "{stderr}");
        assert!(!stderr.contains(&*world.folder.path().to_string_lossy()), "no path of the machine is named: {stderr}");
    }
}

#[test]
fn simulate_rejects_a_source_other_than_the_indexed_one() {
    let world = indexed();
    // Without a job, the source would be the working folder.
    fails(&world, &["simulate"], 1, "another source than the index was built from");
    write_job(&world, "", "");
    let output = world.command(&["simulate", "--revision", "HEAD"]).output().unwrap();
    assert!(code(&output) == 1 && text(&output.stderr).contains("git repository"), "{}", text(&output.stderr));
    std::fs::remove_dir_all(world.source()).unwrap();
    let output = world.command(&["simulate"]).output().unwrap();
    assert_eq!(code(&output), 1, "{}", text(&output.stdout));
}

/// The sample with files that depend on each other.
fn connected() -> World {
    let world = World::sample();
    world.write("app/two.py", "def second():\n    return 2\n");
    world.write("app/one.py", "from two import second\n\ndef first():\n    return second() + second()\n");
    world.write("app/three.py", "from two import second\n\ndef third():\n    return second()\n");
    world.write("other.go", "package other\n\nfunc Other() int { return second() }\n");
    world
}

#[test]
fn simulate_lists_dependent_files() {
    let world = connected();
    let (report, _) = world.run(&[]);
    let change = ask(&world, &["simulate", "app/two.py"])["change"].clone();
    assert_eq!((&change["files"], &change["symbols"], &change["lines"]), (&json!(1), &json!(1), &json!(2)));
    assert_eq!((&change["found_by"], &change["used_by_files"]), (&json!("names"), &json!(2)), "{change:#}");
    assert_eq!(
        each(&change["used_by"], "path"),
        ["app/one.py", "app/three.py"],
        "by descending references; Go has its own names"
    );
    assert_eq!(change["used_by"][0]["names"], json!(["second"]));
    let mean = report["time"]["process_ms"].as_f64().unwrap() / report["work"]["contents_analysed"].as_f64().unwrap();
    assert!((change["ms_per_content"].as_f64().unwrap() - mean).abs() < 1e-6, "{change:#}");

    let all = ask(&world, &["simulate", "app/", "no/such.rs"])["change"].clone();
    assert_eq!((&all["files"], &all["contents"]), (&json!(5), &json!(4)), "a copy is analysed once: {all:#}");
    assert_eq!((&all["used_by"], &all["not_found"]), (&json!([]), &json!(["no/such.rs"])));
    let few = ask(&world, &["simulate", "two.py", "--limit", "1"])["change"].clone();
    assert_eq!((few["used_by"].as_array().map(Vec::len), &few["used_by_files"]), (Some(1), &json!(2)));

    // Nothing but the index is read.
    std::fs::remove_dir_all(world.source()).unwrap();
    assert_eq!(ask(&world, &["simulate", "app/two.py"])["change"], change);
    let text = world.read(&["simulate", "app/two.py"]);
    assert!(text.contains("used by   2 other files") && text.contains("  app/one.py  "), "{text}");
}

#[test]
fn simulate_uses_the_view_edges() {
    let world = connected();
    world.run(&["--set", "views.edges=true"]);
    let change = ask(&world, &["simulate", "app/two.py"])["change"].clone();
    assert_eq!((&change["found_by"], &change["used_by_files"]), (&json!("edges"), &json!(2)), "{change:#}");
    assert_eq!(each(&change["used_by"], "path"), ["app/one.py", "app/three.py"]);
}

#[test]
fn names_that_many_files_define_are_skipped() {
    let world = World::new();
    for nth in 0..5 {
        world.write(
            &format!("part{nth}.py"),
            format!("def common():\n    return {nth}\n\ndef own{nth}():\n    return 1\n"),
        );
    }
    world.write("user.py", "import part3\n\nprint(part3.common(), part3.own3())\n");
    world.run(&[]);
    let answer = answered(&world, &["simulate", "part3.py", "--index", "index"]);
    assert_eq!(answer["notes"][0]["code"], "common_names", "{answer:#}");
    let used_by = &answer["answer"]["change"]["used_by"];
    assert_eq!((each(used_by, "path"), &used_by[0]["names"]), (vec!["user.py"], &json!(["own3"])));
}
