//! Benchmarks: experiments, stages alone, corpora and traces.

use serde_json::{Value, json};

use crate::world::{World, code, text};

fn json_of(path: &std::path::Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Runs `gristmill bench` on the tree and returns standard output.
fn bench(world: &World, args: &[&str]) -> String {
    let output = world.command(&["bench"]).args(args).output().unwrap();
    assert_eq!(code(&output), 0, "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn variants_take_turns_and_are_compared_with_the_first() {
    let world = World::sample();
    let path = |name: &str| world.folder.path().join(name);
    let args = ["run", "--source", "src", "--sweep", "mode=*", "--repeat", "2", "--warm-up", "0"];
    let files = ["--json", "r.json", "--csv", "r.csv", "--html", "r.html"];
    let shown = bench(&world, &[&args[..], &files[..]].concat());
    assert!(shown.contains("All variants wrote the same rows"), "{shown}");
    assert!(shown.contains("use --repeat 6 or more"), "two trials show nothing: {shown}");

    let results = json_of(&path("r.json"));
    let names: Vec<&Value> = results["variants"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["mode=sequential", "mode=parallel", "mode=pipeline"]);
    for variant in results["variants"].as_array().unwrap() {
        let samples = variant["samples"].as_array().unwrap();
        assert_eq!(samples.len(), 2);
        for sample in samples {
            assert_eq!(sample["report"]["work"]["contents_analysed"], 4, "each trial begins from nothing");
            assert_eq!(sample["report"]["mode"], variant["settings"][0]["value"]);
        }
        let work = variant["profile"]["work"].as_array().unwrap();
        assert!(work.iter().any(|series| series["name"] == "parse"), "{work:?}");
    }
    let page = std::fs::read_to_string(path("r.html")).unwrap();
    assert!(page.contains("<svg") && !page.contains("http"), "the page is self-contained");
    let lines = std::fs::read_to_string(path("r.csv")).unwrap();
    assert_eq!(lines.lines().filter(|line| line.contains(",,wall_ms,")).count(), 3 * 2);

    // An experiment equals itself.
    let compared = bench(&world, &["compare", "r.json", "r.json"]);
    assert_eq!(compared.lines().filter(|line| line.contains("no difference shown")).count(), 3 * 4, "{compared}");
}

#[test]
fn what_is_slower_than_a_bound_ends_with_its_own_exit_code() {
    let world = World::sample();
    let path = |name: &str| world.folder.path().join(name);
    bench(&world, &["run", "--source", "src", "--repeat", "6", "--warm-up", "0", "--json", "r.json"]);
    let mut slower = json_of(&path("r.json"));
    for sample in slower["variants"][0]["samples"].as_array_mut().unwrap() {
        let wall = sample["wall_ms"].as_f64().unwrap();
        sample["wall_ms"] = json!(wall * 50.0);
    }
    std::fs::write(path("slower.json"), slower.to_string()).unwrap();
    let compare = |args: &[&str]| world.command(&["bench", "compare"]).args(args).output().unwrap();
    let output = compare(&["slower.json", "r.json", "--max-ratio", "2"]);
    assert_eq!(code(&output), 5, "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("wall time is more than 2 times the baseline's: `job`"));
    assert_eq!(code(&compare(&["r.json", "slower.json", "--max-ratio", "2"])), 0, "faster is no regression");
}

#[test]
fn trials_of_other_scenarios_update_an_index() {
    let world = World::sample();
    // Long enough to be chosen for an edit; what is ignored is not.
    let long = "def one():\n    return 1\n\n\n".repeat(40);
    world.write("long.py", &long);
    world.write(".ignore", "left_out\n");
    (0..20).for_each(|number| world.write(&format!("left_out/{number}.py"), format!("{long}# {number}\n")));
    let path = |name: &str| world.folder.path().join(name);
    for (scenario, analysed, ending) in [("unchanged", 0, "unchanged"), ("edit", 1, "committed")] {
        let args = ["run", "--source", "src", "--scenario", scenario, "--repeat", "2", "--json", "r.json", "--quiet"];
        bench(&world, &args);
        for sample in json_of(&path("r.json"))["variants"][0]["samples"].as_array().unwrap() {
            let report = &sample["report"];
            assert_eq!((&report["work"]["contents_analysed"], &report["ending"]), (&json!(analysed), &json!(ending)));
        }
    }
    let kept = std::fs::read_to_string(world.source().join("long.py")).unwrap();
    assert!(!kept.contains("gristmill_bench_edit"), "a copy is edited, not the source");
}

#[test]
fn stages_are_measured_alone_on_what_was_recorded() {
    let world = World::sample();
    let recorded = bench(&world, &["record", "--source", "src", "--out", "rec"]);
    assert!(recorded.contains("parse.arrow"), "{recorded}");
    let manifest = json_of(&world.folder.path().join("rec/manifest.json"));
    let count = |stage: &str| {
        let parts = manifest["parts"].as_array().unwrap();
        parts.iter().find(|part| part["stage"] == stage).unwrap()["items"].as_u64().unwrap()
    };
    assert_eq!((count("source"), count("parse"), count("chunk")), (5, 5, 5));

    let args = ["stage", "--source", "src", "--inputs", "rec", "--threads", "1,2", "--repeat", "2", "--json", "s.json"];
    let shown = bench(&world, &args);
    let measured = json_of(&world.folder.path().join("s.json"));
    let stages = measured["stages"].as_array().unwrap();
    let of = |name: &str| stages.iter().filter(|row| row["name"] == name).collect::<Vec<_>>();
    assert_eq!((of("parse").len(), of("lance").len()), (2, 1), "operators by number of threads: {shown}");
    for (name, items) in [("read", 5), ("parse", 5), ("lance", 5), ("tantivy", 5), ("recall", 4)] {
        for sample in of(name)[0]["samples"].as_array().unwrap() {
            assert_eq!(sample["items"], items, "{name}");
        }
    }
    // The two equal files have a chunk each, which are embedded once.
    assert_eq!(of("embed")[0]["samples"][0]["items"], count("embed"));
    let allocated = &of("chunk")[0]["samples"][0]["allocated"][0];
    assert!(allocated.as_u64().unwrap() > 0, "{allocated}");

    // Asked for twice it is measured once.
    let args =
        ["stage", "--source", "src", "--inputs", "rec", "--stage", "hash", "--stage", "hash", "--threads", "1,1"];
    let shown = bench(&world, &[&args[..], &["--repeat", "1"]].concat());
    assert!(shown.contains("One trial has no interval"), "{shown}");
    assert_eq!(shown.lines().filter(|line| line.starts_with("hash")).count(), 1, "{shown}");
    world.write("new.py", "def later():\n    return 2\n");
    let output = world.command(&["bench", "stage", "--source", "src", "--inputs", "rec", "--stage", "scan"]).output();
    assert!(text(&output.unwrap().stderr).contains("does not hold what was recorded"));

    let output = world.command(&["bench", "stage", "--source", "src", "--inputs", "rec", "--stage", "prase"]).output();
    let output = output.unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("expected one of read, hash, parse"), "{}", text(&output.stderr));

    let damaged = world.folder.path().join("rec/parse.arrow");
    let mut bytes = std::fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();
    let output = world.command(&["bench", "stage", "--source", "src", "--inputs", "rec"]).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("its checksum is not that of the manifest"), "{}", text(&output.stderr));
}

#[test]
fn a_run_writes_a_trace_of_its_threads() {
    let world = World::sample();
    world.run(&["--trace", "trace.json", "--mode", "pipeline"]);
    let trace = json_of(&world.folder.path().join("trace.json"));
    let events = trace["traceEvents"].as_array().unwrap();
    let named = |name: &str| events.iter().filter(|event| event["name"] == name).count();
    assert_eq!((named("scan"), named("publish"), named("lance: publish"), named("parse")), (1, 1, 1, 4));
    assert!(named("queue: parse") > 0 && named("bytes in flight") > 0 && named("fact plane") > 0);
    let threads = events.iter().filter(|event| event["name"] == "thread_name");
    let threads: Vec<&str> = threads.filter_map(|event| event["args"]["name"].as_str()).collect();
    assert!(threads.contains(&"sink-lance") && threads.contains(&"stage-0"), "{threads:?}");
}

#[test]
fn corpora_are_generated_and_checked() {
    let world = World::new();
    let generate = |out: &str| {
        bench(
            &world,
            &["corpus", "generate", "--out", out, "--files", "60", "--languages", "rust=2,python", "--seed", "3"],
        )
    };
    let (first, second) = (generate("one"), generate("two"));
    assert_eq!(first, second);
    assert_eq!(bench(&world, &["corpus", "check", "one"]), first);
    assert!(bench(&world, &["corpus", "list"]).contains("https://github.com/pallets/flask"));
    let output = world.command(&["bench", "corpus", "check", "one", "--name", "flask"]).output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("its content hash is"), "{}", text(&output.stderr));
}

#[test]
fn mistakes_are_reported_before_anything_runs() {
    let world = World::sample();
    let failed = |args: &[&str], part: &str| {
        let output = world.command(&["bench", "run", "--source", "src"]).args(args).output().unwrap();
        assert_eq!((code(&output), text(&output.stdout)), (2, String::new()), "{args:?}");
        assert!(text(&output.stderr).contains(part), "{args:?}: {}", text(&output.stderr));
    };
    failed(&["--sweep", "workers"], "expected KEY=VALUE,VALUE");
    failed(&["--sweep", "workers=1,1"], "duplicate value `1`");
    failed(&["--sweep", "workres=1,2"], "workres");
    failed(&["--sweep", "mode=parallel,fast"], "fast");
    failed(&["--repeat", "0"], "--repeat must be between 1 and 60, got 0");
    failed(&["--warm-up", "18446744073709551615"], "--warm-up must be between 0 and 1000");
    failed(&["--timeout", "0"], "--timeout must be at least 1");
    failed(&["--set", "index.vectors=mine"], "`index.vectors` cannot be set in an experiment");
    failed(&["--sweep", "source.path=a,b"], "`source.path` cannot be set in an experiment");
    failed(&["--against", "/bin/true"], "/bin/true is no `gristmill` program");
    failed(&["--json", "no/such/folder/r.json"], "cannot write no/such/folder/r.json");
    failed(&["--max-ratio", "1.1"], "--max-ratio needs two variants");
    failed(&["--max-ratio", "1.1", "--sweep", "mode=*", "--repeat", "5"], "--max-ratio needs at least 6 trials");
    failed(&["--max-ratio", "nan", "--sweep", "mode=*"], "--max-ratio must be a number above 0");
}

#[test]
fn an_interrupt_ends_the_trial_and_everything_in_it() {
    use std::io::{BufRead as _, BufReader};
    let world = World::sample();
    let mut command = world.command(&["bench", "run", "--source", "src", "--repeat", "60"]);
    let mut bench = command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(bench.stderr.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("(warm-up)"), "{first}");
    let status = std::process::Command::new("kill").args(["-INT", &bench.id().to_string()]).status().unwrap();
    assert!(status.success());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(bench.wait().unwrap().code(), Some(130), "{rest:?}");
}

#[test]
fn little_memory_gives_the_same_index() {
    let world = World::sample();
    let (report, _) = world.run(&["--low-memory"]);
    assert_eq!((&report["mode"], &report["workers"]), (&json!("sequential"), &json!(1)));
    assert_eq!(report["memory"]["limit_bytes"], 128 << 20);
    assert_eq!(world.digest(), world.digest_from_scratch());
}
