//! Arithmetic on slash paths.

/// Returns a path without the extension of its last part.
pub(crate) fn stem(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    match path.rfind('.') {
        Some(dot) if dot > name => path.get(..dot).unwrap_or(path),
        _ => path,
    }
}

/// Returns the folder that a path lies in; empty for the root.
pub(crate) fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Resolves `path` against the folder `base`, without `.` and `..`; `None` if it leads out of
/// the root.
pub(crate) fn from(base: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Joins `base` and `name`, either of which may be empty.
pub(crate) fn below(base: &str, name: &str) -> String {
    match (base, name) {
        ("", name) => name.to_owned(),
        (base, "") => base.to_owned(),
        (base, name) => format!("{base}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart_and_joined() {
        assert_eq!((stem("a/b.c.d"), stem("a.b/c"), stem("a/.b"), stem("a")), ("a/b.c", "a.b/c", "a/.b", "a"));
        assert_eq!((directory("a/b/c"), directory("a")), ("a/b", ""));
        assert_eq!(from("a/b", "../c/./d").as_deref(), Some("a/c/d"));
        assert_eq!(from("", "c").as_deref(), Some("c"));
        assert_eq!(from("a", "..").as_deref(), Some(""));
        assert_eq!(from("a", "../../c"), None);
        assert_eq!((below("", "a").as_str(), below("a", "").as_str(), below("a", "b").as_str()), ("a", "a", "a/b"));
    }
}
