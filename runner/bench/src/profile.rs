//! What the threads of one run did over time, in equal intervals, from a trace.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::BenchError;

/// The intervals of a profile.
const INTERVALS: usize = 160;

/// What the threads of one run did over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// The length of an interval, in milliseconds.
    pub interval_ms: f64,
    /// The parts of the run, in order: name, begin and end in milliseconds.
    pub phases: Vec<(String, f64, f64)>,
    /// By stage how many threads worked in it, on average over each interval. A thread that waits for a
    /// server or a disk within the stage counts as well.
    pub work: Vec<Series>,
    /// The largest value of each quantity in each interval, such as bytes in a queue.
    pub levels: Vec<Series>,
}

/// A value for each interval.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What it is of.
    pub name: String,
    /// The values.
    pub values: Vec<f64>,
}

/// A trace file, as far as a profile needs it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TraceFile {
    trace_events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    name: String,
    #[serde(default)]
    cat: String,
    ph: String,
    #[serde(default)]
    ts: f64,
    #[serde(default)]
    dur: f64,
    #[serde(default)]
    args: BTreeMap<String, serde_json::Value>,
}

impl Profile {
    /// Reads a trace file that `gristmill run --trace` wrote.
    ///
    /// # Errors
    /// If the file cannot be read, or is no trace.
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        let json = std::fs::read(path).map_err(BenchError::file("read", path))?;
        let invalid = |error: serde_json::Error| BenchError::Invalid { path: path.into(), reason: error.to_string() };
        let file: TraceFile = serde_json::from_slice(&json).map_err(invalid)?;
        Ok(Self::of(&file.trace_events))
    }

    fn of(events: &[Event]) -> Self {
        let spans = events.iter().filter(|event| event.ph == "X");
        let end = spans.clone().map(|event| event.ts + event.dur).fold(0.0, f64::max);
        let length = (end / INTERVALS as f64).max(f64::MIN_POSITIVE);
        let mut profile = Self { interval_ms: length / 1e3, ..Self::default() };
        let mut work: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        let mut order: Vec<&str> = Vec::new();
        for event in spans {
            match event.cat.as_str() {
                "phase" if is_part_of_run(&event.name) => {
                    profile.phases.push((event.name.clone(), event.ts / 1e3, (event.ts + event.dur) / 1e3));
                }
                "work" => {
                    let stage = event.name.split(": ").next().unwrap_or_default();
                    let values = work.entry(stage).or_insert_with(|| {
                        order.push(stage);
                        vec![0.0; INTERVALS]
                    });
                    spread(values, event.ts / length, (event.ts + event.dur) / length);
                }
                _ => {}
            }
        }
        profile.phases.sort_by(|left, right| left.1.total_cmp(&right.1));
        let series = |name: &str, values: Vec<f64>| Series { name: name.to_owned(), values };
        profile.work = order.into_iter().map(|name| series(name, work.remove(name).unwrap_or_default())).collect();
        let mut levels: BTreeMap<&str, Vec<(usize, f64)>> = BTreeMap::new();
        for event in events.iter().filter(|event| event.ph == "C") {
            let value = event.args.get("value").and_then(serde_json::Value::as_f64).unwrap_or_default();
            levels.entry(&event.name).or_default().push((interval(event.ts / length), value));
        }
        let held = levels.into_iter().map(|(name, changes)| series(name, highest(&changes)));
        profile.levels = held.filter(|series| series.values.iter().any(|value| *value > 0.0)).collect();
        profile
    }
}

/// Whether a phase is one of those that make up a run, rather than one within them.
fn is_part_of_run(name: &str) -> bool {
    ["scan", "hydrate", "process", "stage", "publish"].contains(&name)
}

fn interval(position: f64) -> usize {
    (position.max(0.0) as usize).min(INTERVALS - 1)
}

/// Adds to each interval its share of a span, whose ends are in intervals.
fn spread(values: &mut [f64], start: f64, end: f64) {
    for (index, value) in values.iter_mut().enumerate().take(interval(end) + 1).skip(interval(start)) {
        *value += (end.min(index as f64 + 1.0) - start.max(index as f64)).max(0.0);
    }
}

/// The highest value in each interval, given the intervals of changes in order of time.
fn highest(changes: &[(usize, f64)]) -> Vec<f64> {
    let mut values = Vec::with_capacity(INTERVALS);
    let (mut last, mut next) = (0.0, changes.iter().peekable());
    for index in 0..INTERVALS {
        let mut highest: f64 = last;
        while let Some((_, value)) = next.next_if(|(at, _)| *at <= index) {
            highest = highest.max(*value);
            last = *value;
        }
        values.push(highest);
    }
    values
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spans_are_spread_over_intervals() {
        let n = INTERVALS as f64;
        let events: Vec<Event> = serde_json::from_value(json!([
            {"name": "scan", "cat": "phase", "ph": "X", "ts": 0.0, "dur": n * 500.0},
            {"name": "process", "cat": "phase", "ph": "X", "ts": n * 500.0, "dur": n * 500.0},
            {"name": "next outcome", "cat": "phase", "ph": "X", "ts": n * 500.0, "dur": n * 10.0},
            {"name": "parse", "cat": "work", "ph": "X", "ts": 0.0, "dur": 1_500.0},
            {"name": "parse", "cat": "work", "ph": "X", "ts": 0.0, "dur": 1_000.0},
            {"name": "lance: publish", "cat": "work", "ph": "X", "ts": n * 1_000.0 - 250.0, "dur": 250.0},
            {"name": "parse: starved", "cat": "starved", "ph": "X", "ts": 0.0, "dur": 9_000.0},
            {"name": "queue: parse", "ph": "C", "ts": 100.0, "args": {"value": 7}},
            {"name": "queue: parse", "ph": "C", "ts": 200.0, "args": {"value": 3}},
            {"name": "queue: parse", "ph": "C", "ts": 2_100.0, "args": {"value": 0}},
        ]))
        .expect("valid");
        let profile = Profile::of(&events);
        assert!((profile.interval_ms - 1.0).abs() < 1e-9);
        let names: Vec<&str> = profile.phases.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["scan", "process"]);
        let [parse, lance] = &profile.work[..] else { panic!("two stages: {:?}", profile.work) };
        assert_eq!((parse.name.as_str(), &parse.values[..3]), ("parse", &[2.0, 0.5, 0.0][..]));
        assert_eq!((lance.name.as_str(), lance.values[INTERVALS - 1]), ("lance", 0.25));
        assert_eq!(profile.levels[0].values[..4], [7.0, 3.0, 3.0, 0.0]);
    }
}
