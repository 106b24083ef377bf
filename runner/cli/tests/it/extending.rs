//! The example programs, one for each extension, run as they are built.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::world::{World, code, text};

/// An example, beside this test in the target folder. `cargo test` builds it, unless it is asked for this
/// test alone.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    let program: PathBuf = target.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "{} is missing; build it with `cargo build --examples`", program.display());
    let mut command = Command::new(program);
    command.env("NO_COLOR", "1").env_remove("GRISTMILL_MODE");
    command
}

/// The lines that an example prints; it must succeed.
fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout).lines().map(ToOwned::to_owned).collect()
}

fn printed(name: &str) -> Vec<String> {
    lines(&example(name).output().unwrap())
}

#[test]
fn an_operator_of_contents_stands_between_hash_and_parse() {
    let expected = [
        "stages: read, hash, licences, parse, chunk, embed, lance, tantivy",
        "added: 1 file",
        "redistribute: 0 hits",
        "parse: 1 hits",
    ];
    assert_eq!(printed("custom_operator"), expected);
}

#[test]
fn an_operator_adds_a_column() {
    let mut lines = printed("extra_column");
    lines.sort();
    assert_eq!(lines, ["done.py: 0 todos", "open.py: 2 todos"]);
}

#[test]
fn a_sink_takes_part_in_epochs() {
    let expected = ["epoch 1", "{\"added\":\"a.py\"}", "epoch 2", "{\"removed\":\"a.py\"}", "{\"added\":\"a.py\"}"];
    assert_eq!(printed("custom_sink"), expected);
}

#[test]
fn a_source_is_indexed_incrementally() {
    assert_eq!(printed("custom_source"), ["2 added, 0 modified", "0 added, 1 modified"]);
}

#[test]
fn a_view_is_kept_by_differences() {
    let expected = ["definition_counts: 2 rows added, 0 deleted", "definition_counts: 1 rows added, 1 deleted"];
    assert_eq!(printed("custom_view"), expected);
}

#[test]
fn a_tool_is_a_subcommand_of_its_program() {
    assert_eq!(printed("custom_tool"), ["    40 long.py"]);
    let help = lines(&example("custom_tool").arg("--help").output().unwrap()).join("\n");
    assert!(help.contains("longest-files") && help.contains("List the files with the most lines"), "{help}");
}

#[test]
fn a_program_asks_tools_about_what_it_indexed() {
    let lines = printed("embedded");
    assert_eq!(lines[0], "epoch 1: 2 files");
    let text = lines.join("\n");
    let (search, references) = text.split_once("references:").unwrap();
    assert!(search.contains("search:") && search.contains("retry.py"), "{text}");
    assert!(references.contains("client.py"), "{text}");
}

#[test]
fn a_program_has_its_own_stages_in_every_command() {
    let world = World::new();
    world.write("tabs.py", "def f():\n\treturn 1\n");
    let job = |width: u8| {
        let file = world.folder.path().join("job.toml");
        let stages = gristmill_config::DEFAULT_GRAPH.replace("input = \"hash\"", "input = \"untab\"");
        let own = format!("[[stage]]\noperator = \"untab\"\ninput = \"hash\"\nwidth = {width}\n");
        let places = "[source]\npath = \"src\"\n[index]\npath = \"index\"\n";
        std::fs::write(file, format!("{places}{stages}{own}")).unwrap();
    };
    let run = |args: &[&str]| example("own_program").args(args).current_dir(world.folder.path()).output().unwrap();

    job(17);
    let refused = run(&["check", "job.toml"]);
    assert_eq!(code(&refused), 2);
    assert!(text(&refused.stderr).contains("must be between 0 and 16, got 17"), "{}", text(&refused.stderr));
    job(2);
    let graph = lines(&run(&["check", "job.toml"])).join("\n");
    assert!(graph.contains("untab"), "{graph}");
    let schema = lines(&run(&["schema"])).join("\n");
    assert!(schema.contains("\"untab\"") && schema.contains("Spaces for a tab"), "{schema}");
    assert!(lines(&run(&["plan", "job.toml"])).join("\n").contains('1'));
    lines(&run(&["run", "job.toml", "--quiet"]));
    assert_eq!(lines(&run(&["count-files", "--job", "job.toml"])), ["1 files"]);
    assert_eq!(code(&world.command(&["check", "job.toml"]).output().unwrap()), 2, "gristmill knows no `untab`");
}
