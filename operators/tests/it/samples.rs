//! The samples of the languages, for tests of what holds in all of them.

use std::path::Path;

use gristmill_operators::known_languages;

/// Returns a path and a text for each language that has a sample of that name.
pub fn samples(name: &str) -> Vec<(String, String)> {
    let languages = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/languages");
    let mut samples = Vec::new();
    for language in known_languages() {
        let path = match language.extensions.first() {
            Some(extension) => format!("{name}.{extension}"),
            None => format!("{name}/{}", language.file_names[0]),
        };
        let folder = languages.join(language.name.replace('-', "_")).join("tests");
        if let Ok(text) = std::fs::read_to_string(folder.join(&path)) {
            samples.push((path, text));
        }
    }
    samples
}
