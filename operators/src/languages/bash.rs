//! Bash and other shells of its syntax.

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::Call;
use tree_sitter::Node;

use crate::spec::resolution::{ModuleSystem, included};
use crate::spec::{Found, Grammar, Language, Part, Use, Uses, Verdict, children, named, rule};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["sh", "bash", "zsh", "ksh", "bats"],
    file_names: &[".bashrc", ".bash_profile", ".profile", ".zshrc", "PKGBUILD"],
    interpreters: &["sh", "bash", "zsh", "dash", "ksh"],
    grammar: Some(&GRAMMAR),
    modules: Some(&MODULES),
    ..Language::new("bash")
};

static GRAMMAR: Grammar = Grammar {
    closures: &["while_statement", "for_statement", "c_style_for_statement", "subshell"],
    rules: &[
        rule("function_definition", Kind::Function, named),
        rule("variable_assignment", Kind::Variable, assignment),
        rule("declaration_command", Kind::Variable, declaration),
    ],
    uses: &[("command", Use::By(command))],
    parts: &[("command_name", Part::First), ("word", Part::Name)],
    ..Grammar::new(|| tree_sitter_bash::LANGUAGE.into(), "tree-sitter-bash 0.25.1")
};

static MODULES: ModuleSystem = ModuleSystem::new("sh:", included);

/// Returns the name that an assignment sets, unless it is an element of an array.
fn plain_name(assignment: Node<'_>) -> Option<Node<'_>> {
    assignment.child_by_field_name("name").filter(|name| name.kind() == "variable_name")
}

fn assignment(found: &mut Found<'_>) -> Verdict {
    // `a=b command` sets a variable for the command only.
    if found.parent.kind() == "command" || found.local {
        return Verdict::Nothing;
    }
    found.name_at(plain_name(found.node))
}

/// Finds the variables that a declaration sets, as in `readonly A=1 B=2`.
fn declaration(found: &mut Found<'_>) -> Verdict {
    if found.local {
        return Verdict::Nothing;
    }
    if found.slice(found.node).starts_with("readonly") {
        found.kind = Kind::Constant;
    }
    for assignment in children(found.node).filter(|node| node.kind() == "variable_assignment") {
        if let Some(name) = plain_name(assignment) {
            found.add_name(found.slice(name));
        }
    }
    found.absorbed = children(found.node).find(|node| node.kind() == "variable_assignment").map(|node| node.id());
    found.verdict()
}

/// Records a command; `source file` and `. file` import.
fn command<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    if !matches!(uses.slice(name), "source" | ".") {
        return uses.refer(Call, name);
    }
    let Some(file) = node.child_by_field_name("argument") else { return };
    let text = if file.kind() == "word" { Some(uses.slice(file)) } else { uses.literal(file) };
    if let Some(text) = text.filter(|text| !text.contains('$')) {
        uses.import(node, text, "*", "");
    }
}

#[cfg(test)]
mod tests;
