//! Modelines: what Emacs (`-*- mode: ruby -*-`) and Vim (`vim: ft=ruby`) are told about a file.

use std::sync::LazyLock;

use regex::Regex;

use super::Named;
use super::linguist::LINGUIST;

/// Lines at the beginning and at the end of a text that may hold a modeline, as in Linguist.
const LINES: usize = 5;

/// Longer lines are no modelines.
const MAX_LINE_BYTES: usize = 1000;

static VIM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let marker = r"(?:^|[ \t])(?:vi|[vV]im(?:[<=>]?\d+)?|ex):";
    Regex::new(&format!(r"{marker}(?:.*[ \t:])?(?:filetype|ft|syntax)[ \t]*=[ \t]*(\w+)")).ok()
});

/// Returns the language that a modeline names.
pub(super) fn language(text: &str) -> Option<Named> {
    let first = text.lines().take(LINES);
    let last = text.lines().rev().take(LINES);
    first.chain(last).filter(|line| line.len() <= MAX_LINE_BYTES).find_map(mode_of_line)
}

fn mode_of_line(line: &str) -> Option<Named> {
    if let Some(mode) = emacs(line) {
        return LINGUIST.of_mode(mode);
    }
    // Most lines have no colon after one of these letters.
    if !line.contains("vi") && !line.contains("Vi") && !line.contains("ex:") {
        return None;
    }
    let found = VIM.as_ref()?.captures(line)?;
    LINGUIST.of_mode(found.get(1)?.as_str())
}

/// The mode between `-*-` and `-*-`: alone, or after `mode:`.
fn emacs(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("-*-")?;
    let (variables, _) = rest.split_once("-*-")?;
    if !variables.contains(':') {
        return Some(variables.trim());
    }
    let mut variables = variables.split(';').filter_map(|variable| variable.split_once(':'));
    variables.find(|(name, _)| name.trim().eq_ignore_ascii_case("mode")).map(|(_, mode)| mode.trim())
}
