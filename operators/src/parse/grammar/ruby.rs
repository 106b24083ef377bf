//! Ruby.

use gristmill_pipeline::port::DefinitionKind as Kind;

use super::{Grammar, rule};
use crate::parse::found::{Found, Verdict, children, named};

pub(crate) static RUBY: Grammar = Grammar {
    separator: "::",
    through: &["body_statement", "singleton_class"],
    closures: &["do_block", "block", "lambda", "while", "for"],
    constructors: &["initialize"],
    rules: &[
        rule("module", Kind::Module, named),
        rule("class", Kind::Class, named),
        rule("method", Kind::Method, method),
        rule("singleton_method", Kind::Method, method),
        rule("assignment", Kind::Constant, constant),
        rule("call", Kind::Field, attribute),
    ],
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

/// `attr_reader :a, :b` and its kin.
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
