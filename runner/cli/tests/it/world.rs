//! A test fixture: a source tree, an index and the real binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("src")).unwrap();
        Self { folder }
    }

    /// A small tree in several languages.
    pub(crate) fn sample() -> Self {
        let world = Self::new();
        world.write("lib.rs", "//! A cache.\n\n/// Finds the entry of a key.\npub fn find_entry(key: &str) -> Option<u32> {\n    None\n}\n");
        world.write(
            "app/main.py",
            "def parse_config(path):\n    \"\"\"Reads the settings file.\"\"\"\n    return open(path).read()\n",
        );
        world.write(
            "app/copy.py",
            "def parse_config(path):\n    \"\"\"Reads the settings file.\"\"\"\n    return open(path).read()\n",
        );
        world.write("web/index.ts", "export class HttpServer {\n  listen(port: number): void {}\n}\n");
        world.write("notes.txt", "Plain words about nothing in particular.\n");
        world
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.folder.path().join("src")
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.folder.path().join("index")
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.source().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        // Another build, such as one for release, where the test is a long one.
        let program = std::env::var_os("GRISTMILL_TEST_PROGRAM");
        let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_gristmill").into()));
        command.args(args).current_dir(self.folder.path()).env("NO_COLOR", "1").env_remove("GRISTMILL_MODE");
        command
    }

    /// A `gristmill` command with a job argument, on the tree and its index.
    pub(crate) fn job_command(&self, name: &str, more: &[&str]) -> Command {
        let mut command = self.command(&[name]);
        command.arg("--source").arg(self.source()).arg("--index").arg(self.index()).args(more);
        command
    }

    /// `gristmill run` on the tree, with further arguments.
    pub(crate) fn run_command(&self, more: &[&str]) -> Command {
        let mut command = self.job_command("run", &["--no-progress"]);
        command.args(more);
        command
    }

    /// The output of a command that reads the index.
    pub(crate) fn read(&self, args: &[&str]) -> String {
        let output = self.command(args).arg("--index").arg(self.index()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs the job. Returns the report and the exit code.
    pub(crate) fn run(&self, more: &[&str]) -> (Value, i32) {
        let report = self.folder.path().join("report.json");
        let mut command = self.run_command(more);
        let output = command.arg("--report").arg(&report).output().unwrap();
        let code = output.status.code().unwrap();
        assert!([0, 3].contains(&code), "{}{}", text(&output.stdout), text(&output.stderr));
        (serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap(), code)
    }

    pub(crate) fn digest(&self) -> String {
        digest_of(self, &self.index())
    }

    /// The digest of an index, or why there is none.
    pub(crate) fn try_digest_of(&self, index: &Path) -> Result<String, String> {
        let output = self.command(&["digest"]).arg("--index").arg(index).output().unwrap();
        if !output.status.success() {
            return Err(text(&output.stderr));
        }
        let all = text(&output.stdout);
        Ok(all.lines().map(|line| line.split("  epoch").next().unwrap()).collect::<Vec<_>>().join("\n"))
    }

    /// The digest of an index built from scratch, in sequential mode.
    pub(crate) fn digest_from_scratch(&self) -> String {
        self.digest_from_scratch_of(&self.source(), &[])
    }

    /// The digest of an index of a folder built from scratch, in sequential mode, with further
    /// arguments.
    pub(crate) fn digest_from_scratch_of(&self, source: &Path, more: &[&str]) -> String {
        let index = self.folder.path().join("scratch");
        let _ = std::fs::remove_dir_all(&index);
        let mut command = self.command(&["run", "--quiet", "--mode", "sequential"]);
        let output = command.args(more).arg("--source").arg(source).arg("--index").arg(&index).output().unwrap();
        assert!(output.status.code() == Some(0) || output.status.code() == Some(3), "{}", text(&output.stderr));
        digest_of(self, &index)
    }

    pub(crate) fn search(&self, args: &[&str]) -> Value {
        let output = self.command(&["search", "--json"]).args(args).arg("--index").arg(self.index()).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let mut answered: Value = serde_json::from_slice(&output.stdout).unwrap();
        answered["answer"]["hits"].take()
    }
}

/// The lines of a digest without the epoch number.
fn digest_of(world: &World, index: &Path) -> String {
    world.try_digest_of(index).unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}
