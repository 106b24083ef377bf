//! A filter of paths: files, folders and globs, as people write them.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use gristmill_pipeline::nearest;
use gristmill_query::{ErrorCode, FileRows, ToolContext, ToolError, all, did_you_mean, quote, relative_path};
use gristmill_sinks::lance::Resident;
use gristmill_sinks::tables::Table;
use unicode_normalization::UnicodeNormalization as _;

/// The signs of globs that file names may contain too: `[id]`, `{{name}}`.
const BRACKETS: [char; 4] = ['[', ']', '{', '}'];

/// Selects files by path.
///
/// A path selects the file, or all files below the folder; one without `/` at any depth, as in
/// `.gitignore`. Brackets are taken literally if the index has such a path. A path that matches
/// nothing is looked for at any depth, with the note `path`; if it still matches nothing, a note
/// `no_files` names the nearest path.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    /// Globs in the syntax of the full-text index. One with `/` at its start matches the whole path.
    globs: Vec<String>,
    set: Option<GlobSet>,
    /// The patterns that match no file.
    unmatched: Vec<String>,
}

impl Paths {
    /// Resolves patterns. Without patterns every file is selected.
    pub(crate) fn new(context: &ToolContext<'_>, patterns: &[String]) -> Result<Self, ToolError> {
        let mut paths = Self::default();
        for pattern in patterns {
            match resolve(context, pattern)? {
                Some(globs) => paths.globs.extend(globs),
                None => {
                    paths.globs.extend(as_glob(context, pattern));
                    paths.unmatched.push(pattern.clone());
                    note_unmatched(context, pattern)?;
                }
            }
        }
        paths.set = if patterns.is_empty() { None } else { Some(compile(&paths.globs)?) };
        Ok(paths)
    }

    /// Returns whether a file is selected.
    pub(crate) fn allow(&self, path: &str) -> bool {
        self.set.as_ref().is_none_or(|set| set.is_match(path))
    }

    /// Returns whether all files are selected.
    pub(crate) fn allow_all(&self) -> bool {
        self.set.is_none()
    }

    /// Returns the globs for the full-text index.
    pub(crate) fn globs(&self) -> &[String] {
        &self.globs
    }

    /// Returns the patterns that match no file.
    pub(crate) fn into_unmatched(self) -> Vec<String> {
        self.unmatched
    }
}

/// Returns the globs of a pattern; `None` if it matches no file.
fn resolve(context: &ToolContext<'_>, pattern: &str) -> Result<Option<Vec<String>>, ToolError> {
    let relative = relative_path(pattern, &context.epoch.record().source);
    if relative.as_deref() == Some("") {
        return Ok(Some(vec!["**".to_owned()]));
    }
    let Some(files) = files_of(context)? else { return Ok(Some(as_glob(context, pattern))) };
    let named = relative.as_deref().unwrap_or(pattern);
    // A single name is looked for at any depth.
    let is_name = !named.contains(['/', '\\']) && !pattern.trim().starts_with(['.', '/', '~']);
    if !pattern.contains('*') && !is_name {
        if let Some(file) = context.file(pattern)? {
            return Ok(Some(vec![anchored(&escape(file.path().as_str()))]));
        }
        if let Some(folder) = context.folder(pattern)? {
            return Ok(Some(vec![format!("{}/**", escape(&folder))]));
        }
    }
    let literal = pattern.contains(BRACKETS).then(|| escape_brackets(named));
    for glob in literal.iter().map(String::as_str).chain([named]) {
        let exact = if is_name { format!("**/{glob}") } else { anchored(glob) };
        for globs in [vec![exact.clone()], vec![below(&exact)]] {
            let globs = in_normal_forms(globs);
            // Brackets that are no glob may still be a name.
            let set = match compile(&globs) {
                Ok(set) => set,
                Err(error) if glob == named => return Err(error),
                Err(_) => continue,
            };
            if matches_any(context, files, &set)? {
                let both = in_normal_forms(vec![exact.clone(), below(&exact)]);
                // `src/*` selects the files in a folder, `src` all below it.
                return Ok(Some(if is_name && !glob.contains('*') { both } else { globs }));
            }
        }
    }
    if !is_name && let Some(relative) = &relative {
        let globs = in_normal_forms(vec![format!("**/{relative}"), format!("**/{relative}/**")]);
        if matches_any(context, files, &compile(&globs)?)? {
            let message = format!("no file matches {}; showing those in other folders that end so", quote(pattern));
            context.note("path", message);
            return Ok(Some(globs));
        }
    }
    Ok(None)
}

/// Returns the table of the files, if the index has one.
fn files_of<'a>(context: &ToolContext<'a>) -> Result<Option<&'a Resident<FileRows>>, ToolError> {
    match context.epoch.tables() {
        Ok(tables) if tables.has(&Table::Files) => tables.files().map(Some),
        _ => Ok(None),
    }
}

/// Returns the globs of a pattern when no table says which files there are.
fn as_glob(context: &ToolContext<'_>, pattern: &str) -> Vec<String> {
    let relative = relative_path(pattern, &context.epoch.record().source);
    let named = relative.as_deref().unwrap_or(pattern);
    let exact = if named.contains('/') { anchored(named) } else { format!("**/{named}") };
    let folder = (!named.contains('*')).then(|| below(&exact));
    in_normal_forms(std::iter::once(exact).chain(folder).collect())
}

/// Returns a glob that matches from the root on.
fn anchored(glob: &str) -> String {
    if glob.contains('/') { glob.to_owned() } else { format!("/{glob}") }
}

/// Returns the glob of what is below a folder.
fn below(folder: &str) -> String {
    format!("{}/**", folder.trim_start_matches('/'))
}

fn in_normal_forms(globs: Vec<String>) -> Vec<String> {
    let mut forms = Vec::with_capacity(globs.len());
    for glob in globs {
        if !glob.is_ascii() {
            forms.extend([glob.nfc().collect(), glob.nfd().collect()]);
        }
        forms.push(glob);
    }
    forms
}

fn escape(path: &str) -> String {
    let escaped = path.chars().flat_map(|sign| {
        let needs_escape = BRACKETS.contains(&sign) || matches!(sign, '*' | '?' | '\\');
        needs_escape.then_some('\\').into_iter().chain([sign])
    });
    escaped.collect()
}

fn escape_brackets(glob: &str) -> String {
    glob.chars().flat_map(|sign| BRACKETS.contains(&sign).then_some('\\').into_iter().chain([sign])).collect()
}

/// Compiles globs in the syntax of the full-text index.
fn compile(globs: &[String]) -> Result<GlobSet, ToolError> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let glob = glob.strip_prefix('/').unwrap_or(glob);
        set.add(GlobBuilder::new(glob).literal_separator(true).build().map_err(|error| bad_glob(&error))?);
    }
    set.build().map_err(|error| bad_glob(&error))
}

fn bad_glob(error: &globset::Error) -> ToolError {
    ToolError::new(ErrorCode::BadInput, format!("invalid glob: {error}"))
}

/// Returns whether a visible file matches. O(files) if none does.
fn matches_any(context: &ToolContext<'_>, files: &Resident<FileRows>, set: &GlobSet) -> Result<bool, ToolError> {
    for (nth, file) in all(files).enumerate() {
        context.check_row(nth)?;
        if context.visible.shows(file.key()) && set.is_match(file.path().as_str()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds the note about a pattern that matches no file, with the nearest files or the nearest folder.
fn note_unmatched(context: &ToolContext<'_>, pattern: &str) -> Result<(), ToolError> {
    let mut near = if pattern.contains('*') { Vec::new() } else { context.near_paths(pattern)? };
    if near.is_empty() {
        near.extend(nearest_folder(context, pattern)?);
    }
    let help = if near.is_empty() { "`list_preview` lists the folders".to_owned() } else { did_you_mean(&near) };
    context.note("no_files", format!("no file matches the path {}; {help}", quote(pattern)));
    Ok(())
}

/// Returns the folder whose path is most like a path that the index does not have. O(files).
pub(crate) fn nearest_folder<'a>(context: &ToolContext<'a>, path: &str) -> Result<Option<&'a str>, ToolError> {
    let Some(files) = files_of(context)? else { return Ok(None) };
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for (nth, file) in all(files).enumerate() {
        context.check_row(nth)?;
        if context.visible.shows(file.key()) {
            folders.extend(folders_of(file.path().as_str()));
        }
    }
    let wanted = path.trim().trim_start_matches("./").trim_end_matches(['/', '*']);
    Ok(nearest(wanted, folders))
}

/// Returns the folders that a file is in, by their paths.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(end, _)| path.get(..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_paths_are_escaped() {
        let matches = |glob: &str, path: &str| compile(&[glob.to_owned()]).unwrap().is_match(path);
        for path in ["app/[id]/(auth)/page.tsx", "{{name}}/a*b?.py", "a\\b"] {
            assert!(matches(&escape(path), path), "{path}");
        }
        assert!(!matches(&escape("app/[id]"), "app/i"));
        assert!(matches(&escape_brackets("app/[id]/*.tsx"), "app/[id]/page.tsx"));
    }

    #[test]
    fn globs_without_folders_can_be_anchored() {
        let matches = |glob: &str, path: &str| compile(&[glob.to_owned()]).unwrap().is_match(path);
        assert!(matches(&anchored("lib.rs"), "lib.rs") && !matches(&anchored("lib.rs"), "a/lib.rs"));
        assert!(matches("**/lib.rs", "lib.rs") && matches("**/lib.rs", "a/lib.rs"));
        assert!(matches(&below(&anchored("src")), "src/a/b.rs"));
    }

    #[test]
    fn a_file_is_in_all_folders_above_it() {
        assert_eq!(folders_of("a/b/c.rs").collect::<Vec<_>>(), ["a", "a/b"]);
    }
}
