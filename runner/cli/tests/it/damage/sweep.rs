//! Damage to every kind of file of an index: `status --verify` tells it, no reader panics or hangs, a file that is
//! missing or has another length is rebuilt by the next run, and all others by `run --verify` and `run --full`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::cases::check_all;
use crate::world::{World, text};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// A byte is another one: the first, one in the middle, the last.
    Flipped(u64),
    /// Half of the file is gone.
    Cut,
    Deleted,
    /// The file is one that was there before, of the same kind.
    Older,
}

const FAULTS: [Fault; 6] =
    [Fault::Deleted, Fault::Cut, Fault::Flipped(1), Fault::Flipped(0), Fault::Flipped(2), Fault::Older];

/// An index with two epochs, and the folder of its first epoch.
struct Bench {
    world: World,
    older: PathBuf,
    digest: String,
    /// Files that the newest epoch reaches.
    reached: BTreeSet<PathBuf>,
}

const VIEWS: [&str; 2] = ["--set", "views.edges=true"];

impl Bench {
    fn new() -> Self {
        let world = World::sample();
        world.run(&VIEWS);
        let older = world.folder.path().join("older");
        super::copy(&world.index(), &older);
        world.write("lib.rs", "use crate::cache::find;\n\npub fn second() -> u32 {\n    find()\n}\n");
        world.write("cache.rs", "pub fn find() -> u32 {\n    7\n}\n");
        std::fs::remove_file(world.source().join("notes.txt")).unwrap();
        world.run(&VIEWS);
        let digest = world.digest();
        let reached = reached(&world.index());
        Self { world, older, digest, reached }
    }

    /// A case for each kind of file and each fault.
    fn cases(&self) -> Vec<(PathBuf, Fault)> {
        let mut kinds = BTreeMap::new();
        for file in super::files(&self.world.index()) {
            kinds.entry((kind(&file), self.reached.contains(&file))).or_insert(file);
        }
        let files: Vec<PathBuf> = kinds.into_values().collect();
        let mut cases = Vec::new();
        for fault in FAULTS {
            cases.extend(files.iter().map(|file| (file.clone(), fault)));
        }
        cases
    }

    /// Makes an index with a damaged file; returns whether the file is another one now.
    fn damage(&self, index: &Path, file: &Path, fault: Fault) -> bool {
        let _ = std::fs::remove_dir_all(index);
        super::copy(&self.world.index(), index);
        let path = index.join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        let before = bytes.clone();
        match fault {
            Fault::Deleted => {
                std::fs::remove_file(&path).unwrap();
                return true;
            }
            Fault::Older => {
                let of_kind = super::files(&self.older).into_iter().filter(|older| kind(older) == kind(file));
                let Some(older) = of_kind.map(|older| std::fs::read(self.older.join(older)).unwrap()).next() else {
                    return false;
                };
                bytes = older;
            }
            Fault::Cut => bytes.truncate(bytes.len() / 2),
            Fault::Flipped(place) => match bytes.len() as u64 {
                0 => return false,
                length => bytes[((length - 1) * place / 2) as usize] ^= 0x55,
            },
        }
        std::fs::write(&path, &bytes).unwrap();
        bytes != before
    }

    fn command(&self, args: &[&str], index: &Path) -> Output {
        let mut command = self.world.command(args);
        finish(command.arg("--index").arg(index))
    }

    fn run(&self, more: &[&str], index: &Path) -> Output {
        let mut command = self.world.command(&["run", "--quiet"]);
        finish(command.args(VIEWS).args(more).arg("--source").arg(self.world.source()).arg("--index").arg(index))
    }

    /// Damages a file, and says what is wrong with how that is dealt with.
    fn check(&self, index: &Path, file: &Path, fault: Fault) -> Result<(), String> {
        if !self.damage(index, file, fault) {
            return Ok(());
        }
        let is_damage = self.reached.contains(file);
        let verified = sound(self.command(&["status", "--verify"], index))?;
        let told = verified.status.code() == Some(1);
        if told != is_damage {
            return Err(format!("`status --verify` ended with {}: {}", verified.status, text(&verified.stderr)));
        }
        for reader in [&["search", "find"][..], &["digest"]] {
            let output = sound(self.command(reader, index))?;
            if !is_damage && !output.status.success() {
                return Err(format!("{reader:?} failed: {}", text(&output.stderr)));
            }
        }
        // What `run` mends by itself: what it sees when it opens the epoch.
        let is_seen = !is_damage || matches!(fault, Fault::Deleted | Fault::Cut);
        let runs: &[&[&str]] = if is_seen { &[&[], &["--full"]] } else { &[&["--verify"], &["--full"]] };
        for more in runs {
            self.damage(index, file, fault);
            let output = sound(self.run(more, index))?;
            if !output.status.success() {
                return Err(format!("`run` {more:?} failed: {}", text(&output.stderr)));
            }
            let digest = self.world.try_digest_of(index).map_err(|error| format!("after {more:?}: {error}"))?;
            if digest != self.digest {
                return Err(format!("`run` {more:?} left another index"));
            }
            let verified = self.command(&["status", "--verify"], index);
            // A `HEAD` that lost its line feed says what it said.
            let may_stay = file == Path::new("HEAD") && more.is_empty();
            if !verified.status.success() && !may_stay {
                return Err(format!("`run` {more:?} left damage: {}", text(&verified.stderr)));
            }
        }
        Ok(())
    }
}

fn finish(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// Refuses a panic, a signal and an exit code that is not documented.
fn sound(output: Output) -> Result<Output, String> {
    let errors = text(&output.stderr);
    if !matches!(output.status.code(), Some(0..=3)) || errors.contains("internal error") {
        return Err(format!("it ended with {}: {errors}", output.status));
    }
    Ok(output)
}

/// The kind of a file: its path without what differs from epoch to epoch.
fn kind(file: &Path) -> String {
    let name = file.to_str().unwrap();
    let parts = name.split(['/', '.', '-']).map(|part| {
        let is_name = part.chars().any(|letter| !letter.is_ascii_hexdigit());
        if is_name { part } else { "N" }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The files that the newest epoch reaches.
fn reached(index: &Path) -> BTreeSet<PathBuf> {
    let head = std::fs::read_to_string(index.join("HEAD")).unwrap();
    let epoch = head.trim();
    let record: Value =
        serde_json::from_slice(&std::fs::read(index.join(format!("commits/{epoch}.json"))).unwrap()).unwrap();
    let mut reached: BTreeSet<PathBuf> = record["seals"].as_object().unwrap().keys().map(PathBuf::from).collect();
    for (table, state) in record["tokens"]["lance"].as_object().unwrap() {
        let runs = state["keys"].as_array().unwrap().iter().map(|run| run.as_str().unwrap());
        reached.extend(runs.map(|run| PathBuf::from(format!("lance/{table}.keys/{run}"))));
    }
    reached.extend(["HEAD".into(), format!("commits/{epoch}.json").into(), format!("merkle/{epoch}").into()]);
    let missing: Vec<_> = reached.iter().filter(|file| !index.join(file).is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    reached
}

#[test]
fn damage_to_any_file_is_told_and_mended() {
    let bench = Bench::new();
    let all = bench.cases();
    let place = |(file, fault): &(PathBuf, Fault)| {
        let is_reached = if bench.reached.contains(file) { "" } else { " (not reached)" };
        [format!("{}{is_reached}", kind(file)), format!("{fault:?}")]
    };
    let table = check_all(&all, ("GRISTMILL_DAMAGES", 60), bench.world.folder.path(), place, |(file, fault), index| {
        bench.check(index, file, *fault).map_err(|reason| format!("{} {fault:?}: {reason}", file.display()))
    });
    println!("{table}");
}
