//! A job over revisions of a git repository.

use std::process::Command;

use gristmill_pipeline::Mode;
use gristmill_pipeline::index::{CommitRecord, IndexFolder};
use gristmill_pipeline::run::{Ending, RunReport};
use gristmill_pipeline::source::{GitConfig, GitSource, Revisions};

use crate::job::Job;

fn git(job: &Job, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "gc.auto=0", "-c", "user.name=A", "-c", "user.email=a@example.org"])
        .args(arguments)
        .current_dir(job.folder.path().join("src"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("is UTF-8").trim_end().to_owned()
}

fn commit(job: &Job) -> String {
    git(job, &["add", "--all"]);
    git(job, &["commit", "--quiet", "--allow-empty", "--message", "commit"]);
    git(job, &["rev-parse", "HEAD"])
}

fn run(job: &Job, revision: &str, max_file_bytes: u64, mode: Mode) -> RunReport {
    let source = GitSource::open(GitConfig {
        path: job.folder.path().join("src"),
        revisions: Revisions::One(revision.to_owned()),
        include: Vec::new(),
        exclude: Vec::new(),
        hidden: false,
        generated: true,
        max_file_bytes,
    });
    job.try_run_from(&source.expect("opens"), mode, false).expect("runs")
}

fn record(job: &Job) -> CommitRecord {
    IndexFolder::open(&job.index()).expect("is an index").head().expect("reads").expect("has an epoch")
}

#[test]
fn an_index_goes_from_revision_to_revision_by_what_differs() {
    for mode in Mode::ALL {
        let job = Job::new();
        git(&job, &["init", "--quiet"]);
        job.write("a.x", "def one\n");
        job.write("b.x", "def two\n");
        let first = commit(&job);
        job.write("b.x", "def three\n");
        job.write("c/d.x", "def four\n");
        let second = commit(&job);

        let report = run(&job, &first, 100, mode);
        assert_eq!((report.ending, report.scan.files_read), (Ending::Committed, 2), "{mode}");
        assert_eq!(record(&job).revision.as_deref(), Some(&*first));
        let rows = job.rows();
        let report = run(&job, &second, 100, mode);
        assert_eq!((report.ending, report.scan.files_read, report.work.contents_analysed), (Ending::Committed, 2, 2));
        let directory = Job::new();
        for (path, content) in [("a.x", "def one\n"), ("b.x", "def three\n"), ("c/d.x", "def four\n")] {
            directory.write(path, content);
        }
        directory.run(mode);
        assert_eq!(job.rows(), directory.rows(), "{mode}: the rows are those of a checkout");
        let report = run(&job, &first, 100, mode);
        assert_eq!((report.ending, report.epoch.get()), (Ending::Committed, 3));
        assert_eq!(job.rows(), rows, "{mode}: back again");
    }
}

#[test]
fn the_record_follows_a_revision_that_changes_no_file() {
    let job = Job::new();
    git(&job, &["init", "--quiet"]);
    job.write("a.x", "def one\n");
    let first = commit(&job);
    run(&job, &first, 100, Mode::Sequential);
    let before = record(&job);
    let second = commit(&job);
    let report = run(&job, "HEAD", 100, Mode::Sequential);
    assert_eq!((report.ending, report.epoch.get(), report.scan.files_read), (Ending::Unchanged, 1, 0));
    assert_eq!(record(&job), CommitRecord { revision: Some(second.into()), ..before.clone() });

    let report = run(&job, "HEAD", 99, Mode::Sequential);
    assert_eq!((report.ending, report.scan.files_read), (Ending::Unchanged, 1), "another selection is scanned anew");
    assert_ne!(record(&job).selection, before.selection);
    let report = run(&job, "HEAD", 99, Mode::Sequential);
    assert_eq!(report.scan.files_read, 0, "once");
}
