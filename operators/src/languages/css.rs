//! CSS, which has imports but no definitions.

use tree_sitter::Node;

use crate::spec::resolution::{ModuleSystem, included};
use crate::spec::{Grammar, Language, Use, Uses, children};

pub(super) static LANGUAGE: Language =
    Language { extensions: &["css"], grammar: Some(&GRAMMAR), modules: Some(&MODULES), ..Language::new("css") };

static GRAMMAR: Grammar = Grammar {
    uses: &[("import_statement", Use::By(import))],
    ..Grammar::new(|| tree_sitter_css::LANGUAGE.into(), "tree-sitter-css 0.25.0")
};

static MODULES: ModuleSystem = ModuleSystem::new("css:", included);

/// Records `@import "a.css"` and `@import url("a.css")`.
fn import<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(mut file) = node.named_child(0) else { return };
    if file.kind() == "call_expression" {
        let arguments = children(file).find(|child| child.kind() == "arguments");
        let Some(inner) = arguments.and_then(|arguments| arguments.named_child(0)) else { return };
        file = inner;
    }
    if let Some(path) = uses.literal(file) {
        uses.import(node, path, "*", "");
    }
}

#[cfg(test)]
mod tests;
