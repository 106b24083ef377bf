//! A graph as text, for people and programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Body, Graph, SOURCE, Stage};
use crate::port::Port;

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One line a stage.
    Text,
    /// One JSON object.
    Json,
    /// A Mermaid flowchart.
    Mermaid,
}

#[derive(Serialize)]
struct GraphView<'a> {
    stages: Vec<StageView<'a>>,
    edges: Vec<EdgeView<'a>>,
}

#[derive(Serialize)]
struct StageView<'a> {
    name: &'a str,
    runs: &'a str,
    role: &'static str,
    fingerprint: String,
    workers: usize,
}

#[derive(Serialize)]
struct EdgeView<'a> {
    from: &'a str,
    to: &'a str,
    port: Port,
    capacity_bytes: u64,
}

impl Graph {
    /// The bytes that may wait for a stage in `pipeline` mode: its own setting, or an
    /// equal share of the memory limit.
    #[must_use]
    pub fn queue_bytes(&self, stage: &Stage, memory_limit: u64) -> u64 {
        stage.queue_bytes.unwrap_or(memory_limit / self.stages.len().max(1) as u64)
    }

    /// Writes the graph with each edge's capacity and each stage's fingerprint.
    #[must_use]
    pub fn render(&self, format: Format, memory_limit: u64) -> String {
        let view = self.view(memory_limit);
        match format {
            Format::Text => text(&view),
            Format::Json => serde_json::to_string_pretty(&view).unwrap_or_default(),
            Format::Mermaid => mermaid(&view),
        }
    }

    fn view(&self, memory_limit: u64) -> GraphView<'_> {
        let mut view = GraphView { stages: Vec::new(), edges: Vec::new() };
        for stage in &self.stages {
            let (role, runs) = match &stage.body {
                Body::Operator(operator) => ("operator", operator.operator().name()),
                Body::Sink(factory) => ("sink", factory.kind()),
            };
            let fingerprint = stage.fingerprint.to_string();
            view.stages.push(StageView { name: &stage.name, runs, role, fingerprint, workers: stage.workers });
            let capacity_bytes = self.queue_bytes(stage, memory_limit);
            if stage.inputs.is_empty() {
                view.edges.push(EdgeView { from: SOURCE, to: &stage.name, port: Port::Files, capacity_bytes });
            }
            for from in stage.inputs.iter().map(|&input| self.stage(input)) {
                let Some(port) = from.output() else { continue };
                view.edges.push(EdgeView { from: &from.name, to: &stage.name, port, capacity_bytes });
            }
        }
        view
    }
}

/// Bytes as people read them, in binary units.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(unit > 0 && value < 10.0);
    format!("{value:.digits$} {}", UNITS[unit])
}

fn text(view: &GraphView<'_>) -> String {
    let mut out = String::new();
    let width = view.stages.iter().map(|stage| stage.name.len()).max().unwrap_or(0);
    // Writing to a String cannot fail.
    for stage in &view.stages {
        let short = stage.fingerprint.get(..12).unwrap_or_default();
        let _ = writeln!(out, "{:width$}  {:8}  {:8}  {short}", stage.name, stage.role, stage.runs);
        for edge in view.edges.iter().filter(|edge| edge.to == stage.name) {
            let _ = writeln!(
                out,
                "{:width$}    ◄ {} from {} (at most {})",
                "",
                edge.port,
                edge.from,
                bytes(edge.capacity_bytes)
            );
        }
    }
    out
}

fn mermaid(view: &GraphView<'_>) -> String {
    let mut out = String::from("flowchart LR\n");
    let id = |name: &str| -> String {
        if name == SOURCE {
            return "s_source".into();
        }
        let position = view.stages.iter().position(|stage| stage.name == name).unwrap_or_default();
        format!("s{position}")
    };
    let _ = writeln!(out, "  s_source([source])");
    for stage in &view.stages {
        let short = stage.fingerprint.get(..8).unwrap_or_default();
        let (open, close) = if stage.role == "sink" { ("[(", ")]") } else { ("[", "]") };
        let _ = writeln!(out, "  {}{open}\"{}<br/>{} {short}\"{close}", id(stage.name), stage.name, stage.runs);
    }
    for edge in &view.edges {
        let capacity = bytes(edge.capacity_bytes);
        let _ = writeln!(out, "  {} -->|\"{} ≤ {capacity}\"| {}", id(edge.from), edge.port, id(edge.to));
    }
    out
}
