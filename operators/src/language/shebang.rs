//! The interpreter that a first line `#!…` names, directly or through programs that run another.

use super::Named;
use super::linguist::LINGUIST;

/// Programs that run another with their arguments, and the interpreter of a script that they are
/// given alone.
const LAUNCHERS: &[(&str, &str)] = &[
    ("bundle", "ruby"),
    ("bunx", "bun"),
    ("cargo", "rust-script"),
    ("conda", "python"),
    ("deno", "deno"),
    ("dotnet", "dotnet"),
    ("exec", ""),
    ("hatch", "python"),
    ("mise", ""),
    ("nice", ""),
    ("npx", "node"),
    ("pdm", "python"),
    ("pipenv", "python"),
    ("pipx", "python"),
    ("pixi", "python"),
    ("pnpm", "node"),
    ("poetry", "python"),
    ("rbenv", "ruby"),
    ("rye", "python"),
    ("sudo", ""),
    ("time", ""),
    ("uv", "python"),
    ("uvx", "python"),
    ("yarn", "node"),
];

/// Options of those programs whose value is a word of its own.
const OPTIONS_WITH_VALUE: &[&str] = &[
    "--config",
    "--directory",
    "--env-file",
    "--extra",
    "--group",
    "--index",
    "--index-url",
    "--name",
    "--only-group",
    "--package",
    "--project",
    "--python",
    "--refresh-package",
    "--with",
    "--with-editable",
    "--with-requirements",
    "-C",
    "-P",
    "-n",
    "-p",
    "-u",
    "-w",
];

/// Lines below the first in which a shell may hand its script over.
const HANDOVER_LINES: usize = 5;

/// Returns the language of the interpreter that a first line names.
pub(super) fn language(text: &str) -> Option<Named> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = text.strip_prefix("#!")?.lines().next()?;
    let mut words = line.split_ascii_whitespace();
    let mut program = base_name(words.next()?);
    if program == "env" {
        program = base_name(after_env(&mut words)?);
    }
    if matches!(program, "sh" | "bash")
        && let Some(other) = text.lines().skip(1).take(HANDOVER_LINES).find_map(handed_over)
    {
        return Some(other);
    }
    if program == "nix-shell" {
        let second = text.lines().nth(1)?.strip_prefix("#!")?;
        let interpreter = second.split_ascii_whitespace().skip_while(|word| *word != "-i").nth(1)?;
        return LINGUIST.of_interpreter(base_name(interpreter));
    }
    match LAUNCHERS.iter().find(|(launcher, _)| *launcher == program) {
        Some((_, alone)) => launched(words).or_else(|| LINGUIST.of_interpreter(alone)),
        None => LINGUIST.of_interpreter(program),
    }
}

/// The name of a program without its folder.
fn base_name(program: &str) -> &str {
    let name = program.rsplit('/').next().unwrap_or(program);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// The program that `env` runs: the word after its options and variables.
fn after_env<'t>(words: &mut impl Iterator<Item = &'t str>) -> Option<&'t str> {
    while let Some(word) = words.next() {
        if let Some(rest) = word.strip_prefix("-S").or_else(|| word.strip_prefix("--split-string=")) {
            let rest = rest.trim_matches(['"', '\'']);
            if !rest.is_empty() && !rest.contains('=') {
                return Some(rest);
            }
        } else if matches!(word, "-u" | "--unset" | "-C" | "--chdir") {
            words.next();
        } else if !word.starts_with('-') && !word.contains('=') {
            return Some(word.trim_matches(['"', '\'']));
        }
    }
    None
}

/// The first interpreter among the arguments of a launcher.
fn launched<'t>(mut words: impl Iterator<Item = &'t str>) -> Option<Named> {
    while let Some(word) = words.next() {
        if OPTIONS_WITH_VALUE.contains(&word) {
            words.next();
        } else if !word.starts_with('-')
            && let Some(found) = LINGUIST.of_interpreter(base_name(word))
        {
            return Some(found);
        }
    }
    None
}

/// The interpreter in a line of shell such as `exec python "$0" "$@"`.
fn handed_over(line: &str) -> Option<Named> {
    let (_, rest) = line.split_once("exec ")?;
    let (program, arguments) = rest.trim_start().split_once(char::is_whitespace)?;
    arguments.contains("$0").then(|| LINGUIST.of_interpreter(base_name(program))).flatten()
}
