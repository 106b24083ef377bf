//! Many clients asking a server, first while nothing else happens, then while its index is
//! built from nothing and edited twenty times.
//!
//! ```text
//! gristmill serve JOB --listen 127.0.0.1:7878 &
//! cargo run --release -p gristmill-benches --example serve_load -- http://127.0.0.1:7878 GRISTMILL JOB SOURCE [SECONDS]
//! ```
//!
//! SOURCE is the folder that JOB indexes; three files are written into it and edited, so let
//! it be a copy. GRISTMILL is the program that runs the job, beside the server's process.
//! Every client asks one tool after another, and every tenth request has three tools whose
//! answers come from different stores: they must agree on the number that the three files
//! hold, or the run fails.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const CLIENTS: usize = 16;
const EDITS: u32 = 20;
const FILES: [&str; 3] = ["load_a.go", "load_b.py", "load_c.rs"];

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [server, program, job, source, rest @ ..] = args.as_slice() else {
        return Err("usage: serve_load URL GRISTMILL JOB SOURCE [SECONDS]".into());
    };
    let seconds: u64 = rest.first().map_or(Ok(60), |seconds| seconds.parse())?;
    write_number(Path::new(source), 0)?;
    index(program, job, &[])?;
    wait_for_number(server, 0)?;

    let idle = phase(server, || {
        std::thread::sleep(Duration::from_secs(seconds));
        Ok(())
    })?;
    let indexing = phase(server, || {
        let until = Instant::now() + Duration::from_secs(seconds);
        index(program, job, &["--full"])?;
        for number in 1..=EDITS {
            write_number(Path::new(source), number)?;
            index(program, job, &[])?;
        }
        // What is left of the time goes to building again.
        while Instant::now() < until {
            index(program, job, &["--full"])?;
        }
        wait_for_number(server, EDITS)
    })?;
    show("idle", &idle);
    show("indexing", &indexing);
    Ok(())
}

/// Latencies by tool, in microseconds, and what went wrong.
#[derive(Default)]
struct Measured {
    latencies: BTreeMap<&'static str, Option<Histogram<u64>>>,
    epochs: std::collections::BTreeSet<u64>,
    spanning: u64,
    seconds: f64,
}

/// Lets the clients ask while `work` runs.
fn phase(server: &str, work: impl FnOnce() -> Outcome<()>) -> Outcome<Measured> {
    let (over, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let measured = Mutex::new(Measured::default());
    let started = Instant::now();
    std::thread::scope(|scope| -> Outcome<()> {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| -> Outcome<()> {
                    let agent = ureq::agent();
                    while !over.load(Ordering::Relaxed) {
                        let nth = asked.fetch_add(1, Ordering::Relaxed);
                        let (tool, calls) = request(nth);
                        let started = Instant::now();
                        let response = ask(&agent, server, &calls).map_err(|error| format!("{tool}: {error}"))?;
                        let micros = started.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
                        check(tool, &response)?;
                        let mut measured = measured.lock().map_err(|_| "a client panicked")?;
                        let latencies = measured.latencies.entry(tool).or_default();
                        if latencies.is_none() {
                            *latencies = Some(Histogram::new(3)?);
                        }
                        if let Some(latencies) = latencies {
                            latencies.record(micros)?;
                        }
                        measured.epochs.extend(response["epoch"].as_u64());
                        measured.spanning += u64::from(tool == SPANNING);
                    }
                    Ok(())
                })
            })
            .collect();
        let worked = work();
        over.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().map_err(|_| "a client panicked")??;
        }
        worked
    })?;
    let mut measured = measured.into_inner().map_err(|_| "a client panicked")?;
    measured.seconds = started.elapsed().as_secs_f64();
    Ok(measured)
}

/// The request whose answers must agree.
const SPANNING: &str = "three tools, one epoch";

fn request(nth: u64) -> (&'static str, Value) {
    let questions = ["where is the configuration read", "parse a date", "how are errors reported", "http handler"];
    let names = ["New", "Close", "String", "Execute", "Get", "init"];
    let question = questions[nth as usize % questions.len()];
    let name = names[nth as usize % names.len()];
    let one = |tool: &'static str, input: Value| (tool, json!([{"tool": tool, "input": input}]));
    match nth % 10 {
        0 => (
            SPANNING,
            json!([
                {"tool": "search", "input": {"query": "loadcounter", "mode": "text", "paths": ["load_*"], "full_text": true}},
                {"tool": "get_files", "input": {"paths": FILES}},
                {"tool": "search", "input": {"query": r"loadmarker_\d+", "mode": "regex", "paths": ["load_*"]}},
            ]),
        ),
        1..=4 => one("search", json!({"query": question})),
        5 => one("get_symbols", json!({"names": [name]})),
        6 => one("goto_definition", json!({"symbol": name})),
        7 => one("references", json!({"symbol": name})),
        8 => one("graph_expand", json!({"symbol": name, "depth": 2})),
        _ => one("get_files", json!({"paths": ["README.md"]})),
    }
}

fn ask(agent: &ureq::Agent, server: &str, calls: &Value) -> Outcome<Value> {
    let body = json!({"calls": calls}).to_string();
    let mut response =
        agent.post(&format!("{server}/v1/ask")).header("content-type", "application/json").send(body.as_str())?;
    Ok(serde_json::from_str(&response.body_mut().read_to_string()?)?)
}

/// Every answer is one, and those of several stores speak of the same epoch.
fn check(tool: &str, response: &Value) -> Outcome<()> {
    let answers = response["answers"].as_array().ok_or("a response without answers")?;
    for answer in answers {
        // A name that a corpus has not is no fault.
        if let Some(error) = answer.get("error").filter(|error| error["code"] != "not_found") {
            return Err(format!("{tool}: {error}").into());
        }
    }
    if tool == SPANNING {
        let text = response["answers"].to_string();
        let numbers: Vec<&str> = text
            .split("loadmarker_")
            .skip(1)
            .filter_map(|rest| rest.split(|sign: char| !sign.is_ascii_digit()).next())
            .collect();
        if numbers.len() < 3 * FILES.len() || numbers.iter().any(|number| Some(number) != numbers.first()) {
            return Err(format!("an answer mixes epochs, or lacks some of one: {text}").into());
        }
    }
    Ok(())
}

fn write_number(source: &Path, number: u32) -> Outcome<()> {
    for file in FILES {
        let text = match file {
            "load_a.go" => format!("package load\n\nfunc loadcounter() int {{\n\treturn loadmarker_{number}()\n}}\n"),
            "load_b.py" => format!("def loadcounter():\n    return loadmarker_{number}()\n"),
            _ => format!("fn loadcounter() -> u32 {{\n    loadmarker_{number}()\n}}\n"),
        };
        std::fs::write(source.join(file), text)?;
    }
    Ok(())
}

fn index(program: &str, job: &str, more: &[&str]) -> Outcome<()> {
    let output = Command::new(program).args(["run", job, "--quiet"]).args(more).output()?;
    match output.status.code() {
        Some(0 | 3) => Ok(()),
        _ => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

fn wait_for_number(server: &str, number: u32) -> Outcome<()> {
    let calls = json!([{"tool": "get_files", "input": {"paths": [FILES[0]]}}]);
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        if ask(&ureq::agent(), server, &calls)?.to_string().contains(&format!("loadmarker_{number}()")) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err("the server did not see the epoch in 30 seconds".into())
}

fn show(phase: &str, measured: &Measured) {
    let total: u64 = measured.latencies.values().flatten().map(Histogram::len).sum();
    println!(
        "\n{phase}: {total} requests in {:.0} s ({:.0}/s) by {CLIENTS} clients, {} epochs seen, {} requests over several stores agreed",
        measured.seconds,
        total as f64 / measured.seconds,
        measured.epochs.len(),
        measured.spanning
    );
    println!("{:<24} {:>8} {:>9} {:>9} {:>9}", "tool", "requests", "p50 ms", "p95 ms", "p99 ms");
    for (tool, latencies) in &measured.latencies {
        let Some(latencies) = latencies else { continue };
        let ms = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
        println!("{tool:<24} {:>8} {:>9.1} {:>9.1} {:>9.1}", latencies.len(), ms(0.5), ms(0.95), ms(0.99));
    }
}
