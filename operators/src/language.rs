//! Which language a file is in.
//!
//! Its name decides where the name is that of one language. Where an extension is shared, or
//! the name tells nothing, its content does: a modeline of an editor, the interpreter in a first
//! line `#!…`, and for shared extensions patterns in the text. What decides is a function of the
//! path's [`variant`] and the content alone, so that equal bytes of one variant are in one language.

mod linguist;
mod modeline;
mod shebang;

use gristmill_pipeline::RelPath;

pub(crate) use self::linguist::TABLE;
use self::linguist::{LINGUIST, Shared};
use crate::languages::{PLAIN_TEXT, known_languages};
use crate::spec::Language;

/// A language: one that is parsed, or one that is known by name alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    /// What tables store.
    pub(crate) name: &'static str,
    /// How it is parsed, if it is.
    pub(crate) language: Option<&'static Language>,
}

impl Named {
    /// Text of which no language is known.
    pub(crate) const TEXT: Self = Self { name: PLAIN_TEXT, language: None };

    fn of(name: &'static str) -> Self {
        Self { name, language: of_name(name) }
    }
}

impl From<&'static Language> for Named {
    fn from(language: &'static Language) -> Self {
        Self { name: language.name, language: Some(language) }
    }
}

/// What a path says about the language.
#[derive(Clone, Copy, Debug)]
enum Claim {
    One(Named),
    Shared(&'static Shared),
    Nothing,
}

/// Returns the language of that name.
pub(crate) fn of_name(name: &str) -> Option<&'static Language> {
    known_languages().iter().copied().find(|language| language.name == name)
}

fn claim(path: &RelPath) -> Claim {
    let name = path.file_name();
    let named = known_languages().iter().copied().find(|language| language.file_names.contains(&name));
    if let Some(named) = named.map(Named::from).or_else(|| LINGUIST.of_file_name(name)) {
        return Claim::One(named);
    }
    let Some(extension) = path.extension() else { return Claim::Nothing };
    if let Some(shared) = LINGUIST.shared(extension) {
        return Claim::Shared(shared);
    }
    let is_known = |known: &&str| known.eq_ignore_ascii_case(extension);
    let known = known_languages().iter().copied().find(|language| language.extensions.iter().any(is_known));
    known.map(Named::from).or_else(|| LINGUIST.of_extensions(name)).map_or(Claim::Nothing, Claim::One)
}

/// Returns the language that the path names: if several share its extension, the one that is most
/// likely, and `None` if it names none that is parsed.
pub(crate) fn of_path(path: &RelPath) -> Option<&'static Language> {
    match claim(path) {
        Claim::One(named) => named.language,
        Claim::Shared(shared) => shared.likeliest().language,
        Claim::Nothing => None,
    }
}

/// Returns all that [`of`] makes of a path.
pub(crate) fn variant(path: &RelPath) -> &'static str {
    match claim(path) {
        Claim::One(named) => named.name,
        Claim::Shared(shared) => shared.extension,
        Claim::Nothing => "",
    }
}

/// Returns the language of a text.
pub(crate) fn of(path: &RelPath, text: &str) -> Named {
    let by_content = || modeline::language(text).or_else(|| shebang::language(text));
    match claim(path) {
        Claim::One(named) => named,
        Claim::Shared(shared) => {
            by_content().filter(|found| shared.includes(found.name)).unwrap_or_else(|| shared.decide(text))
        }
        Claim::Nothing => by_content().unwrap_or(Named::TEXT),
    }
}

#[cfg(test)]
mod tests;
