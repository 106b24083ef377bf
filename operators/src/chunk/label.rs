//! Labels of chunks: kind, symbol and scope.

use gristmill_pipeline::port::{Definition, DefinitionKind, Syntax};

use super::pieces::Piece;
use crate::languages::PLAIN_TEXT;

/// Maximum number of names in the symbol of a chunk.
const MAX_NAMES: usize = 3;

/// Returns kind, symbol and scope of a piece.
///
/// A piece with one definition takes its name. One with several takes the names of the first
/// three, joined by spaces: both lexical and vector search gain from them. The head of a
/// definition that was cut counts as one of them. A piece without a definition takes the name
/// of the definition that it is part of.
pub(crate) fn label(syntax: &Syntax, piece: &Piece) -> (&'static str, Box<str>, Box<str>) {
    let code = if syntax.language == PLAIN_TEXT { PLAIN_TEXT } else { "code" };
    let definition = |index: u32| syntax.definitions.get(index as usize);
    let scope = |of: &Definition| of.parent.and_then(definition).map_or("", |parent| &*parent.qualified_name);

    let owner = piece.owner.and_then(definition);
    let head = owner.filter(|owner| piece.head && owner.kind != DefinitionKind::Module);
    let mut first = head;
    let mut count = usize::from(head.is_some());
    let mut symbol = String::from(head.map_or("", |head| &*head.name));

    let mut block = piece.blocks.start;
    while block < piece.blocks.end {
        let Some(found) = syntax.blocks.get(block as usize) else { break };
        let Some(inner) = definition(found.definition) else {
            block += 1;
            continue;
        };
        block = found.next;
        count += 1;
        if count <= MAX_NAMES && !symbol.split(' ').any(|name| name == &*inner.name) {
            if !symbol.is_empty() {
                symbol.push(' ');
            }
            symbol.push_str(&inner.name);
        }
        first = first.or(Some(inner));
    }

    match (first, count) {
        (Some(only), 1) if head.is_none() => (only.kind.as_str(), symbol.into(), scope(only).into()),
        (Some(first), _) => (code, symbol.into(), scope(first).into()),
        (None, _) => match owner {
            Some(owner) => (code, owner.name.clone(), scope(owner).into()),
            None => (code, "".into(), "".into()),
        },
    }
}
