//! Items that a macro of the file defines by a name that it is given.
//!
//! ```text
//! macro_rules! handler { ($name:ident, $method:ident) => { pub fn $name() { … } } }
//! handler!(get, GET);     defines the function `get`
//! ```

use gristmill_pipeline::port::DefinitionKind as Kind;
use tree_sitter::Node;

use crate::spec::{Found, Verdict, child_of_kind};

/// Words that begin an item, and what that is.
const ITEMS: [(&str, Kind); 8] = [
    ("fn", Kind::Function),
    ("struct", Kind::Struct),
    ("enum", Kind::Enum),
    ("union", Kind::Union),
    ("trait", Kind::Trait),
    ("type", Kind::Type),
    ("const", Kind::Constant),
    ("static", Kind::Variable),
];

/// Limit on the bytes of a macro's rules that are read.
const MAX_RULES: usize = 64 << 10;

/// Finds what a call of a macro defines, where that stands for items.
pub(super) fn generated(found: &mut Found<'_>) -> Verdict {
    if found.local {
        return Verdict::Nothing;
    }
    let call = match found.node.kind() {
        "expression_statement" => found.node.named_child(0).filter(|inner| inner.kind() == "macro_invocation"),
        _ => Some(found.node),
    };
    let Some(call) = call else { return Verdict::Plain };
    let name = call.child_by_field_name("macro").map_or("", |name| found.slice(name));
    let (Some(rules), Some(tree)) = (rules_of(found.text, name), child_of_kind(call, "token_tree")) else {
        return Verdict::Plain;
    };
    let Some((kind, place)) = ITEMS.iter().find_map(|(word, kind)| Some((*kind, defined(rules, word)?))) else {
        return Verdict::Plain;
    };
    for (nth, argument) in arguments(tree).enumerate() {
        if let Some(name) = argument.filter(|_| place == Place::Each || place == Place::Nth(nth)) {
            found.add_name(found.slice(name));
        }
    }
    if found.name.is_empty() {
        return Verdict::Plain;
    }
    found.kind = kind;
    found.absorbed = Some(call.id());
    Verdict::Definition
}

/// Which arguments of a macro name what it defines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Nth(usize),
    Each,
}

/// The rules of a macro of the file.
fn rules_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let head = format!("macro_rules! {name}");
    let mut from = 0;
    loop {
        let end = from + text.get(from..)?.find(&head)? + head.len();
        let rest = text.get(end..)?;
        if !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return balanced(rest.trim_start());
        }
        from = end;
    }
}

/// The brackets that a text begins with, and what they hold.
fn balanced(text: &str) -> Option<&str> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().take(MAX_RULES) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return text.get(..=at);
        }
    }
    None
}

/// Which arguments name the items that rules define with a word.
fn defined(rules: &str, word: &str) -> Option<Place> {
    let head = format!("{word} $");
    rules.match_indices(&head).find_map(|(at, _)| {
        let before = rules.get(..at)?;
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            return None;
        }
        let rest = rules.get(at + head.len()..)?;
        let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())?;
        let variable = format!("${name}:ident");
        rules.match_indices(&variable).find_map(|(at, _)| place(rules.get(..at)?))
    })
}

/// The place of an argument whose pattern follows this text.
fn place(before: &str) -> Option<Place> {
    let (mut depth, mut commas) = (0_usize, 0);
    for (at, byte) in before.bytes().enumerate().rev() {
        match byte {
            b')' | b']' | b'}' => depth += 1,
            b'(' | b'[' | b'{' if depth == 0 => {
                let repeats = before.as_bytes().get(at.wrapping_sub(1)) == Some(&b'$');
                return match (repeats, commas) {
                    (false, nth) => Some(Place::Nth(nth)),
                    (true, 0) => Some(Place::Each),
                    (true, _) => None,
                };
            }
            b'(' | b'[' | b'{' => depth -= 1,
            b',' if depth == 0 => commas += 1,
            _ => {}
        }
    }
    None
}

/// The last name of each argument in a token tree.
fn arguments<'t>(tree: Node<'t>) -> impl Iterator<Item = Option<Node<'t>>> {
    let (mut names, mut angles) = (vec![None], 0_i32);
    let mut cursor = tree.walk();
    for token in tree.children(&mut cursor) {
        match token.kind() {
            "," if angles == 0 => names.push(None),
            "<" => angles += 1,
            ">" => angles -= 1,
            "identifier" => {
                if let Some(last) = names.last_mut() {
                    *last = Some(token);
                }
            }
            _ => {}
        }
    }
    names.into_iter()
}
