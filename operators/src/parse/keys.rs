//! The paths of names that lead to definitions.

use std::collections::HashMap;

use gristmill_pipeline::port::{Anchor, Definition, DefinitionKind, Linkage, NamePath};

use crate::spec::{Seen, is_type};

/// What the key of a definition is made of, beside its name and its parent.
pub(super) struct KeyHint {
    /// Names between those of the definitions around it and its own.
    pub scope: Box<str>,
    /// What it says of other files.
    pub linkage: Option<Linkage>,
    /// Where its name is seen.
    pub seen: Seen,
}

/// Sets the keys of definitions; `hints` has one for each.
///
/// What an implementation block holds are members of its type, wherever that is: below the type's
/// own key if the file defines it, else below its name in the package.
///
/// What a `transparent` definition holds has the names that it would have without it.
pub(super) fn name_definitions(
    definitions: &mut [Definition],
    hints: &[KeyHint],
    transparent: fn(&Definition) -> bool,
) {
    let mut types: HashMap<Box<str>, Vec<usize>> = HashMap::new();
    for (index, definition) in definitions.iter().enumerate() {
        if is_type(definition.kind) && definition.kind != DefinitionKind::Implementation {
            types.entry(definition.name.clone()).or_default().push(index);
        }
    }
    // Types come first: a block may stand before its type.
    for blocks in [false, true] {
        for index in 0..definitions.len() {
            if in_block(definitions, index) == blocks {
                let key = key_of(definitions, hints, &types, index, transparent);
                if let Some(definition) = definitions.get_mut(index) {
                    definition.key = key;
                }
            }
        }
    }
    for (definition, hint) in definitions.iter_mut().zip(hints) {
        if let Some(linkage) = hint.linkage {
            definition.key = definition.key.with([linkage.as_str()]);
        }
    }
}

/// Whether a definition is an implementation block, or lies in one.
fn in_block(definitions: &[Definition], index: usize) -> bool {
    let mut at = definitions.get(index);
    while let Some(definition) = at {
        if definition.kind == DefinitionKind::Implementation {
            return true;
        }
        at = definition.parent.and_then(|parent| definitions.get(parent as usize));
    }
    false
}

/// The type of the file that an implementation block is of: of those of its name the one in the
/// innermost module around it, or else the first.
fn type_of_block<'d>(
    definitions: &'d [Definition],
    types: &HashMap<Box<str>, Vec<usize>>,
    block: &Definition,
) -> Option<&'d Definition> {
    let name = block.name.rsplit('.').next().unwrap_or(&block.name);
    let named = || types.get(name).into_iter().flatten().filter_map(|index| definitions.get(*index));
    let mut parent = block.parent;
    loop {
        if let Some(beside) = named().find(|of| of.parent == parent) {
            return Some(beside);
        }
        let Some(around) = parent else { return named().next() };
        parent = definitions.get(around as usize).and_then(|around| around.parent);
    }
}

fn key_of(
    definitions: &[Definition],
    hints: &[KeyHint],
    types: &HashMap<Box<str>, Vec<usize>>,
    index: usize,
    transparent: fn(&Definition) -> bool,
) -> NamePath {
    let Some(definition) = definitions.get(index) else { return NamePath::UNKNOWN };
    if definition.kind == DefinitionKind::Implementation {
        let of_type = type_of_block(definitions, types, definition).map(|of| of.key.clone());
        let name = definition.name.rsplit('.').next().unwrap_or(&definition.name);
        return of_type.unwrap_or_else(|| NamePath::new(Anchor::Package, [name]));
    }
    let above = |definition: &Definition| definitions.get(definition.parent? as usize);
    let hint = hints.get(index);
    let mut parent = match hint.map(|hint| hint.seen) {
        Some(Seen::Everywhere) => None,
        Some(Seen::Outside) => above(definition).and_then(above),
        _ => above(definition),
    };
    while let Some(skipped) = parent.filter(|parent| transparent(parent)) {
        parent = above(skipped);
    }
    let scope = hint.map_or("", |hint| &*hint.scope);
    let names = scope.split(['.', ':', '\\', '#']).filter(|name| !name.is_empty());
    // The name of a namespace or type may be a path.
    let is_path = is_type(definition.kind) || definition.kind == DefinitionKind::Module;
    let own = definition.name.split(|c| is_path && matches!(c, ':' | '\\')).filter(|name| !name.is_empty());
    // Below a name that no method has.
    let apart = hint.filter(|hint| hint.seen == Seen::Apart).map(|_| "$");
    let names = names.chain(apart).chain(own);
    match parent {
        Some(parent) => parent.key.with(names),
        None => NamePath::new(Anchor::Unit, names),
    }
}
