//! The `gristmill` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use gristmill_allocations::Counting;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: Counting<MiMalloc> = Counting::new(MiMalloc);

fn main() -> ExitCode {
    gristmill::Program::standard().main()
}
