//! Indexes of earlier formats: they open, or say what to do.
//!
//! `tests/golden/format-N` was written by the program that introduced format N, from `tests/golden/source`. It is never
//! written anew: a change after which it does not open needs another format.

use std::path::{Path, PathBuf};

use crate::damage::copy;
use crate::world::{World, code, text};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A world with the source and the index of a format.
fn world(format: u32) -> World {
    let world = World::new();
    let golden = golden();
    std::fs::create_dir_all(world.source().join("app")).unwrap();
    for file in ["lib.rs", "server.ts", "notes.txt", "app/main.py"] {
        std::fs::copy(golden.join("source").join(file), world.source().join(file)).unwrap();
    }
    copy(&golden.join(format!("format-{format}")), &world.index());
    world
}

#[test]
fn an_index_of_this_format_opens_and_goes_on() {
    let world = world(2);
    assert_eq!(world.read(&["digest"]), std::fs::read_to_string(golden().join("format-2.digest")).unwrap());
    world.read(&["status", "--verify"]);
    assert_eq!(world.search(&["find entry"])[0]["path"], "lib.rs");
    assert_eq!(world.search(&["listen", "--mode", "literal"])[0]["path"], "server.ts");
    world.write("lib.rs", "pub fn edited() {}\n");
    let (report, code) = world.run(&[]);
    assert_eq!((code, report["notice"].as_str()), (0, None), "{report:#}");
    assert_eq!(world.digest(), world.digest_from_scratch());
    world.read(&["status", "--verify"]);
}

#[test]
fn another_format_is_refused_with_what_to_do() {
    for (format, says, heals) in
        [(0, "run --full", true), (1, "run --full", true), (3, "the program that wrote it", false)]
    {
        let world = world(2);
        let record = world.index().join("commits/1.json");
        let text_of = std::fs::read_to_string(&record).unwrap();
        assert!(text_of.contains("\"format\": 2"), "{text_of}");
        std::fs::write(&record, text_of.replace("\"format\": 2", &format!("\"format\": {format}"))).unwrap();
        for command in ["status", "digest", "history"] {
            let refused = world.command(&[command]).arg("--index").arg(world.index()).output().unwrap();
            let errors = text(&refused.stderr);
            assert!(code(&refused) == 1 && errors.contains(says), "format {format}, {command}: {errors}");
            assert!(errors.contains(&format!("has format {format}")), "format {format}, {command}: {errors}");
        }
        let refused = world.run_command(&[]).output().unwrap();
        assert!(code(&refused) == 1 && text(&refused.stderr).contains(says), "{}", text(&refused.stderr));
        if heals {
            let (report, code) = world.run(&["--full"]);
            assert_eq!((code, report["ending"].as_str()), (0, Some("committed")), "{report:#}");
            assert_eq!(world.digest(), world.digest_from_scratch());
        }
    }
}
