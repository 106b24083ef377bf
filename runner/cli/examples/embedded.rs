//! The runner in a program of your own: index a folder, then ask several tools about one epoch.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::error::Error;
use std::fs;

use gristmill::query::{
    AnswerOrError, BlockingRunner, CallContext, DEFAULT_DEADLINE, Request, RequestOptions, Runner, ToolCall,
};
use gristmill::sinks::{LanceConfig, TantivyConfig};
use gristmill::{Directory, Pipeline, tools};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    // A file that crashes its parser then costs a worker process, and not this one.
    gristmill::operators::parse::isolate();
    let folder = tempfile::tempdir()?;
    let source = folder.path().join("src");
    fs::create_dir(&source)?;
    fs::write(source.join("retry.py"), "def retry_delay(attempt):\n    return min(2 ** attempt, 60)\n")?;
    fs::write(source.join("client.py"), "from retry import retry_delay\n\ndef fetch():\n    return retry_delay(1)\n")?;

    let pipeline = Pipeline::builder()
        .source(Directory::new(&source))
        .default_stages()
        .sink("lance", LanceConfig::default())
        .sink("tantivy", TantivyConfig::default())
        .index(folder.path().join("index"))
        .build()?;
    let report = pipeline.run()?;
    println!("epoch {}: {} files", report.epoch, report.changes.added);

    // A program with an async runtime uses the `Runner` itself.
    let runner = BlockingRunner::new(Runner::of_job(pipeline.into_job(), tools::standard()))?;
    let calls = vec![
        ToolCall { tool: "search".into(), input: json!({ "query": "how long to wait before a retry", "limit": 1 }) },
        ToolCall { tool: "references".into(), input: json!({ "symbol": "retry_delay" }) },
    ];
    let request = Request { calls, options: RequestOptions::default() };
    let response = runner.ask(request, CallContext::new("example", DEFAULT_DEADLINE))?;
    for outcome in response.answers {
        let tool = runner.runner().tools().find(&outcome.tool);
        match outcome.result {
            AnswerOrError::Answer(answer) => {
                let text = tool.and_then(|tool| (tool.render)(&answer)).unwrap_or_default();
                println!("{}:\n{text}", outcome.tool);
            }
            AnswerOrError::Error(error) => println!("{}: {error}", outcome.tool),
        }
    }
    Ok(())
}
