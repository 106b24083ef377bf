//! A filter of languages, by the names that people use.

use std::collections::{BTreeSet, HashMap};

use gristmill_pipeline::nearest;
use gristmill_query::{ToolContext, ToolError, all, quote};
use gristmill_sinks::tables::Table;

/// Names of languages that differ from ours. Extensions of files are names too: those here are of
/// languages that an index may not have.
const ALIASES: [(&str, &str); 55] = [
    ("bash", "bash"),
    ("c", "c"),
    ("c#", "csharp"),
    ("c++", "cpp"),
    ("cc", "cpp"),
    ("cplusplus", "cpp"),
    ("cpp", "cpp"),
    ("cs", "csharp"),
    ("csharp", "csharp"),
    ("css", "css"),
    ("cxx", "cpp"),
    ("elixir", "elixir"),
    ("ex", "elixir"),
    ("go", "go"),
    ("golang", "go"),
    ("haskell", "haskell"),
    ("hpp", "cpp"),
    ("hs", "haskell"),
    ("html", "html"),
    ("java", "java"),
    ("javascript", "javascript"),
    ("js", "javascript"),
    ("json", "json"),
    ("jsx", "javascript"),
    ("kotlin", "kotlin"),
    ("kt", "kotlin"),
    ("lua", "lua"),
    ("markdown", "markdown"),
    ("md", "markdown"),
    ("node", "javascript"),
    ("nodejs", "javascript"),
    ("php", "php"),
    ("plain", "text"),
    ("plaintext", "text"),
    ("py", "python"),
    ("python", "python"),
    ("python3", "python"),
    ("rb", "ruby"),
    ("rs", "rust"),
    ("ruby", "ruby"),
    ("rust", "rust"),
    ("scala", "scala"),
    ("sh", "bash"),
    ("shell", "bash"),
    ("swift", "swift"),
    ("text", "text"),
    ("toml", "toml"),
    ("ts", "typescript"),
    ("tsx", "tsx"),
    ("txt", "text"),
    ("typescript", "typescript"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("zig", "zig"),
    ("zsh", "bash"),
];

/// Selects files by language.
#[derive(Debug, Default)]
pub(crate) struct Languages {
    /// The names in the tables; empty for all.
    names: Vec<String>,
}

impl Languages {
    /// Resolves names, whatever their case: those of the tables, other usual names, and extensions. A
    /// name that is unknown, or that of a language without files, gets the note `no_files`.
    pub(crate) fn new(context: &ToolContext<'_>, wanted: &[String]) -> Result<Self, ToolError> {
        if wanted.is_empty() {
            return Ok(Self::default());
        }
        let indexed = Indexed::of(context)?;
        let mut names = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let lower = wanted.trim().trim_start_matches(['*', '.']).to_lowercase();
            let name = indexed.as_ref().and_then(|indexed| indexed.name(&lower)).or_else(|| known(&lower));
            if let Some(indexed) = &indexed
                && name.is_none_or(|name| !indexed.languages.contains(name))
            {
                context.note("no_files", indexed.missing(wanted, name));
            }
            names.push(name.map_or(lower.clone(), ToOwned::to_owned));
        }
        Ok(Self { names })
    }

    /// Returns whether a language is selected.
    pub(crate) fn allow(&self, language: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == language)
    }

    /// Returns whether all languages are selected.
    pub(crate) fn allow_all(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the names in the tables; none for all.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }
}

fn known(lower: &str) -> Option<&'static str> {
    ALIASES.iter().find(|(alias, _)| *alias == lower).map(|(_, name)| *name)
}

/// The languages of the files of the index.
struct Indexed<'a> {
    languages: BTreeSet<&'a str>,
    /// The number of files of each language, by extension.
    by_extension: HashMap<&'a str, HashMap<&'a str, usize>>,
}

impl<'a> Indexed<'a> {
    /// Collects the languages; `None` if no table has the files. O(files).
    fn of(context: &ToolContext<'a>) -> Result<Option<Self>, ToolError> {
        let Some(tables) = context.epoch.tables().ok().filter(|tables| tables.has(&Table::Files)) else {
            return Ok(None);
        };
        let mut indexed = Self { languages: BTreeSet::new(), by_extension: HashMap::new() };
        for (nth, file) in all(tables.files()?).enumerate() {
            context.check_row(nth)?;
            if context.visible.shows(file.key()) {
                indexed.add(file.path().as_str(), file.table().language.value(file.row));
            }
        }
        Ok(Some(indexed))
    }

    fn add(&mut self, path: &'a str, language: &'a str) {
        self.languages.insert(language);
        let name = path.rsplit('/').next().unwrap_or(path);
        if let Some((_, extension)) = name.rsplit_once('.') {
            *self.by_extension.entry(extension).or_default().entry(language).or_default() += 1;
        }
    }

    /// Returns the language of a name in lower case, or that of most files with this extension.
    fn name(&self, lower: &str) -> Option<&'a str> {
        let own = self.languages.iter().copied().find(|language| language.to_lowercase() == lower);
        let alias = || known(lower).and_then(|name| self.languages.get(name).copied());
        let of_extension = || {
            let counts = self.by_extension.get(lower)?;
            counts.iter().max_by_key(|(name, count)| (**count, std::cmp::Reverse(**name))).map(|(name, _)| *name)
        };
        own.or_else(alias).or_else(|| known(lower).is_none().then(of_extension).flatten())
    }

    /// The message about a language that has no files.
    fn missing(&self, wanted: &str, name: Option<&str>) -> String {
        let available: Vec<&str> = self.languages.iter().copied().collect();
        let available = match available.as_slice() {
            [] => "the index has no files".to_owned(),
            available => format!("languages of the index: {}", available.join(", ")),
        };
        if let Some(name) = name {
            return format!("no file of the index is in the language `{name}`; {available}");
        }
        let names = self.languages.iter().copied().chain(ALIASES.iter().map(|(_, name)| *name));
        match nearest(wanted, names) {
            Some(near) => format!("unknown language {}; did you mean `{near}`? {available}", quote(wanted)),
            None => format!("unknown language {}; {available}", quote(wanted)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indexed() -> Indexed<'static> {
        let mut indexed = Indexed { languages: BTreeSet::new(), by_extension: HashMap::new() };
        for (path, language) in
            [("a.py", "python"), ("b.cpp", "cpp"), ("c.h", "cpp"), ("d.h", "cpp"), ("e.h", "c"), ("f.tf", "hcl")]
        {
            indexed.add(path, language);
        }
        indexed
    }

    #[test]
    fn languages_are_known_by_names_aliases_and_extensions() {
        let indexed = indexed();
        for (wanted, name) in
            [("python", "python"), ("py", "python"), ("c++", "cpp"), ("h", "cpp"), ("c", "c"), ("tf", "hcl")]
        {
            assert_eq!(indexed.name(wanted), Some(name), "{wanted}");
        }
        assert_eq!((indexed.name("rust"), known("rs")), (None, Some("rust")));
        assert_eq!((indexed.name("pyhton"), known("pyhton")), (None, None));
    }

    #[test]
    fn a_missing_language_is_explained() {
        let indexed = indexed();
        let message = indexed.missing("pyhton", None);
        let expected = "unknown language `pyhton`; did you mean `python`? languages of the index: c, cpp, hcl, python";
        assert_eq!(message, expected);
        assert!(indexed.missing("rs", Some("rust")).starts_with("no file of the index is in the language `rust`; "));
    }

    #[test]
    fn aliases_are_in_order() {
        assert!(ALIASES.is_sorted_by_key(|(alias, _)| alias));
    }
}
