//! What is compared: combinations of programs, jobs and settings.

use std::path::PathBuf;

use gristmill_pipeline::Mode;
use serde::{Deserialize, Serialize};

use crate::error::BenchError;

/// A setting with the values that it takes in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The key as on the command line, such as `workers`.
    pub name: String,
    /// The key of the job, such as `job.workers`.
    pub key: String,
    /// The values, as they stand in a job file.
    pub values: Vec<String>,
}

/// Keys of `[job]` that sweeps name without their section.
const JOB_KEYS: [&str; 4] = ["mode", "workers", "plane_workers", "memory_limit"];

impl std::str::FromStr for Sweep {
    type Err = BenchError;

    /// Parses `KEY=VALUE,VALUE…`. `mode=*` stands for all modes; commas within brackets or quotes do not
    /// separate values.
    ///
    /// ```
    /// use gristmill_bench::Sweep;
    ///
    /// let sweep: Sweep = "workers=1,2,4".parse()?;
    /// assert_eq!((sweep.key.as_str(), sweep.values.len()), ("job.workers", 3));
    /// let modes: Sweep = "mode=*".parse()?;
    /// assert_eq!(modes.values, ["sequential", "parallel", "pipeline"]);
    /// # Ok::<(), gristmill_bench::BenchError>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, BenchError> {
        let invalid = |reason: &str| BenchError::Sweep { text: text.into(), reason: reason.into() };
        let (name, values) = text.split_once('=').ok_or_else(|| invalid("expected KEY=VALUE,VALUE"))?;
        let (name, values) = (name.trim(), values.trim());
        if name.is_empty() || values.is_empty() {
            return Err(invalid("expected KEY=VALUE,VALUE"));
        }
        let key = if JOB_KEYS.contains(&name) { format!("job.{name}") } else { name.to_owned() };
        let values: Vec<String> = match (values, key.as_str()) {
            ("*", "job.mode") => Mode::ALL.map(|mode| mode.to_string()).into(),
            ("*", _) => return Err(invalid("`*` stands for all values of `mode` only; list the values")),
            _ => split(values).into_iter().map(|value| value.trim().to_owned()).collect(),
        };
        match values.iter().enumerate().find(|(index, value)| values[..*index].contains(value) || value.is_empty()) {
            Some((_, value)) if value.is_empty() => Err(invalid("a value is empty")),
            Some((_, value)) => Err(invalid(&format!("duplicate value `{value}`"))),
            None => Ok(Self { name: name.to_owned(), key, values }),
        }
    }
}

/// Splits at commas outside of brackets and quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, letter) in text.char_indices() {
        match (letter, quote) {
            (letter, Some(open)) if letter == open => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(letter),
            ('[' | '{', None) => depth += 1,
            (']' | '}', None) => depth = depth.saturating_sub(1),
            (',', None) if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A setting of a variant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Setting {
    /// The key as it is shown.
    pub name: String,
    /// The key of the job.
    pub key: String,
    /// The value.
    pub value: String,
}

/// A program, a job and settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// What tells it from the other variants.
    pub name: String,
    /// The `gristmill` program.
    pub program: PathBuf,
    /// The job file; without one, a job with defaults.
    pub job: Option<PathBuf>,
    /// The settings of sweeps.
    pub settings: Vec<Setting>,
}

/// Combines every program with every job and all values of the sweeps. The first variant is the one that
/// the others are compared with.
///
/// # Errors
/// If a sweep names a key that another one has.
pub fn variants(programs: &[PathBuf], jobs: &[Option<PathBuf>], sweeps: &[Sweep]) -> Result<Vec<Variant>, BenchError> {
    for (index, sweep) in sweeps.iter().enumerate() {
        if sweeps[..index].iter().any(|other| other.key == sweep.key) {
            let text = format!("{}={}", sweep.name, sweep.values.join(","));
            return Err(BenchError::Sweep { text: text.into(), reason: "the key is swept twice".into() });
        }
    }
    let mut settings: Vec<Vec<Setting>> = vec![Vec::new()];
    for sweep in sweeps {
        let with = |settings: &Vec<Setting>, value: &String| {
            let setting = Setting { name: sweep.name.clone(), key: sweep.key.clone(), value: value.clone() };
            settings.iter().cloned().chain([setting]).collect()
        };
        settings = settings.iter().flat_map(|base| sweep.values.iter().map(|value| with(base, value))).collect();
    }
    let mut variants = Vec::new();
    for (job_index, job) in jobs.iter().enumerate() {
        for settings in &settings {
            for (program_index, program) in programs.iter().enumerate() {
                let mut parts = Vec::new();
                if jobs.len() > 1 {
                    let stem = job.as_deref().and_then(std::path::Path::file_stem);
                    let stem = stem.map_or_else(|| "defaults".into(), |stem| stem.to_string_lossy().into_owned());
                    let twins = jobs[..job_index]
                        .iter()
                        .flatten()
                        .any(|other| other.file_stem() == job.as_deref().and_then(std::path::Path::file_stem));
                    parts.push(if twins { format!("{stem}#{}", job_index + 1) } else { stem });
                }
                parts.extend(settings.iter().map(|setting| format!("{}={}", setting.name, setting.value)));
                if programs.len() > 1 {
                    parts.push(if program_index == 0 {
                        "this program".into()
                    } else {
                        program_name(program, program_index, programs.len())
                    });
                }
                let name = if parts.is_empty() { "job".to_owned() } else { parts.join(" ") };
                let (program, job, settings) = (program.clone(), job.clone(), settings.clone());
                variants.push(Variant { name, program, job, settings });
            }
        }
    }
    Ok(variants)
}

fn program_name(program: &std::path::Path, index: usize, count: usize) -> String {
    let name = program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if count > 2 { format!("{name}#{index}") } else { format!("against {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Sweep, String> {
        text.parse().map_err(|error: BenchError| error.to_string())
    }

    #[test]
    fn sweeps_are_parsed() {
        let sweep = parsed("stage.read.exclude=['a,b'],[\"c\", 'd']").expect("valid");
        assert_eq!(sweep.values, ["['a,b']", "[\"c\", 'd']"]);
        for invalid in ["workers", "=1", "workers=", "workers=1,,2", "workers=1,2,1", "workers=*"] {
            assert!(parsed(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn variants_are_all_combinations() {
        let sweeps = [parsed("workers=1,2").expect("valid"), parsed("mode=*").expect("valid")];
        let programs = ["a/gristmill".into(), "old/gristmill".into()];
        let found = variants(&programs, &[None], &sweeps).expect("no key twice");
        assert_eq!(found.len(), 12);
        assert_eq!(found[0].name, "workers=1 mode=sequential this program");
        assert_eq!(found[1].name, "workers=1 mode=sequential against gristmill");
        assert!(variants(&programs, &[None], &[sweeps[0].clone(), sweeps[0].clone()]).is_err());
        let jobs = [Some("x/a.toml".into()), Some("y/a.toml".into())];
        let names: Vec<String> =
            variants(&programs[..1], &jobs, &[]).expect("valid").into_iter().map(|v| v.name).collect();
        assert_eq!(names, ["a", "a#2"]);
    }
}
