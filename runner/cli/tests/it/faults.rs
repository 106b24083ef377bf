//! Faults of the system: a call of the C library fails somewhere in a command. Whatever it is, the process ends with
//! a message and a documented exit code, the old epoch or the new one answers, and the next run completes.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use crate::cases::check_all;
use crate::damage::copy;
use crate::process::DEADLINE;
use crate::world::{World, text};

/// The library that makes calls fail: see there for its settings.
const LIBRARY: &str = include_str!("faults/faults.c");

const EIO: i32 = 5;
const EAGAIN: i32 = 11;
const ENOMEM: i32 = 12;
const EMFILE: i32 = 24;
const ENOSPC: i32 = 28;
const ENOSYS: i32 = 38;
const EDQUOT: i32 = 122;

/// Calls, their errors, and whether all calls after the first that fails do so too, as on a disk that is full.
const CALLS: [(&str, i32, bool); 16] = [
    ("write", EIO, false),
    ("write", EIO, true),
    ("write", ENOSPC, true),
    ("write", EDQUOT, false),
    ("fsync", EIO, false),
    ("fsync", EIO, true),
    ("fdatasync", EIO, false),
    ("rename", ENOSPC, false),
    ("rename", EIO, true),
    ("link", ENOSPC, false),
    ("ftruncate", ENOSPC, false),
    ("open", EMFILE, false),
    ("open", EIO, false),
    ("mmap", ENOMEM, false),
    ("getrandom", ENOSYS, false),
    ("thread", EAGAIN, false),
];

const VIEWS: [&str; 2] = ["--set", "views.edges=true"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    FirstBuild,
    Edit,
    Collection,
    /// A table more, derived from what there is.
    MoreViews,
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    scenario: Scenario,
    call: &'static str,
    error: i32,
    is_sticky: bool,
    nth: u64,
}

/// An index of a tree, an edit of that tree, and what the index of either should hold.
struct Bench {
    world: World,
    library: PathBuf,
    before: String,
    after: String,
    /// What the index holds after that edit, with one more view.
    with_more_views: String,
}

/// Builds the library that makes calls fail. Nothing if there is no compiler for it.
pub(crate) fn faulty_library(folder: &Path) -> Option<PathBuf> {
    let (source, library) = (folder.join("faults.c"), folder.join("faults.so"));
    std::fs::write(&source, LIBRARY).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl");
    let output = compiler.output().ok()?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    Some(library)
}

impl Bench {
    /// Nothing if there is no compiler for the library.
    fn new() -> Option<Self> {
        let world = World::sample();
        let library = faulty_library(world.folder.path())?;
        world.run(&VIEWS);
        let before = world.digest();
        world.write("lib.rs", "pub fn replaced() -> u32 {\n    7\n}\n");
        world.write("app/more.py", "from main import parse_config\n\nparse_config('a')\n".repeat(40));
        std::fs::remove_file(world.source().join("notes.txt")).unwrap();
        let after = world.digest_from_scratch_of(&world.source(), &VIEWS);
        assert_ne!(before, after);
        let more_views = [VIEWS, ["--set", "views.symbol_ranks=true"]].concat();
        let with_more_views = world.digest_from_scratch_of(&world.source(), &more_views);
        Some(Self { world, library, before, after, with_more_views })
    }

    /// What the index holds after a scenario.
    fn after(&self, scenario: Scenario) -> &str {
        if scenario == Scenario::MoreViews { &self.with_more_views } else { &self.after }
    }

    /// A command of a scenario on a copy of the index.
    fn command(&self, scenario: Scenario, index: &Path) -> Command {
        let mut command = match scenario {
            Scenario::FirstBuild | Scenario::Edit => self.world.command(&["run", "--quiet"]),
            Scenario::Collection => self.world.command(&["gc", "--keep", "1"]),
            Scenario::MoreViews => self.world.command(&["run", "--quiet", "--set", "views.symbol_ranks=true"]),
        };
        command.args(VIEWS).arg("--source").arg(self.world.source()).arg("--index").arg(index);
        command
    }

    fn prepare(&self, scenario: Scenario, index: &Path) {
        let _ = std::fs::remove_dir_all(index);
        if scenario != Scenario::FirstBuild {
            copy(&self.world.index(), index);
        }
        if scenario == Scenario::Collection {
            assert!(self.command(Scenario::Edit, index).status().unwrap().success());
        }
    }

    /// Runs a scenario with a fault; returns its exit status, its errors, and how many such calls it made.
    fn inject(&self, fault: Fault, index: &Path) -> (ExitStatus, String, u64) {
        let (count, errors) = (index.with_extension("count"), index.with_extension("errors"));
        let mut command = self.command(fault.scenario, index);
        command.env("LD_PRELOAD", &self.library).env("GRISTMILL_FAULT_CALL", fault.call);
        command.env("GRISTMILL_FAULT_NTH", fault.nth.to_string()).env("GRISTMILL_FAULT_ERRNO", fault.error.to_string());
        command.env("GRISTMILL_FAULT_STICKY", if fault.is_sticky { "1" } else { "0" });
        command.env("GRISTMILL_FAULT_UNDER", index.join("")).env("GRISTMILL_FAULT_COUNT", &count);
        command.stdout(Stdio::null()).stderr(std::fs::File::create(&errors).unwrap());
        let _ = std::fs::remove_file(&count);
        let mut child = command.spawn().unwrap();
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > DEADLINE {
                let _ = child.kill();
                panic!("{fault:?}: the process hangs");
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        let calls = std::fs::read_to_string(count).ok().and_then(|count| count.trim().parse().ok());
        (status, std::fs::read_to_string(errors).unwrap(), calls.unwrap_or_default())
    }

    /// Injects a fault, and says what is wrong afterwards.
    fn check(&self, fault: Fault, index: &Path) -> Result<(), String> {
        self.prepare(fault.scenario, index);
        let (status, errors, _) = self.inject(fault, index);
        let code = status.code();
        // The standard library ends a process that gets no memory for the stack of a thread.
        let is_aborted = fault.call == "mmap" && code.is_none();
        if !is_aborted && !matches!(code, Some(0..=3)) || code != Some(0) && errors.trim().is_empty() {
            return Err(format!("it ended with {status}: {errors}"));
        }
        let is_done = matches!(code, Some(0 | 3));
        let has_epoch = fault.scenario != Scenario::FirstBuild || is_done;
        if has_epoch {
            let digest = self.world.try_digest_of(index)?;
            let is_one = digest == self.after(fault.scenario) || !is_done && digest == self.before;
            if !is_one {
                return Err(format!("exit code {code:?}, and the index holds neither epoch: {errors}"));
            }
        }
        if !is_done || fault.scenario == Scenario::Collection {
            let next = if fault.scenario == Scenario::MoreViews { Scenario::MoreViews } else { Scenario::Edit };
            let output = self.command(next, index).output().unwrap();
            if !output.status.success() {
                return Err(format!("the next run fails: {}, after {errors}", text(&output.stderr)));
            }
            if self.world.try_digest_of(index)? != self.after(fault.scenario) {
                return Err(format!("the next run leaves another index, after {errors}"));
            }
        }
        Ok(())
    }

    /// Every fault that can be.
    fn faults(&self) -> Vec<Fault> {
        let index = self.world.folder.path().join("counted");
        let mut faults = Vec::new();
        for scenario in [Scenario::FirstBuild, Scenario::Edit, Scenario::Collection, Scenario::MoreViews] {
            for (call, error, is_sticky) in CALLS {
                self.prepare(scenario, &index);
                let none = Fault { scenario, call, error, is_sticky, nth: 0 };
                let (status, errors, calls) = self.inject(none, &index);
                assert!(status.success(), "{errors}");
                faults.extend((1..=calls).map(|nth| Fault { nth, ..none }));
            }
        }
        faults
    }
}

#[test]
fn a_call_that_fails_anywhere_costs_no_epoch() {
    let Some(bench) = Bench::new() else {
        println!("skipped: no C compiler `cc`");
        return;
    };
    let all = bench.faults();
    let place = |fault: &Fault| {
        let Fault { scenario, call, error, is_sticky, .. } = fault;
        let ever_after = if *is_sticky { ", and all that follow" } else { "" };
        let error = std::io::Error::from_raw_os_error(*error).to_string();
        let error = error.split(" (os error").next().unwrap_or_default();
        [format!("{call}: {error}{ever_after}"), format!("{scenario:?}")]
    };
    let table = check_all(&all, ("GRISTMILL_FAULTS", 200), bench.world.folder.path(), place, |fault, index| {
        bench.check(*fault, index).map_err(|reason| format!("{fault:?}: {reason}"))
    });
    println!("{table}");
}
