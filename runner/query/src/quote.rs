//! Values of a request, as error messages quote them.

/// Characters of a value that are quoted.
const MAX_CHARS: usize = 64;

/// Formats a value in backticks: control characters replaced, truncated after 64 characters.
#[must_use]
pub fn quote(value: &str) -> String {
    let is_truncated = value.chars().nth(MAX_CHARS).is_some();
    let shown = value.chars().take(MAX_CHARS).map(|char| if char.is_control() { '\u{fffd}' } else { char });
    format!("`{}{}`", shown.collect::<String>(), if is_truncated { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_truncated() {
        assert_eq!(quote("search"), "`search`");
        assert_eq!(quote("a\nb"), "`a\u{fffd}b`");
        assert_eq!(quote(&"ä".repeat(64)), format!("`{}`", "ä".repeat(64)));
        assert_eq!(quote(&"ä".repeat(65)), format!("`{}…`", "ä".repeat(64)));
    }
}
