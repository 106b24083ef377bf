//! A fuzz target per grammar: broken variants of the samples of all languages are parsed, by workers.
//!
//! A variant may crash its grammar, or exceed its budget: it becomes text with a diagnostic, and the
//! next one is parsed. What fails a target is a panic, an error of the operator, or a result that
//! breaks what holds for every text.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `GRISTMILL_FUZZ_SECONDS` | time for each grammar | 0.2 |
//! | `GRISTMILL_FUZZ_SEED` | of the variants | 0 |
//! | `GRISTMILL_FUZZ_FOLDER` | where to keep texts that crash, exceed a budget or fail | none |
//! | `GRISTMILL_FUZZ_THREADS` | targets that run at once | all processors |
//!
//! Arguments select targets by a part of their name, `fuzz_LANGUAGE`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a target that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

#[path = "../../src/testing/parsed.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod parsed;
#[path = "../it/samples.rs"]
mod samples;
mod variants;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use gristmill_operators::parse::{ParseConfig, isolate};

use self::parsed::parse_with;
use self::samples::samples;
use self::variants::{Random, variant};

/// Codes of the diagnostics for a worker that crashed or exceeded its budget.
const ENDED: [&str; 3] = ["parser_crashed", "parse_timeout", "parse_memory"];

struct Settings {
    time: Duration,
    seed: u64,
    folder: Option<PathBuf>,
    threads: usize,
}

/// A path whose extension names the grammar, and the samples in its language.
struct Target {
    path: String,
    name: String,
    own: Vec<String>,
}

/// What came of a target.
#[derive(Default)]
struct Outcome {
    variants: u64,
    bytes: u64,
    ended: BTreeMap<&'static str, u64>,
    failures: Vec<String>,
}

fn main() -> ExitCode {
    isolate();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let settings = settings();
    let (targets, others) = targets();
    let wanted = |target: &Target| filters.is_empty() || filters.iter().any(|filter| target.name.contains(*filter));
    let waiting: Vec<Target> = targets.into_iter().filter(wanted).rev().collect();
    if waiting.is_empty() {
        return ExitCode::SUCCESS;
    }
    workers_take_the_damage();
    let (waiting, failed) = (Mutex::new(waiting), Mutex::new(false));
    std::thread::scope(|scope| {
        for _ in 0..settings.threads {
            scope.spawn(|| {
                loop {
                    let Some(target) = waiting.lock().unwrap().pop() else { return };
                    let outcome = run(&target, &others, &settings);
                    println!("{}", report(&target, &outcome));
                    *failed.lock().unwrap() |= !outcome.failures.is_empty();
                }
            });
        }
    });
    if *failed.lock().unwrap() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn settings() -> Settings {
    let variable = |name: &str| std::env::var(name).ok();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Settings {
        time: Duration::from_secs_f64(variable("GRISTMILL_FUZZ_SECONDS").map_or(0.2, |value| value.parse().unwrap())),
        seed: variable("GRISTMILL_FUZZ_SEED").map_or(0, |value| value.parse().unwrap()),
        folder: variable("GRISTMILL_FUZZ_FOLDER").map(PathBuf::from),
        threads: variable("GRISTMILL_FUZZ_THREADS").map_or(cores, |value| value.parse().unwrap()),
    }
}

/// Returns the targets, and the samples of all of them.
fn targets() -> (Vec<Target>, Vec<String>) {
    let mut targets: BTreeMap<String, Target> = BTreeMap::new();
    let mut all = Vec::new();
    for (path, text) in samples("definitions").into_iter().chain(samples("uses")) {
        let extension = path.rsplit('.').next().unwrap().to_owned();
        let name = format!("fuzz_{}", parse_with(ParseConfig::default(), &path, "").0.language);
        let target = targets.entry(extension).or_insert(Target { path, name, own: Vec::new() });
        target.own.push(text.clone());
        all.push(text);
    }
    (targets.into_values().collect(), all)
}

/// Checks that a text which ends the process that parses it ends a worker.
fn workers_take_the_damage() {
    let (syntax, diagnostics) = parse_with(ParseConfig::default(), "a.yaml", &"- ".repeat(300));
    assert!(syntax.blocks.is_empty() && syntax.language == "yaml");
    assert_eq!(diagnostics.iter().map(|found| &*found.code).collect::<Vec<_>>(), ["parser_crashed"]);
}

/// Parses variants until the time is over.
fn run(target: &Target, others: &[String], settings: &Settings) -> Outcome {
    let mut outcome = Outcome::default();
    let until = Instant::now() + settings.time;
    for nth in 0.. {
        if Instant::now() > until {
            break;
        }
        let mut random = Random::new(&[settings.seed.to_string(), target.name.clone(), nth.to_string()]);
        let text = variant(&mut random, &target.own, others);
        outcome.variants += 1;
        outcome.bytes += text.len() as u64;
        let parsed = catch_unwind(AssertUnwindSafe(|| parse_with(ParseConfig::default(), &target.path, &text)));
        let code = match parsed {
            Ok((_, diagnostics)) => {
                ENDED.into_iter().find(|code| diagnostics.iter().any(|found| &*found.code == *code))
            }
            Err(panic) => {
                let message = panic.downcast_ref::<String>().cloned();
                outcome.failures.push(format!("seed {} variant {nth}: {message:?}", settings.seed));
                Some("failure")
            }
        };
        let Some(code) = code else { continue };
        *outcome.ended.entry(code).or_default() += 1;
        if let Some(folder) = &settings.folder {
            std::fs::create_dir_all(folder).unwrap();
            let name = format!("{}-{}-{nth}-{code}-{}", target.name, settings.seed, target.path);
            std::fs::write(folder.join(name), &text).unwrap();
        }
    }
    outcome
}

fn report(target: &Target, outcome: &Outcome) -> String {
    let mut line = format!("{}: {} variants, {} bytes", target.name, outcome.variants, outcome.bytes);
    for (code, count) in &outcome.ended {
        let _ = write!(line, ", {count} {code}");
    }
    for failure in &outcome.failures {
        let _ = write!(line, "\n  FAILED {failure}");
    }
    line
}
