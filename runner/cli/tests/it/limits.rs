//! Limits of the system: whatever is short, the process ends with a message and a documented exit code, and releases
//! the lock.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::process::Command;

use crate::process::Process;
use crate::world::{World, text};

/// Runs the job under a limit of the shell's `ulimit`; returns the exit code and the errors.
fn limited(world: &World, limit: &str) -> (Option<i32>, String) {
    let run = world.run_command(&[]);
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("ulimit {limit} && exec \"$0\" \"$@\"")).arg(run.get_program());
    limited.args(run.get_args()).current_dir(world.folder.path()).env("NO_COLOR", "1");
    let mut limited = Process::start(limited);
    (limited.code(), limited.errors())
}

#[test]
fn too_few_open_files_are_refused() {
    let world = World::sample();
    for limit in [4, 8, 12, 20, 32, 63] {
        let (code, errors) = limited(&world, &format!("-n {limit}"));
        // With too few the system cannot load the program.
        assert!(code == Some(1) && errors.contains("open files must be at least 64") || code == Some(127), "{errors}");
    }
    let (code, errors) = limited(&world, "-n 64");
    assert_eq!(code, Some(0), "{errors}");
}

#[test]
fn the_limit_of_open_files_is_raised() {
    let world = World::sample();
    let (code, errors) = limited(&world, "-Sn 20");
    assert_eq!(code, Some(0), "{errors}");
}

#[test]
fn too_little_address_space_is_told() {
    let world = World::sample();
    let (code, errors) = limited(&world, "-v 900000");
    assert!(code == Some(1) && errors.contains("address space must be at least"), "{code:?} {errors}");
    for kibibytes in [1_100_000, 1_300_000, 1_500_000, 2_000_000, 3_000_000] {
        let (code, errors) = limited(&world, &format!("-v {kibibytes}"));
        assert!(matches!(code, Some(0 | 1)), "{kibibytes}: {code:?} {errors}");
        assert!(code == Some(0) || !errors.trim().is_empty(), "{kibibytes}: no message");
    }
    world.run(&[]);
    assert_eq!(world.digest(), world.digest_from_scratch());
}

#[test]
fn a_limit_of_file_sizes_is_an_error() {
    // The errors of the process go to a file too.
    for blocks in [1, 8] {
        let world = World::sample();
        let (code, errors) = limited(&world, &format!("-f {blocks}"));
        assert!(code == Some(1) && errors.contains("File too large"), "{blocks}: {code:?} {errors}");
        world.run(&[]);
        assert_eq!(world.digest(), world.digest_from_scratch());
    }
}

#[test]
fn a_full_device_as_output_does_not_undo_a_run() {
    let world = World::sample();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let output = world.run_command(&[]).stdout(full()).output().unwrap();
    let errors = text(&output.stderr);
    assert!(output.status.success() && errors.contains("epoch 1 is committed"), "{errors}");
    let output = world.command(&["status", "--index"]).arg(world.index()).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
}

#[test]
fn control_characters_in_the_index_path_are_refused() {
    let world = World::sample();
    let index = world.folder.path().join("two\nlines");
    let output = world.command(&["run", "--source"]).arg(world.source()).arg("--index").arg(&index).output().unwrap();
    let errors = text(&output.stderr);
    assert!(output.status.code() == Some(2) && errors.contains("control character"), "{errors}");
}
