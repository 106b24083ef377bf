//! Ruby.

mod modules;
mod scopes;

use gristmill_pipeline::port::DefinitionKind as Kind;
use gristmill_pipeline::port::ReferenceKind::{Call, Implements};
use tree_sitter::Node;

use crate::spec::{Found, Grammar, Language, Part, Scopes, Use, Uses, Verdict, children, named, rule};

pub(super) static LANGUAGE: Language = Language {
    extensions: &["rb", "rake", "gemspec", "ru"],
    file_names: &["Gemfile", "Rakefile", "Vagrantfile", "Podfile"],
    interpreters: &["ruby", "jruby"],
    grammar: Some(&GRAMMAR),
    modules: Some(&modules::MODULES),
    ..Language::new("ruby")
};

static GRAMMAR: Grammar = Grammar {
    separator: "::",
    through: &["body_statement", "singleton_class"],
    closures: &["do_block", "block", "lambda", "while", "for"],
    constructors: &["initialize"],
    scope_kinds: &[Kind::Module, Kind::Class],
    rules: &[
        rule("module", Kind::Module, named),
        rule("class", Kind::Class, named),
        rule("method", Kind::Method, method),
        rule("singleton_method", Kind::Method, method),
        rule("assignment", Kind::Constant, constant),
        rule("call", Kind::Field, attribute),
    ],
    uses: &[
        ("call", Use::By(call)),
        ("superclass", Use::First(Implements)),
        ("constant", Use::Type),
        ("scope_resolution", Use::Type),
    ],
    parts: &[("identifier", Part::Name), ("constant", Part::Name), ("scope_resolution", Part::Field("name"))],
    scopes: Some(Scopes { rules: scopes::bind, local: modules::local_names }),
    ..Grammar::new(|| tree_sitter_ruby::LANGUAGE.into(), "tree-sitter-ruby 0.23.1")
};

fn method(found: &mut Found<'_>) -> Verdict {
    let in_module = found.owner == Some(Kind::Module);
    if in_module {
        found.separator = Some(".");
    } else if !found.in_type() {
        found.kind = Kind::Function;
    }
    named(found)
}

fn constant(found: &mut Found<'_>) -> Verdict {
    let Some(left) = found.field("left").filter(|left| left.kind() == "constant") else { return Verdict::Nothing };
    found.separator = Some("::");
    found.name_at(Some(left))
}

/// Finds the attributes of `attr_reader :a, :b`, `attr_writer` and `attr_accessor`.
fn attribute(found: &mut Found<'_>) -> Verdict {
    let accessor = matches!(found.field_text("method"), "attr_reader" | "attr_writer" | "attr_accessor");
    let Some(arguments) = found.field("arguments").filter(|_| accessor && !found.local) else {
        return Verdict::Nothing;
    };
    for argument in children(arguments).filter(|argument| argument.kind() == "simple_symbol") {
        found.add_name(found.slice(argument).trim_start_matches(':'));
    }
    found.verdict()
}

/// Records a call; some import a file or mix in a module.
fn call<'t>(uses: &mut Uses<'t>, node: Node<'t>) {
    let Some(method) = node.child_by_field_name("method") else { return };
    let arguments = node.child_by_field_name("arguments");
    let plain = node.child_by_field_name("receiver").is_none();
    let first = arguments.and_then(|arguments| arguments.named_child(0));
    match (uses.slice(method), plain) {
        ("require" | "load", true) => {
            if let Some(file) = first.and_then(|first| uses.literal(first)) {
                return uses.import(node, file, "*", "");
            }
        }
        ("require_relative", true) => {
            if let Some(file) = first.and_then(|first| uses.literal(first)) {
                let dot = if file.starts_with('.') { "" } else { "./" };
                return uses.import(node, &format!("{dot}{file}"), "*", "");
            }
        }
        ("include" | "extend" | "prepend", true) => {
            if let Some(arguments) = arguments {
                uses.refer_each(Implements, arguments);
            }
        }
        _ => {}
    }
    if let Some(name) = uses.name_in(method) {
        uses.mark(Call, node.start_byte(), name);
    }
}

#[cfg(test)]
mod tests;
