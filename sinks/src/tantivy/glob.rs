//! Globs over paths as the regular expressions that a term dictionary is searched by.

/// Translates a glob. `*` and `?` stay within a part of the path, `**` crosses parts;
/// `[abc]`, `[!abc]` and `{one,two}` are alternatives, `\` takes the next character as it
/// is. A pattern without `/` matches the file's name in any folder, one that ends in `/` all that
/// lies below, and one that starts with `/` from the root on; any other matches the whole path.
pub(super) fn to_regex(glob: &str) -> String {
    let mut regex = String::with_capacity(glob.len() * 2);
    if !glob.trim_end_matches('/').contains('/') && !glob.contains("**") {
        regex.push_str("(?:.*/)?");
    }
    let from_root = glob.strip_prefix('/').unwrap_or(glob);
    let mut characters = from_root.chars().peekable();
    let mut depth = 0_u32;
    while let Some(character) = characters.next() {
        match character {
            '*' if characters.next_if_eq(&'*').is_some() => {
                // `**/` also stands for no folder at all.
                regex.push_str(if characters.next_if_eq(&'/').is_some() { "(?:.*/)?" } else { ".*" });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => {
                let class: String = characters.by_ref().take_while(|character| *character != ']').collect();
                push_class(&class, &mut regex);
            }
            '{' => {
                depth += 1;
                regex.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                regex.push(')');
            }
            ',' if depth > 0 => regex.push('|'),
            '\\' => push_literal(characters.next().unwrap_or('\\'), &mut regex),
            character => push_literal(character, &mut regex),
        }
    }
    regex.extend(std::iter::repeat_n(')', depth as usize));
    if glob.ends_with('/') {
        regex.push_str(".*");
    }
    regex
}

fn push_class(class: &str, regex: &mut String) {
    let (negated, members) = match class.strip_prefix(['!', '^']) {
        Some(members) => (true, members),
        None => (false, class),
    };
    if members.is_empty() {
        return;
    }
    regex.push_str(if negated { "[^/" } else { "[" });
    for member in members.chars() {
        if member == '-' { regex.push('-') } else { push_literal(member, regex) }
    }
    regex.push(']');
}

fn push_literal(character: char, regex: &mut String) {
    if character.is_ascii_punctuation() && !matches!(character, '/' | '_') {
        regex.push('\\');
    }
    regex.push(character);
}

#[cfg(test)]
mod tests {
    use super::to_regex;

    #[test]
    fn globs_become_anchored_expressions() {
        assert_eq!(to_regex("src/*.rs"), r"src/[^/]*\.rs");
        assert_eq!(to_regex("**/test_?.py"), r"(?:.*/)?test_[^/]\.py");
        assert_eq!(to_regex("*.{c,h}"), r"(?:.*/)?[^/]*\.(?:c|h)");
        assert_eq!(to_regex("docs/"), "(?:.*/)?docs/.*");
        assert_eq!(to_regex("a/[!b-d]x"), "a/[^/b-d]x");
        assert_eq!(to_regex(r"a/\*"), r"a/\*");
        assert_eq!(to_regex(r"/\[a\].rs"), r"\[a\]\.rs");
    }
}
