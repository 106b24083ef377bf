//! The `gristmill` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use gristmill_memory::Counting;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: Counting<MiMalloc> = Counting::new(MiMalloc);

fn main() -> ExitCode {
    gristmill_memory::read_less_ahead();
    gristmill_memory::exit_when_exhausted(gristmill::Exit::Failed.code());
    gristmill_pipeline::run::on_memory_pressure(gristmill_memory::return_freed_memory);
    gristmill::Program::standard().main()
}
