//! Has the program linked at a fixed address on Linux.
//!
//! It holds 700,000 pointers that the loader would relocate at every start: 7 of the 9 ms, and 17 MB of memory,
//! of a command that does nothing else; and each parse worker is such a start. Stacks, heaps and libraries
//! stay at random addresses, and grammars, the only foreign code that sees untrusted text, run in worker
//! processes. `GRISTMILL_PIE=1` at build time keeps the image at a random address too.

fn main() {
    const KEEP: &str = "GRISTMILL_PIE";
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={KEEP}");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let keeps = std::env::var(KEEP).is_ok_and(|value| value == "1");
    if target("OS") == "linux" && target("ENV") == "gnu" && !keeps {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
