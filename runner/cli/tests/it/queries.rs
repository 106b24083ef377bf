//! The query runner as a library, on indexes that the real binary writes.

use std::collections::HashSet;
use std::time::Duration;

use gristmill_config::Registry;
use gristmill_pipeline::Epoch;
use gristmill_query::{
    AnswerOrError, BlockingRunner, CallContext, ErrorCode, Request, RequestOptions, Response, Runner, ToolCall,
};
use serde_json::{Value, json};

use crate::world::World;

fn request(calls: &[(&str, Value)]) -> Request {
    let calls = calls.iter().map(|(tool, input)| ToolCall { tool: (*tool).into(), input: input.clone() });
    Request { calls: calls.collect(), options: RequestOptions::default() }
}

fn call() -> CallContext {
    CallContext::new("test", Duration::from_secs(60))
}

fn runner(world: &World) -> BlockingRunner {
    BlockingRunner::open(&world.index(), &Registry::standard(), gristmill_tools::standard()).unwrap()
}

fn ask(runner: &BlockingRunner, calls: &[(&str, Value)]) -> Response {
    runner.ask(request(calls), call()).unwrap()
}

fn answers(response: &Response) -> Vec<Value> {
    let of = |result: &AnswerOrError| match result {
        AnswerOrError::Answer(answer) => answer.clone(),
        AnswerOrError::Error(error) => panic!("{error:?}"),
    };
    response.answers.iter().map(|outcome| of(&outcome.result)).collect()
}

fn codes(response: &Response) -> Vec<Option<ErrorCode>> {
    let of = |result: &AnswerOrError| match result {
        AnswerOrError::Answer(_) => None,
        AnswerOrError::Error(error) => Some(error.code),
    };
    response.answers.iter().map(|outcome| of(&outcome.result)).collect()
}

/// An operator's stage of a job.
fn operator(name: &str, operator: &str, input: &str, more: &str) -> String {
    format!("[[stage]]\nname = \"{name}\"\noperator = \"{operator}\"\ninput = \"{input}\"\n{more}")
}

/// The sinks of a job, with the inputs of the tables and of the full-text index.
fn sinks(tables: &str, words: &str) -> String {
    format!(
        "[[stage]]\nname = \"lance\"\nsink = \"lance\"\ninput = [\"parse\", \"{tables}\"]\n\
         [[stage]]\nname = \"tantivy\"\nsink = \"tantivy\"\ninput = \"{words}\"\n"
    )
}

/// Runs `job.toml`, a job of a world that has these stages after `parse`.
fn run_stages(world: &World, stages: &[String]) {
    let first = [("read", "source"), ("hash", "read"), ("parse", "hash")];
    let first: String = first.iter().map(|(name, input)| operator(name, name, input, "")).collect();
    let job = format!("[source]\npath = \"src\"\n[index]\npath = \"index\"\n{first}{}", stages.concat());
    std::fs::write(world.folder.path().join("job.toml"), job).unwrap();
    let output = world.command(&["run", "job.toml", "--quiet"]).output().unwrap();
    assert!(output.status.success(), "{}", crate::world::text(&output.stderr));
}

/// Writes three files with the same number.
fn write_numbers(world: &World, number: u32) {
    for file in ["a.rs", "b.py", "c.go"] {
        let text = match file {
            "a.rs" => format!("/// Counts.\npub fn counter() -> u32 {{ marker_{number}() }}\n"),
            "b.py" => format!("def counter():\n    return marker_{number}()\n"),
            _ => format!("package c\n\nfunc counter() int {{\n\treturn marker_{number}()\n}}\n"),
        };
        world.write(file, text);
    }
}

#[test]
fn a_request_reads_one_epoch_while_the_next_is_written() {
    let world = World::new();
    write_numbers(&world, 0);
    world.run(&[]);
    let runner = runner(&world);
    let epochs = std::thread::scope(|writing| {
        let writer = writing.spawn(|| {
            for number in 1..=12 {
                write_numbers(&world, number);
                world.run(&[]);
            }
        });
        let asking = || {
            let mut epochs = HashSet::new();
            loop {
                // Read first, so that the last epoch is queried too.
                let is_last = writer.is_finished();
                for index in runner.runner().indexes() {
                    index.refresh().unwrap();
                }
                // Reads both stores.
                let response = ask(
                    &runner,
                    &[
                        ("search", json!({"query": "counter", "mode": "text", "full_text": true})),
                        ("get_files", json!({"paths": ["a.rs", "b.py", "c.go"]})),
                        ("search", json!({"query": "marker_\\d+", "mode": "regex"})),
                    ],
                );
                let answers = answers(&response);
                let text = serde_json::to_string(&answers).unwrap();
                let numbers: HashSet<&str> =
                    text.split("marker_").skip(1).filter_map(|rest| rest.split("()").next()).collect();
                let expected = response.epoch.back(1).to_string();
                assert_eq!(numbers, HashSet::from([expected.as_str()]), "{text}");
                // A hit has its text and a snippet.
                assert_eq!(text.matches("marker_").count(), 6 + 3 + 3, "{text}");
                epochs.insert(response.epoch);
                if is_last {
                    return epochs;
                }
            }
        };
        std::thread::scope(|scope| {
            let askers: Vec<_> = (0..4).map(|_| scope.spawn(asking)).collect();
            askers.into_iter().flat_map(|asker| asker.join().unwrap()).collect::<HashSet<_>>()
        })
    });
    assert!(epochs.contains(&Epoch::new(13)) && epochs.len() > 1, "{epochs:?}");
}

#[test]
fn an_older_epoch_can_be_queried() {
    let world = World::new();
    write_numbers(&world, 0);
    world.run(&[]);
    write_numbers(&world, 1);
    world.run(&[]);
    let runner = runner(&world);
    let mut of_first = request(&[("search", json!({"query": "marker_0", "mode": "literal"}))]);
    of_first.options.epoch = Some(Epoch::new(1));
    let response = runner.ask(of_first.clone(), call()).unwrap();
    assert_eq!((response.epoch.get(), answers(&response)[0]["hits"].as_array().unwrap().len()), (1, 3));
    of_first.options.epoch = None;
    let response = runner.ask(of_first.clone(), call()).unwrap();
    assert_eq!((response.epoch.get(), answers(&response)[0]["hits"].as_array().unwrap().len()), (2, 0));
    of_first.options.epoch = Some(Epoch::new(9));
    assert_eq!(runner.ask(of_first, call()).unwrap_err().code, ErrorCode::NoEpoch);
}

#[test]
fn a_failed_call_does_not_affect_the_others() {
    let world = World::sample();
    world.run(&[]);
    let runner = runner(&world);
    let response = ask(
        &runner,
        &[
            ("goto_definition", json!({"symbol": "find_entry"})),
            ("serch", json!({"query": "x"})),
            ("search", json!({"query": 7})),
            ("search", json!({"query": "x", "limit": 0})),
            ("search", json!({"query": "x", "limit": -3})),
            ("search", json!({"query": "x", "depth": 3})),
            ("search", json!({"query": "(a{1000}){1000}", "mode": "regex"})),
            ("search", json!({"query": "y".repeat(200_000)})),
            ("get_files", json!({"paths": ["../../../etc/passwd", "/etc/passwd", "lib.rs"]})),
        ],
    );
    use ErrorCode::{BadInput, TooLarge, UnknownTool};
    let bad = Some(BadInput);
    assert_eq!(codes(&response), [None, Some(UnknownTool), bad, bad, bad, bad, bad, Some(TooLarge), None]);
    let AnswerOrError::Answer(files) = &response.answers[8].result else { panic!("no answer") };
    assert_eq!(files["not_found"], json!(["../../../etc/passwd", "/etc/passwd"]));
    assert_eq!(files["files"].as_array().unwrap().len(), 1);
    assert_eq!(runner.ask(request(&[]), call()).unwrap_err().code, BadInput);
}

#[test]
fn calls_end_at_the_deadline_or_when_dropped() {
    let world = World::sample();
    world.run(&[]);
    let runner = runner(&world);
    let over = CallContext::new("test", Duration::ZERO);
    match runner.ask(request(&[("search", json!({"query": "x"}))]), over) {
        Ok(response) => assert_eq!(codes(&response), [Some(ErrorCode::Deadline)]),
        Err(error) => assert_eq!(error.code, ErrorCode::Deadline),
    }
    // Dropping the future cancels the calls.
    let left = call();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let asked = runner.runner().ask(request(&[("search", json!({"query": "x"}))]), left.clone());
        let mut asked = Box::pin(asked);
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(asked.as_mut().poll(context)));
        assert!(polled.await.is_pending());
    });
    assert_eq!(left.check().unwrap_err().code, ErrorCode::Cancelled);
}

#[test]
fn the_blocking_runner_works_within_a_runtime() {
    let world = World::sample();
    world.run(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let runner = runner(&world);
        let response = ask(&runner, &[("get_symbols", json!({"names": ["HttpServer"]}))]);
        assert_eq!(answers(&response)[0]["symbols"][0]["path"], "web/index.ts");
    });
}

#[test]
fn notes_report_fallbacks() {
    let world = World::sample();
    run_stages(&world, &[operator("chunk", "chunk", "parse", ""), sinks("chunk", "chunk")]);
    let runner = runner(&world);
    let response = ask(&runner, &[("search", json!({"query": "settings"})), ("references", json!({"symbol": "open"}))]);
    let notes: Vec<&str> =
        response.answers.iter().flat_map(|outcome| &outcome.notes).map(|note| note.code.as_str()).collect();
    assert_eq!(notes, ["lexical_only", "by_name"]);
    assert_eq!(answers(&response)[0]["hits"][0]["symbol"], "parse_config");
    assert_eq!((response.coverage.files, response.coverage.vectors), (5, 0));
    // A misspelt name is corrected.
    let response = ask(&runner, &[("goto_definition", json!({"symbol": "parseConfg"}))]);
    assert_eq!(response.answers[0].notes[0].code, "corrected");
    assert_eq!(answers(&response)[0]["definitions"][0]["name"], "parse_config");
}

/// The chunk keys of two chunkers are unrelated: lexical hits come from the full-text index.
#[test]
fn lexical_and_vector_scores_may_come_from_different_chunkers() {
    let world = World::new();
    let function =
        |nth: usize| format!("def step_{nth}(value):\n    \"\"\"Takes a step.\"\"\"\n    return value + {nth}\n\n");
    let steps: String = (0..40).map(function).collect();
    world.write("steps.py", format!("{steps}def last():\n    return needle()\n"));
    run_stages(
        &world,
        &[
            operator("fine", "chunk", "parse", "max_tokens = 32\nmin_tokens = 8\n"),
            operator("coarse", "chunk", "parse", "max_tokens = 4000\n"),
            operator("embed", "embed", "fine", ""),
            sinks("embed", "coarse"),
        ],
    );
    for mode in ["text", "hybrid"] {
        let output =
            world.command(&["search", "needle", "--mode", mode, "--json", "--job", "job.toml"]).output().unwrap();
        assert!(output.status.success(), "{}", crate::world::text(&output.stderr));
        let answered: Value = serde_json::from_slice(&output.stdout).unwrap();
        let hits = answered["answer"]["hits"].as_array().unwrap();
        let lexical: Vec<&Value> = hits.iter().filter(|hit| !hit["lexical_score"].is_null()).collect();
        assert_eq!(lexical.len(), 1, "{mode}: {hits:#?}");
        assert!(lexical[0]["end_line"].as_u64() >= Some(162), "{mode}: {:#}", lexical[0]);
    }
}

#[test]
fn a_deleted_index_answers_from_memory_or_reports_an_error() {
    let world = World::sample();
    world.run(&[]);
    let runner = runner(&world);
    let calls = [("goto_definition", json!({"symbol": "find_entry"}))];
    assert_eq!(codes(&ask(&runner, &calls)), [None]);
    std::fs::remove_dir_all(world.index()).unwrap();
    for index in runner.runner().indexes() {
        assert_eq!(index.refresh().unwrap_err().code, ErrorCode::NoEpoch);
        assert!(index.last_error().is_some());
    }
    // Resident tables still answer; reads from disk may fail.
    assert_eq!(codes(&ask(&runner, &calls)), [None]);
    let response = ask(&runner, &[("search", json!({"query": "x", "mode": "regex"}))]);
    assert!(matches!(codes(&response)[..], [None | Some(ErrorCode::Unreadable)]));
    // A rebuilt index is opened, although its epoch number is not higher.
    world.write("lib.rs", "pub fn other_entry() {}\n");
    world.run(&[]);
    for index in runner.runner().indexes() {
        assert!(index.refresh().unwrap());
        assert!(index.last_error().is_none());
    }
    let response = ask(&runner, &[("goto_definition", json!({"symbol": "other_entry"}))]);
    assert_eq!(answers(&response)[0]["definitions"][0]["path"], "lib.rs");
}

#[tokio::test]
async fn many_requests_run_concurrently() {
    let world = World::sample();
    world.run(&[]);
    let runner = Runner::open(&world.index(), &Registry::standard(), gristmill_tools::standard()).unwrap();
    let asked: Vec<_> = (0..64)
        .map(|nth| {
            let runner = runner.clone();
            let symbol = ["find_entry", "parse_config", "HttpServer"][nth % 3];
            let request =
                request(&[("goto_definition", json!({"symbol": symbol})), ("search", json!({"query": symbol}))]);
            tokio::spawn(async move { runner.ask(request, call()).await })
        })
        .collect();
    let mut rejected = 0;
    for asked in asked {
        for outcome in asked.await.unwrap().unwrap().answers {
            match outcome.result {
                AnswerOrError::Answer(_) => {}
                AnswerOrError::Error(error) => {
                    assert_eq!(error.code, ErrorCode::Busy, "{error:?}");
                    rejected += 1;
                }
            }
        }
    }
    assert!(rejected < 128, "some calls were answered");
    let load = runner.load();
    assert_eq!((load.running, load.waiting), (0, 0), "every thread is free again");
}

#[test]
fn vectors_read_in_passing_find_what_vectors_in_memory_find() {
    let world = World::sample();
    for number in 0..300 {
        let verb = ["load", "store", "merge", "split"][number % 4];
        world.write(
            &format!("lib/{verb}{number}.py"),
            format!("def {verb}_item_{number}(path):\n    return open(path)\n"),
        );
    }
    world.run(&[]);
    // Rows that were deleted have a vector still.
    std::fs::remove_file(world.source().join("lib/load0.py")).unwrap();
    world.run(&[]);
    for (query, more) in [
        ("loads an item from a path", json!({})),
        ("loads an item from a path", json!({"mode": "vector", "limit": 40})),
        ("merges items", json!({"paths": ["lib/store*.py"], "mode": "vector"})),
        ("server that listens", json!({"languages": ["typescript"]})),
        // 300 functions are nearer: a kind is no afterthought.
        ("item of a path that a server loads", json!({"kinds": ["class"], "mode": "vector"})),
    ] {
        let mut input = json!({"query": query});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let runner = runner(&world);
        // The first search of an epoch reads the vectors in passing, the second has them in memory.
        let [passing, resident] = [0, 1].map(|_| answers(&ask(&runner, &[("search", input.clone())])));
        assert!(!passing[0]["hits"].as_array().unwrap().is_empty(), "{input}");
        assert_eq!(passing, resident, "{input}");
    }
}
