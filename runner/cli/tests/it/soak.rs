//! A soak: edits, renames, branches, collections, kills and full disks in random order, while others read. The index is
//! compared with one built from scratch again and again.
//!
//! `./dev soak --hours N` runs it for hours with a release build and logs to standard output; the test runs a short one.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults::faulty_library;
use crate::process::{DEADLINE, Process};
use crate::world::{World, code, text};

/// What a soak did.
#[derive(Debug, Default)]
struct Counts {
    steps: u64,
    edits: u64,
    switches: u64,
    runs: u64,
    kills: u64,
    full_disks: u64,
    collections: u64,
    requests: u64,
    clears: u64,
    checks: u64,
}

/// Random numbers (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }
}

/// Who writes the index.
enum Writer {
    /// A command for each epoch.
    Runs,
    /// A server that watches.
    Server(Box<Server>),
}

struct Server {
    process: Process,
    address: String,
}

struct Soak {
    world: Arc<World>,
    random: Random,
    writer: Writer,
    library: Option<PathBuf>,
    has_git: bool,
    counts: Counts,
    /// Clears that began and ended, so that it is odd meanwhile: then readers may find nothing.
    clears: Arc<AtomicU64>,
}

impl Soak {
    fn new(seed: u64) -> Self {
        let world = World::sample();
        for file in 0..40 {
            world.write(&format!("package_{}/module_{file}.py", file % 5), module(file, 0));
        }
        let library = faulty_library(world.folder.path());
        let mut soak = Self {
            world: Arc::new(world),
            random: Random(seed),
            writer: Writer::Runs,
            library,
            has_git: false,
            counts: Counts::default(),
            clears: Arc::default(),
        };
        soak.has_git = soak.git(&["init", "--quiet", "--initial-branch", "main"]) && soak.commit();
        soak
    }

    fn git(&self, args: &[&str]) -> bool {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=soak", "-c", "user.email=soak@localhost", "-c", "gc.auto=0"]).args(args);
        git.current_dir(self.world.source()).stdout(Stdio::null()).stderr(Stdio::null());
        git.status().is_ok_and(|status| status.success())
    }

    fn commit(&self) -> bool {
        self.git(&["add", "--all"]) && self.git(&["commit", "--quiet", "--allow-empty", "--message", "soak"])
    }

    /// All files of the source.
    fn files(&self) -> Vec<PathBuf> {
        let all = crate::damage::files(&self.world.source());
        all.into_iter().filter(|file| !file.starts_with(".git")).collect()
    }

    fn any_file(&mut self) -> Option<PathBuf> {
        let mut files = self.files();
        let nth = self.random.below(files.len());
        if files.is_empty() { None } else { Some(self.world.source().join(files.swap_remove(nth))) }
    }

    /// Changes the source.
    fn edit(&mut self) {
        self.counts.edits += 1;
        let number = self.random.below(1_000_000);
        let Some(path) = self.any_file() else {
            self.world.write("lib.rs", "pub fn again() {}\n");
            return;
        };
        // Files may be in the way of folders; what cannot be done is left.
        let done = match self.random.below(20) {
            0..9 => std::fs::write(&path, module(number, number)),
            9..12 => {
                self.world.write(&format!("package_{}/new_{number}.py", number % 7), module(number, 1));
                Ok(())
            }
            12..14 => std::fs::remove_file(&path),
            14 => std::fs::rename(&path, path.with_file_name(format!("renamed_{number}.py"))),
            15 => {
                let folder = self.world.source().join(format!("package_{}", number % 5));
                std::fs::rename(folder, self.world.source().join(format!("package_{}", 5 + number % 5)))
            }
            16 => std::fs::copy(&path, path.with_file_name(format!("copy_{number}.py"))).map(drop),
            17 => std::fs::write(path.with_extension("bin"), [0_u8, 159, 146, 150].repeat(64)),
            18 => std::fs::write(path.with_extension("js"), "function f() { return [".repeat(200)),
            _ => std::fs::File::open(&path).and_then(|file| file.set_modified(std::time::SystemTime::now())),
        };
        let _ = done;
    }

    /// Goes to another branch, with what is uncommitted committed first.
    fn switch(&mut self) {
        if self.has_git {
            self.counts.switches += 1;
            self.commit();
            let branch = format!("branch-{}", self.random.below(3));
            if !self.git(&["switch", "--quiet", &branch]) {
                self.git(&["switch", "--quiet", "--create", &branch]);
            }
        }
    }

    /// A command, killed at a random moment if `kill`.
    fn command(&mut self, name: &str, more: &[&str], kill: bool) {
        let mut command = self.world.job_command(name, more);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        if kill {
            self.counts.kills += 1;
            std::thread::sleep(Duration::from_micros(self.random.next() % 150_000));
            let _ = child.kill();
            child.wait().unwrap();
            return;
        }
        let output = ended(child);
        assert!(matches!(code(&output), 0 | 3), "{name} {more:?}: {}", text(&output.stderr));
    }

    /// A run on a disk that is full after some writes. It may get through.
    fn run_on_full_disk(&mut self) {
        let Some(library) = &self.library else { return };
        self.counts.full_disks += 1;
        let mut command = self.world.job_command("run", &["--quiet"]);
        command.env("LD_PRELOAD", library).env("GRISTMILL_FAULT_CALL", "write").env("GRISTMILL_FAULT_STICKY", "1");
        command.env("GRISTMILL_FAULT_NTH", (1 + self.random.below(60)).to_string()).env("GRISTMILL_FAULT_ERRNO", "28");
        command.env("GRISTMILL_FAULT_UNDER", self.world.index().join(""));
        command.env("GRISTMILL_FAULT_COUNT", self.world.folder.path().join("count"));
        let output = ended(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
        assert!(matches!(code(&output), 0..=3), "on a full disk: {}", text(&output.stderr));
    }

    fn start_server(&mut self) {
        let command = self.world.job_command("serve", &["--watch", "--listen", "127.0.0.1:0"]);
        let process = Process::start(command);
        let first = process.next_line().unwrap_or_default();
        let address =
            first.strip_prefix("listening on http://").unwrap_or_else(|| panic!("{first}{}", process.errors()));
        self.writer = Writer::Server(Box::new(Server { address: address.to_owned(), process }));
    }

    /// Hands the index from the server to commands, or back.
    fn change_writer(&mut self) {
        if let Writer::Server(server) = &mut self.writer {
            let signal = if self.random.below(2) == 0 { "-KILL" } else { "-TERM" };
            self.counts.kills += u64::from(signal == "-KILL");
            server.process.end(signal);
            self.writer = Writer::Runs;
        } else {
            self.start_server();
        }
    }

    /// Asks the server to index; without one, runs the command.
    fn index(&mut self, task: &str) {
        self.counts.requests += 1;
        if let Writer::Server(server) = &self.writer {
            let body = json!({ "task": task, "wait_ms": 600_000 }).to_string();
            let url = format!("http://{}/v1/jobs/gristmill/run", server.address);
            let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(DEADLINE * 5));
            let agent: ureq::Agent = config.build().into();
            let mut answer = agent.post(url).header("content-type", "application/json").send(body).unwrap();
            let answer = answer.body_mut().read_to_string().unwrap();
            assert!(answer.contains("\"state\":\"done\""), "{task}: {answer}; {}", server.process.errors());
        } else {
            match task {
                "clear" => {
                    let cleared =
                        self.world.command(&["clear"]).arg("--index").arg(self.world.index()).output().unwrap();
                    assert!(matches!(code(&cleared), 0), "{}", text(&cleared.stderr));
                }
                "rebuild" => self.command("run", &["--quiet", "--full"], false),
                _ => self.command("run", &["--quiet"], false),
            }
        }
        if task == "clear" {
            self.counts.clears += 1;
            self.clears.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Does something.
    fn step(&mut self) {
        self.counts.steps += 1;
        for _ in 0..=self.random.below(4) {
            self.edit();
        }
        match self.random.below(100) {
            0..6 => self.switch(),
            6..9 => self.change_writer(),
            9..10 => {
                self.clears.fetch_add(1, Ordering::SeqCst);
                self.index("clear");
            }
            10..12 => self.index("rebuild"),
            _ => {}
        }
        if let Writer::Server(_) = self.writer {
            if self.random.below(3) == 0 {
                self.index("update");
            }
            return;
        }
        self.counts.runs += 1;
        match self.random.below(100) {
            0..10 => self.command("run", &["--quiet"], true),
            10..16 => self.run_on_full_disk(),
            16..20 => self.command("run", &["--quiet", "--verify"], false),
            20..24 if self.head().is_some() => {
                self.counts.collections += 1;
                // What a kill or a full disk damaged is mended first.
                self.command("run", &["--quiet", "--verify"], false);
                let kill = self.random.below(3) == 0;
                self.command("gc", &["--keep", "2"], kill);
            }
            _ => self.command("run", &["--quiet"], false),
        }
    }

    fn head(&self) -> Option<u64> {
        std::fs::read_to_string(self.world.index().join("HEAD")).ok()?.trim().parse().ok()
    }

    /// Compares the index with one that is built from scratch.
    fn check(&mut self) {
        self.counts.checks += 1;
        self.index("update");
        let scratch = self.world.digest_from_scratch();
        // A watch may be about to commit a last epoch for events that arrived late; it holds the same.
        assert_eq!(self.world.digest(), scratch, "after {:?}", self.counts);
        self.world.read(&["status", "--verify"]);
    }

    fn memory(&self) -> Option<u64> {
        let Writer::Server(server) = &self.writer else { return None };
        let text =
            ureq::get(format!("http://{}/v1/status", server.address)).call().ok()?.body_mut().read_to_string().ok()?;
        serde_json::from_str::<Value>(&text).ok()?["memory_bytes"].as_u64()
    }
}

/// Waits for a process within the deadline.
fn ended(mut child: std::process::Child) -> Output {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < DEADLINE, "a command does not end");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

/// A module that uses others.
fn module(number: usize, version: usize) -> String {
    let other = number % 40;
    format!(
        "\"\"\"Module {number}, version {version}.\"\"\"\n\nfrom package_{}.module_{other} import function_{other}\n\n\n\
         def function_{number}(value):\n    \"\"\"Returns what {other} makes of it.\"\"\"\n    return \
         function_{other}(value + {version})\n\n\nclass Class{number}:\n    def method(self):\n        return \
         function_{number}({version})\n",
        other % 5
    )
}

/// Reads the index until told to end, as anybody may at any time. Returns how often, or what went wrong.
fn read(world: &World, clears: &AtomicU64, ended: &AtomicBool, nth: usize) -> Result<u64, String> {
    let commands: [&[&str]; 4] =
        [&["search", "function of a module"], &["digest"], &["references", "function_1"], &["status"]];
    let mut reads = 0;
    while !ended.load(Ordering::Relaxed) {
        let clears_before = clears.load(Ordering::SeqCst);
        let args = commands[(nth + reads as usize) % commands.len()];
        let output = world.command(args).arg("--index").arg(world.index()).output().unwrap();
        let errors = text(&output.stderr);
        let is_empty = errors.contains("there is no index") || errors.contains("no epoch");
        let was_cleared = !clears_before.is_multiple_of(2) || clears.load(Ordering::SeqCst) != clears_before;
        if !output.status.success() && !is_empty && !was_cleared {
            return Err(format!("{args:?}: {errors}"));
        }
        reads += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(reads)
}

/// Soaks until `is_over` says so, with a check every so many epochs or steps.
#[allow(clippy::print_stdout, reason = "the log of a soak is what it is for")]
fn soak(seed: u64, check_every: u64, is_over: impl Fn(&Counts) -> bool) {
    let mut soak = Soak::new(seed);
    let started = Instant::now();
    println!("seed {seed}; git: {}; full disks: {}", soak.has_git, soak.library.is_some());
    let ended = AtomicBool::new(false);
    let readers = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|nth| {
                let (world, clears, ended) = (Arc::clone(&soak.world), Arc::clone(&soak.clears), &ended);
                scope.spawn(move || read(&world, &clears, ended, nth))
            })
            .collect();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut checked_at = (0, 0);
            while !is_over(&soak.counts) {
                soak.step();
                let now = (soak.head().unwrap_or_default(), soak.counts.steps);
                if now.0.saturating_sub(checked_at.0) >= check_every || now.1 - checked_at.1 >= 2 * check_every {
                    soak.check();
                    checked_at = (soak.head().unwrap_or_default(), soak.counts.steps);
                    let minutes = started.elapsed().as_secs_f64() / 60.0;
                    let bytes = bytes_under(&soak.world.index());
                    let memory = soak.memory().map_or_else(|| "-".into(), |bytes| format!("{} MiB", bytes >> 20));
                    println!(
                        "{minutes:.1} min: epoch {}, {} files, index {} KiB, server {memory}; {:?}",
                        checked_at.0,
                        soak.files().len(),
                        bytes >> 10,
                        soak.counts
                    );
                }
            }
            soak.check();
        }));
        ended.store(true, Ordering::Relaxed);
        let read: Vec<_> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
        read
    });
    let reads: u64 = readers.into_iter().map(|read| read.unwrap_or_else(|wrong| panic!("a reader: {wrong}"))).sum();
    println!("{:.1} min: {reads} reads; {:?}", started.elapsed().as_secs_f64() / 60.0, soak.counts);
    assert!(reads > 0 && soak.counts.checks > 1, "{:?}", soak.counts);
}

fn bytes_under(folder: &Path) -> u64 {
    let size = |file: PathBuf| std::fs::metadata(folder.join(file)).map_or(0, |metadata| metadata.len());
    crate::damage::files(folder).into_iter().map(size).sum()
}

#[test]
fn a_short_soak() {
    soak(1, 15, |counts| counts.steps >= 40);
}

#[test]
#[ignore = "takes hours: ./dev soak"]
fn a_long_soak() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<f64>().ok());
    let hours = number("GRISTMILL_SOAK_HOURS").unwrap_or(1.0);
    let until = Instant::now() + Duration::from_secs_f64(hours * 3600.0);
    let seed = number("GRISTMILL_SOAK_SEED").map_or_else(|| u64::from(std::process::id()), |seed| seed as u64);
    soak(seed, 50, |_| Instant::now() >= until);
}
