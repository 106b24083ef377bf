//! The pool, with workers that do what grammars do at their worst.
//!
//! The workers are this test program, run with the test [`worker`] alone.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::budget::Budget;
use super::pool::{Pool, PoolError};
use super::serve::serve;
use super::worker::Launch;
use crate::language::of_name;
use crate::parse::machine::{self, Failure, Parsed};
use crate::spec::{Grammar, Language};

const WORKER_VARIABLE: &str = "GRISTMILL_TEST_PARSE_WORKER";

/// In a worker it serves; as a test it does nothing.
#[test]
fn worker() {
    if std::env::var_os(WORKER_VARIABLE).is_some() {
        serve(behave).expect("serves");
    }
}

/// Parses, or does what the text asks for.
#[allow(clippy::disallowed_methods, reason = "what it is for")]
fn behave(grammar: &'static Grammar, text: &str) -> Result<Parsed, Failure> {
    match text {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(7),
        "hang" => loop {
            std::hint::black_box(text);
        },
        "grow" => {
            let mut kept = Vec::new();
            loop {
                kept.push(vec![1_u8; 1 << 20]);
                std::hint::black_box(&kept);
            }
        }
        "panic" => panic!("a message"),
        "overflow" => {
            recurse(0);
            unreachable!("the stack ends");
        }
        "once" => {
            let marker = std::env::var_os(WORKER_VARIABLE).expect("a path");
            if std::fs::File::create_new(marker).is_ok() {
                std::process::abort();
            }
            machine::parse(grammar, text)
        }
        _ => machine::parse(grammar, text),
    }
}

#[allow(unconditional_recursion, reason = "what it is for")]
fn recurse(depth: u64) -> u64 {
    std::hint::black_box([depth; 512]).iter().sum::<u64>() + recurse(depth + 1)
}

fn launch(marker: &str) -> Launch {
    let test = format!("{}::worker", module_path!().split_once("::").expect("a path").1);
    Launch {
        program: std::env::current_exe().expect("a program"),
        arguments: ["--exact", &test, "--nocapture", "--test-threads=1"].map(Into::into).to_vec(),
        variables: vec![(WORKER_VARIABLE.into(), marker.into())],
    }
}

fn pool() -> Pool {
    Pool::with_budget(launch(""), |_| Budget { cpu: Duration::from_secs(1), memory: 1 << 30 })
}

fn python() -> &'static Language {
    of_name("python").expect("a language")
}

fn parse(pool: &Pool, text: &str) -> Result<Parsed, Failure> {
    pool.parse(python(), text, &|| false).expect("workers can be started").0
}

/// A text with two definitions and a call.
const TEXT: &str = "class A:\n    def f(self):\n        return g(1)\n";

fn in_process(text: &str) -> Result<Parsed, Failure> {
    machine::parse(python().grammar.expect("a grammar"), text)
}

#[test]
fn workers_find_what_the_process_itself_finds() {
    let pool = pool();
    for text in [TEXT, "", "def broken(:\n  é = '\u{1F600}'", &TEXT.repeat(5_000)] {
        assert_eq!(parse(&pool, text), in_process(text));
    }
}

#[test]
fn a_text_that_ends_its_worker_fails_alone() {
    let pool = pool();
    for text in ["abort", "exit", "overflow"] {
        assert_eq!(parse(&pool, text), Err(Failure::Crash), "{text}");
        assert_eq!(parse(&pool, TEXT), in_process(TEXT), "after {text}");
    }
}

#[test]
fn a_worker_that_somebody_else_ended_is_not_the_texts_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let marker = folder.path().join("marker");
    let pool = Pool::new(launch(marker.to_str().expect("a path")));
    assert_eq!(parse(&pool, "once"), in_process("once"));
    assert!(marker.exists(), "the first worker ended");
}

#[test]
fn a_text_that_takes_too_long_is_given_up() {
    let pool = pool();
    let (result, cpu) = pool.parse(python(), "hang", &|| false).expect("workers can be started");
    assert_eq!(result, Err(Failure::Time));
    assert!(cpu > Duration::from_secs(1) && cpu < Duration::from_secs(3), "{cpu:?}");
    assert_eq!(parse(&pool, TEXT), in_process(TEXT));
}

#[cfg(target_os = "linux")]
#[test]
fn a_text_that_takes_too_much_memory_is_given_up() {
    let pool = Pool::with_budget(launch(""), |_| Budget { cpu: Duration::from_secs(60), memory: 256 << 20 });
    assert_eq!(parse(&pool, "grow"), Err(Failure::Memory));
    assert_eq!(parse(&pool, TEXT), in_process(TEXT));
}

#[test]
fn a_panic_of_our_own_code_goes_on_in_the_caller() {
    let pool = pool();
    let call = std::panic::AssertUnwindSafe(|| parse(&pool, "panic"));
    let panic = std::panic::catch_unwind(call).expect_err("a panic");
    assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("a message"));
    assert_eq!(parse(&pool, TEXT), in_process(TEXT));
}

#[test]
fn an_interrupt_ends_the_wait() {
    let pool = Pool::with_budget(launch(""), |_| Budget { cpu: Duration::from_secs(60), memory: u64::MAX });
    let (interrupted, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let started = Instant::now();
    let is_interrupted = || {
        // Asked only while it waits: soon after the request has begun.
        if asked.fetch_add(1, Ordering::Relaxed) > 40 {
            interrupted.store(true, Ordering::Relaxed);
        }
        interrupted.load(Ordering::Relaxed)
    };
    let error = pool.parse(python(), "hang", &is_interrupted).expect_err("interrupted");
    assert!(matches!(error, PoolError::Interrupted), "{error}");
    assert!(started.elapsed() < Duration::from_secs(30));
    assert_eq!(parse(&pool, TEXT), in_process(TEXT));
}

#[test]
fn a_worker_that_cannot_be_started_is_an_error() {
    let ends = Launch { program: "/bin/false".into(), arguments: Vec::new(), variables: Vec::new() };
    let missing = Launch { program: "/nowhere/gristmill".into(), ..ends.clone() };
    for launch in [ends, missing] {
        let error = Pool::new(launch).parse(python(), TEXT, &|| false).expect_err("no worker");
        assert!(error.to_string().starts_with("no parse worker can be started"), "{error}");
    }
}

#[test]
fn callers_share_workers() {
    let pool = pool();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for text in [TEXT, "abort", "x = 1\n", TEXT] {
                    let expected = if text == "abort" { Err(Failure::Crash) } else { in_process(text) };
                    assert_eq!(parse(&pool, text), expected);
                }
            });
        }
    });
}
