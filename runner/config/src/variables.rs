//! Environment variables in string values: `${NAME}`, `${NAME:-default}`, and `$${` for
//! a literal `${`.

use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::error::Fault;
use super::texts::Place;

/// Looks up an environment variable.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Why a text cannot be expanded.
#[derive(Debug, PartialEq, Eq)]
enum Mistake<'t> {
    Unset(&'t str),
    Unclosed,
    BadName(&'t str),
}

/// Expands the variables in all strings of `value`; reports those that cannot be expanded, and leaves
/// them unchanged.
pub(super) fn expand(value: &mut Spanned<DeValue<'_>>, environment: &Environment<'_>, faults: &mut Vec<Fault>) {
    let place = value.span();
    match value.get_mut() {
        DeValue::String(text) if text.contains("${") => match expanded(text, environment) {
            Ok(new) => *text = DeString::Owned(new),
            Err(mistake) => faults.push(explain(&mistake, place)),
        },
        DeValue::Array(items) => items.iter_mut().for_each(|item| expand(item, environment, faults)),
        DeValue::Table(table) => table.iter_mut().for_each(|(_, item)| expand(item, environment, faults)),
        _ => {}
    }
}

fn explain(mistake: &Mistake<'_>, place: Place) -> Fault {
    let (message, help) = match mistake {
        Mistake::Unset(name) => (
            format!("environment variable `{name}` is not set"),
            format!("set it, or write a default: `${{{name}:-value}}`"),
        ),
        Mistake::Unclosed => {
            ("missing `}` after `${`".to_owned(), "close it, or write `$${` for a literal `${`".to_owned())
        }
        Mistake::BadName(name) => (
            format!("invalid environment variable name `{name}`"),
            "a name consists of letters, digits and `_`, and does not start with a digit".to_owned(),
        ),
    };
    Fault::at("variable", place, message).label("in this value").help(Some(help))
}

fn expanded<'t>(text: &'t str, environment: &Environment<'_>) -> Result<String, Mistake<'t>> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = (rest.get(..at).unwrap_or_default(), rest.get(at + 2..).unwrap_or_default());
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let (inside, after) = after.split_once('}').ok_or(Mistake::Unclosed)?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !is_name(name) {
            return Err(Mistake::BadName(name));
        }
        // As in a shell, `:-` also replaces an empty variable.
        let value = environment(name).filter(|value| default.is_none() || !value.is_empty());
        match (value, default) {
            (Some(value), _) => out.push_str(&value),
            (None, Some(default)) => out.push_str(default),
            (None, None) => return Err(Mistake::Unset(name)),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "HOME" => Some("/home/ada".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn variables_expand() {
        let expand = |text| expanded(text, &environment);
        assert_eq!(expand("${HOME}/src"), Ok("/home/ada/src".into()));
        assert_eq!(expand("${NONE:-a}${EMPTY:-b}${EMPTY}"), Ok("ab".into()));
        assert_eq!(expand("$${HOME} $5 ${HOME}"), Ok("${HOME} $5 /home/ada".into()));
        assert_eq!(expand("${NONE}"), Err(Mistake::Unset("NONE")));
        assert_eq!(expand("a ${HOME"), Err(Mistake::Unclosed));
        assert_eq!(expand("${a b}"), Err(Mistake::BadName("a b")));
    }

    proptest! {
        #[test]
        fn text_without_variables_stays(text in "[^$]*") {
            prop_assert_eq!(expanded(&text, &environment), Ok(text.clone()));
        }

        #[test]
        fn escaped_text_comes_back(text in "[a-z{}$ ]{0,12}") {
            let escaped = text.replace("${", "$${");
            // A dollar sign before `${` would itself be read as the escape.
            prop_assume!(!text.contains("$${"));
            prop_assert_eq!(expanded(&escaped, &environment), Ok(text));
        }
    }
}
