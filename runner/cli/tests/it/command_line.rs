//! The binary: exit codes, help and output.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use gristmill::Exit;

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gristmill"));
    command.current_dir(folder).env_remove("GRISTMILL_MODE");
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    command(folder).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn help_shows_the_exit_codes() {
    let output = run(Path::new("."), &["--help"]);
    assert_eq!(code(&output), Some(0));
    for exit in Exit::ALL {
        let line = format!("{:>3}  {}", exit.code(), exit.meaning());
        assert!(text(&output.stdout).contains(&line), "{line}");
    }
}

#[test]
fn invalid_usage_and_jobs_exit_with_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["chekc"]);
    assert_eq!(code(&output), Some(2));
    assert!(text(&output.stderr).contains("'check'"), "suggests the command");
    let output = run(folder.path(), &["check", "--set", "job.mode=fast"]);
    assert_eq!((code(&output), text(&output.stdout)), (Some(2), ""));
    assert!(text(&output.stderr).contains("[--set:1:10]"), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains('\u{1b}'), "no colour where there is no terminal");
}

#[test]
fn init_then_check() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code(&run(folder.path(), &["init"])), Some(0));
    let again = run(folder.path(), &["init"]);
    assert_eq!(code(&again), Some(2));
    assert!(text(&again.stderr).contains("--force"));
    assert_eq!(code(&run(folder.path(), &["init", "--force"])), Some(0));
    let output = run(folder.path(), &["check"]);
    assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("job            gristmill\nmode           parallel\n"));
}

#[test]
fn options_override_the_folders() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("src")).unwrap();
    let args = ["check", "--source", "src", "--index", "out/index", "--mode", "pipeline", "--format", "json"];
    let output = run(folder.path(), &args);
    assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
    let job: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let root = folder.path().canonicalize().unwrap();
    assert_eq!(job["source"]["root"], root.join("src").to_str().unwrap());
    assert_eq!(job["index"], root.join("out/index").to_str().unwrap());
    assert_eq!(job["mode"], "pipeline");
    assert_eq!(job["graph"]["stages"].as_array().unwrap().len(), 7);
    assert!(!folder.path().join("out").exists(), "a check creates nothing");
}

#[test]
fn the_option_overrides_the_mode_of_the_variable() {
    let folder = tempfile::tempdir().unwrap();
    let mode = |args: &[&str]| {
        let output = command(folder.path()).env("GRISTMILL_MODE", "sequential").args(args).output().unwrap();
        let job: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        job["mode"].as_str().unwrap().to_owned()
    };
    assert_eq!(mode(&["check", "--format", "json"]), "sequential");
    assert_eq!(mode(&["check", "--format", "json", "--mode", "parallel"]), "parallel");
}

#[test]
fn a_closed_pipe_ends_silently() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = command(folder.path()).arg("schema").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}
