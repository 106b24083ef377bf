//! Loading a job: settings, variables, defaults.

use std::path::{Path, PathBuf};

use gristmill_config::{ConfigErrors, DEFAULT_GRAPH, Job, JobRequest, MODE_VARIABLE, Override, Registry};
use gristmill_pipeline::Mode;
use gristmill_pipeline::graph::Format;
use gristmill_pipeline::run::available_memory;

pub fn configs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs")
}

/// The one example that is not a job: the settings of a server.
pub const SERVER_SETTINGS: &str = "server";

/// The job files of a folder by name, sorted.
pub fn job_files(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, PathBuf)> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| name != SERVER_SETTINGS)
        .collect();
    files.sort();
    files
}

pub fn set(setting: &str) -> Override {
    Override::Assignment(setting.to_owned())
}

/// Loads a job file in an empty environment.
pub fn load_file(path: &Path, overrides: &[Override]) -> Result<Job, ConfigErrors> {
    load_in(path, overrides, &|_| None)
}

fn load_in(
    path: &Path,
    overrides: &[Override],
    environment: &gristmill_config::Environment<'_>,
) -> Result<Job, ConfigErrors> {
    let request =
        JobRequest { file: Some(path), overrides, environment, folder: Path::new("/nowhere"), check_places: true };
    gristmill_config::load(&request, &Registry::standard())
}

/// Loads a job file with this text, in a folder of its own.
fn load(
    text: &str,
    overrides: &[Override],
    environment: &gristmill_config::Environment<'_>,
) -> Result<Job, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("job.toml");
    std::fs::write(&file, text).unwrap();
    load_in(&file, overrides, environment)
}

fn mode_flag(mode: &str) -> Override {
    Override::Value { origin: "--mode", section: "job", key: "mode", value: mode.into() }
}

/// The errors as `kind@line:column`.
fn kinds(result: Result<Job, ConfigErrors>) -> Vec<String> {
    let errors = result.err().expect("the job must be refused");
    let show = |error: &gristmill_config::ConfigError| match error.location() {
        Some((_, line, column)) => format!("{}@{line}:{column}", error.kind()),
        None => error.kind().to_owned(),
    };
    errors.errors().iter().map(show).collect()
}

#[test]
fn an_empty_job_is_the_default_job() {
    let job = load("", &[], &|_| None).unwrap();
    assert_eq!((job.name.as_str(), job.mode), ("job", Mode::Parallel));
    let half = available_memory().map_or(u64::MAX, |available| available / 2);
    assert_eq!(job.memory_limit, half.min(4 << 30));
    assert_eq!(job.index, job.source.root.join(".gristmill"));
    assert_eq!(job.source.excluded_folders, std::slice::from_ref(&job.index));
    assert_eq!(job.source.max_file_bytes, 2 << 20);
}

#[test]
fn the_default_graph_is_the_documented_one() {
    let implied = load("", &[], &|_| None).unwrap();
    let written = load(DEFAULT_GRAPH, &[], &|_| None).unwrap();
    let render = |job: &Job| job.graph.render(Format::Json, job.in_flight_limit());
    assert_eq!(render(&implied), render(&written));
    let edges: Vec<String> = implied
        .graph
        .stages()
        .iter()
        .map(|stage| {
            let inputs = stage.inputs.iter().map(|&input| implied.graph.stage(input).name.to_string());
            format!("{} <- {}", stage.name, inputs.collect::<Vec<_>>().join("+"))
        })
        .collect();
    let documented = [
        "read <- ",
        "hash <- read",
        "parse <- hash",
        "chunk <- parse",
        "embed <- chunk",
        "lance <- parse+embed",
        "tantivy <- chunk",
    ];
    assert_eq!(edges, documented);
}

#[test]
fn later_settings_win() {
    let file = "[job]\nmode = \"sequential\"\n";
    let variable = |name: &str| (name == MODE_VARIABLE).then(|| "parallel".to_owned());
    let mode = |overrides: &[Override], environment: &gristmill_config::Environment<'_>| {
        load(file, overrides, environment).unwrap().mode
    };
    assert_eq!(mode(&[], &|_| None), Mode::Sequential);
    assert_eq!(mode(&[], &variable), Mode::Parallel);
    assert_eq!(mode(&[set("job.mode=pipeline")], &variable), Mode::Pipeline);
    assert_eq!(mode(&[mode_flag("sequential"), set("job.mode=pipeline")], &variable), Mode::Sequential);
    assert_eq!(
        mode(&[], &|name| (name == MODE_VARIABLE).then(String::new)),
        Mode::Sequential,
        "an empty variable is ignored"
    );
}

#[test]
fn settings_reach_sections_and_stages() {
    let overrides = [
        set("job.workers=3"),
        set("job.memory_limit=64MiB"),
        set("source.include=[\"a/*\", \"b\"]"),
        set(" job . name = \"a = b\" "),
        set("stage.chunk.max_tokens=77"),
        set("stage.embed.queue=3MiB"),
    ];
    let job = load("", &overrides, &|_| None).unwrap();
    assert_eq!((job.workers.get(), job.memory_limit, job.name.as_str()), (3, 64 << 20, "a = b"));
    assert_eq!(job.source.include, ["a/*", "b"]);
    let plain = load("", &[], &|_| None).unwrap();
    let changed: Vec<&str> = std::iter::zip(job.graph.stages(), plain.graph.stages())
        .filter(|(new, old)| new.fingerprint != old.fingerprint)
        .map(|(new, _)| &*new.name)
        .collect();
    assert_eq!(changed, ["chunk"], "what a parameter changes");
    let embed = job.graph.stages().iter().find(|stage| &*stage.name == "embed").unwrap();
    assert_eq!(embed.queue_bytes, Some(3 << 20));
}

#[test]
fn a_setting_replaces_an_invalid_value_of_the_file() {
    let file = "[job]\nmode = \"fast\"\nworkers = \"two\"\n";
    assert_eq!(kinds(load(file, &[], &|_| None)), ["unknown-choice@2:8", "wrong-type@3:11"]);
    let job = load(file, &[mode_flag("pipeline"), set("job.workers=2")], &|_| None).unwrap();
    assert_eq!((job.mode, job.workers.get()), (Mode::Pipeline, 2));
}

#[test]
fn invalid_settings_are_reported_with_their_location() {
    let overrides = [
        set("job.modee=pipeline"),
        set("job.workers=many"),
        set("stage.chunkk.max_tokens=1"),
        set("stage.chunk.max_tokens=[]"),
        set("job"),
        set("mode=pipeline"),
        set("nothing.at.all=1"),
    ];
    let errors = load("", &overrides, &|_| None).err().unwrap();
    let shown = errors.to_string();
    insta::assert_snapshot!(shown);
}

#[test]
fn variables_expand_in_any_string() {
    let environment = |name: &str| match name {
        "SPEED" => Some("pipeline".to_owned()),
        "LIMIT" => Some("32MiB".to_owned()),
        _ => None,
    };
    let file = "[job]\nmode = \"${SPEED}\"\nmemory_limit = \"${LIMIT}\"\nname = \"$${SPEED} ${NONE:-x}\"\n";
    let job = load(file, &[], &environment).unwrap();
    assert_eq!((job.mode, job.memory_limit, job.name.as_str()), (Mode::Pipeline, 32 << 20, "${SPEED} x"));
    let job = load("", &[set("job.name=${LIMIT}")], &environment).unwrap();
    assert_eq!(job.name, "32MiB");
}

#[test]
fn paths_of_options_are_not_expanded() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("${ODD}");
    std::fs::create_dir(&odd).unwrap();
    let path =
        Override::Value { origin: "--source", section: "source", key: "path", value: odd.to_str().unwrap().into() };
    let job = load("", &[path], &|_| None).unwrap();
    assert_eq!(job.source.root, odd.canonicalize().unwrap());
}

#[test]
fn all_errors_are_reported_together() {
    let file = "[job]\nmode = \"fast\"\n[source]\npathh = \"x\"\n[[stage]]\noperator = \"raed\"\ninput = \"${GONE}\"\n";
    let expected = ["unknown-choice@2:8", "unknown-key@4:1", "unknown-operator@6:12", "variable@7:9"];
    assert_eq!(kinds(load(file, &[set("job.workers=0")], &|_| None)), [&expected[..], &["wrong-type@1:13"]].concat());
}

#[test]
fn ranges_of_sink_parameters_are_checked() {
    let of = |more: &str| {
        let stages = [("read", "source"), ("parse", "read"), ("chunk", "parse")];
        let stages: String =
            stages.map(|(name, input)| format!("[[stage]]\noperator = \"{name}\"\ninput = \"{input}\"\n")).concat();
        load(&format!("{stages}[[stage]]\nsink = \"tantivy\"\ninput = \"chunk\"\n{more}\n"), &[], &|_| None)
    };
    assert_eq!(kinds(of("threads = 9")), ["cannot-build@13:11"]);
    assert_eq!(kinds(of("writer_memory = 20_000_000\nthreads = 2")), ["cannot-build@13:17"]);
    let error = of("threads = 0").err().unwrap().to_string();
    assert!(error.contains("`threads` must be between 1 and 8, got 0"), "{error}");
    assert!(of("threads = 2").is_ok());
}

#[test]
fn a_missing_job_file_is_named() {
    let error = load_file(Path::new("/no/such/job.toml"), &[]).err().unwrap();
    assert!(error.to_string().contains("/no/such/job.toml"), "{error}");
    assert_eq!(error.errors().len(), 1);
}

mod laws {
    use proptest::prelude::*;

    use super::*;

    fn source() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            Just("[job]".to_owned()),
            Just("[source]".to_owned()),
            Just("[[stage]]".to_owned()),
            "(mode|workers|name|path|input|operator|sink|include|max_tokens) = (1|-1|\"read\"|\"\\$\\{\"|\\[\"a\", 1\\]|\"lance\"|\\{ a = 1 \\}|true)",
            "[ -~é]{0,20}",
        ];
        prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// Whatever a file holds, it is loaded or diagnosed, and each diagnosis can be drawn.
        #[test]
        fn any_text_is_loaded_or_diagnosed(text in source(), setting in "[ -~]{0,20}") {
            if let Err(errors) = load(&text, &[set(&setting)], &|_| None) {
                prop_assert!(!errors.errors().is_empty());
                let drawn = gristmill::Style::Plain.render_job_errors(&errors);
                for error in errors.errors() {
                    prop_assert!(drawn.contains(error.kind()));
                }
            }
        }
    }
}
