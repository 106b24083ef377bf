//! Has the program linked at a fixed address on Linux, and says which commit it is built from.
//!
//! It holds 700,000 pointers that the loader would relocate at every start: 7 of the 9 ms, and 17 MB of memory,
//! of a command that does nothing else; and each parse worker is such a start. Stacks, heaps and libraries
//! stay at random addresses, and grammars, the only foreign code that sees untrusted text, run in worker
//! processes. `GRISTMILL_PIE=1` at build time keeps the image at a random address too.
//!
//! A release build outside of a git checkout, and any other build, has no commit: a debug build would have to
//! be made again after every commit.

use std::process::Command;

fn main() {
    const KEEP: &str = "GRISTMILL_PIE";
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={KEEP}");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let keeps = std::env::var(KEEP).is_ok_and(|value| value == "1");
    if target("OS") == "linux" && target("ENV") == "gnu" && !keeps {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let version = match is_release.then(commit).flatten() {
        Some(commit) => format!("{version} ({commit})"),
        None => version,
    };
    println!("cargo::rustc-env=GRISTMILL_VERSION={version}");
}

/// What a program is built from, besides other crates.
const SOURCES: [&str; 6] =
    ["../../pipeline", "../../operators", "../../sinks", "..", "../../Cargo.toml", "../../Cargo.lock"];

/// The commit of the checkout that holds this crate, with `-dirty` if the sources differ from it.
fn commit() -> Option<String> {
    // Of a crate that lies in a checkout of something else, that commit would say nothing.
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    // Each commit and checkout is a line there.
    let paths = ["logs/HEAD", "HEAD"].into_iter().filter_map(|path| git(&["rev-parse", "--git-path", path]));
    for path in paths.chain(SOURCES.map(Into::into)).filter(|path| std::path::Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&[&["status", "--porcelain", "--untracked-files=no", "--"], &SOURCES[..]].concat())?;
    Some(if changed.is_empty() { commit } else { format!("{commit}-dirty") })
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}
