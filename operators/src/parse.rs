//! The parse operator: text to definitions, references, imports and blocks, through
//! tree-sitter.
//!
//! ```text
//! Content ─► language (name, then content) ─► tree ─► one walk ─► definitions, references, imports, blocks
//! ```
//!
//! No text is rejected. One in an unknown language, one that is too expensive to parse, or on which
//! the grammar's code crashes (see [`isolate`]), has no definitions and no blocks, and is cut by lines.
//!
//! What is particular to a language lies in `languages`, behind the types in `spec`.

mod doc;
mod embedded;
mod isolated;
mod keys;
mod kinds;
mod machine;
mod modules;
mod nesting;
mod references;
mod scripts;
mod walk;

use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::port::{Content, Import, Syntax};
use gristmill_pipeline::{
    Batch, Declared, Emitter, Extras, Fingerprint, Hash, ModuleName, ModulePlace, ModuleUnit, Operator, OperatorError,
    Parser, RelPath, Severity,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::isolated::isolate;
use self::nesting::Nesting;
use self::walk::Outline;
use crate::language;
use crate::languages::known_languages;
use crate::spec::Language;
use gristmill_pipeline::{OperatorConfig, OperatorConfigError};

/// Must be raised by every change that finds other definitions, references, imports or blocks
/// in the same text.
const VERSION: &str = "6";

/// Configuration of [`Parse`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParseConfig {
    /// Maximum size in bytes of a text that is parsed; a larger one is chunked by lines. Such files
    /// are mostly generated or data, and a syntax tree takes many times their size.
    pub max_bytes: u64,
    /// Maximum nesting of brackets, and of tags in HTML, in a text that is parsed; a deeper one is chunked
    /// by lines. Some grammars take time quadratic in the depth.
    pub max_nesting: u32,
}

impl Default for ParseConfig {
    fn default() -> Self {
        Self { max_bytes: 1 << 20, max_nesting: 1000 }
    }
}

impl OperatorConfig for ParseConfig {
    type Operator = Parse;

    const NAME: &'static str = "parse";

    fn build(&self, _folder: &Path) -> Result<Parse, OperatorConfigError> {
        Ok(Parse::new(self.clone()))
    }
}

/// Finds the definitions, references, imports and blocks of texts.
#[derive(Debug)]
pub struct Parse {
    config: ParseConfig,
    fingerprint: Fingerprint,
}

impl Parse {
    /// Returns a parse operator of that configuration.
    #[must_use]
    pub fn new(config: ParseConfig) -> Self {
        let numbers = [config.max_bytes.to_le_bytes(), u64::from(config.max_nesting).to_le_bytes()];
        let grammars = known_languages().iter().filter_map(|language| Some(language.grammar?.version.as_bytes()));
        let parts = [b"parse".as_slice(), VERSION.as_bytes(), language::TABLE.as_bytes()].into_iter();
        let fingerprint = Hash::of_parts(parts.chain(grammars).chain(numbers.iter().map(<[u8; 8]>::as_slice)));
        Self { config, fingerprint }
    }

    /// Parses one text.
    fn parse(&self, content: Arc<Content>, out: &mut Emitter<Arc<Syntax>>) -> Result<(), OperatorError> {
        let path = &content.file.path;
        let text: &str = &content.text;
        if u32::try_from(text.len()).is_err() {
            let message = "the text is larger than 4 GiB, which offsets cannot hold; exclude the file";
            out.report(path, Severity::Error, "size", 0, message);
            return Ok(());
        }
        let named = language::of(path, text);
        let outline = match named.language {
            Some(language) => self.outline(language, path, text, out)?,
            None => None,
        };
        let outline = outline.unwrap_or_else(|| Outline { lines: lines(text), ..Outline::default() });
        out.emit(Arc::new(Syntax {
            language: named.name,
            lines: outline.lines,
            definitions: outline.definitions,
            references: outline.references,
            imports: outline.imports,
            blocks: outline.blocks,
            extras: Extras::default(),
            content,
        }));
        Ok(())
    }

    /// Parses a text in a known language; `None` where it is to be cut by lines.
    fn outline(
        &self,
        language: &Language,
        path: &RelPath,
        text: &str,
        out: &mut Emitter<Arc<Syntax>>,
    ) -> Result<Option<Outline>, OperatorError> {
        let Some(grammar) = language.grammar else { return Ok(None) };
        if text.len() as u64 > self.config.max_bytes {
            let limit = self.config.max_bytes;
            let message =
                format!("not parsed: {} bytes exceed `max_bytes` = {limit}; it is indexed by lines", text.len());
            out.report(path, Severity::Note, "large", 0, message);
            return Ok(None);
        }
        let Nesting { what, line, depth } = nesting::deepest(language.name, text);
        if depth > self.config.max_nesting {
            let limit = self.config.max_nesting;
            let message =
                format!("not parsed: {what} nest {depth} deep, over `max_nesting` = {limit}; it is indexed by lines");
            out.report(path, Severity::Warning, "nesting", line, message);
            return Ok(None);
        }
        Ok(match isolated::parse(language, grammar, text, out)? {
            Ok(parsed) => {
                if let Some(line) = parsed.error_line {
                    let message =
                        format!("not all of it is {} that the grammar knows; the rest is indexed", language.name);
                    out.report(path, Severity::Note, "syntax", line, message);
                }
                let mut outline = parsed.outline;
                if language.has_scripts
                    && let Some((language, scripts)) = scripts::masked(text)
                    && let Some(found) = self.outline(language, path, &scripts, out)?
                {
                    scripts::add(&mut outline, found);
                }
                Some(outline)
            }
            Err(failure) => {
                out.report(path, Severity::Warning, failure.code(), 0, failure.message(grammar));
                None
            }
        })
    }
}

impl Default for Parse {
    fn default() -> Self {
        Self::new(ParseConfig::default())
    }
}

impl Operator for Parse {
    type In = Arc<Content>;
    type Out = Arc<Syntax>;

    fn name(&self) -> &str {
        "parse"
    }

    fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    fn variant(&self, path: &RelPath) -> &'static str {
        language::variant(path)
    }

    fn process(&self, batch: Batch<Self::In>, out: &mut Emitter<Self::Out>) -> Result<(), OperatorError> {
        for content in batch {
            self.parse(content, out)?;
        }
        Ok(())
    }
}

impl Parser for Parse {
    fn module_names(&self, path: &RelPath) -> Vec<String> {
        modules::module_names(path)
    }

    fn import_names(&self, path: &RelPath, import: &Import) -> Vec<ModuleName> {
        modules::import_names(path, import)
    }

    fn local_names(&self, path: &RelPath, import: &Import) -> Vec<Box<str>> {
        modules::local_names(path, import)
    }

    fn module_places(&self, path: &RelPath) -> Vec<ModulePlace> {
        modules::module_places(path)
    }

    fn declared(&self, path: &RelPath, import: &Import) -> Option<Declared> {
        modules::declared(path, import)
    }

    fn implied_imports(&self, path: &RelPath) -> Vec<Import> {
        modules::implied_imports(path)
    }

    fn unit(&self, path: &RelPath) -> ModuleUnit {
        modules::unit(path)
    }

    fn name_scope<'t>(&self, language: &'t str) -> &'t str {
        modules::name_scope(language)
    }
}

/// Returns the number of lines; a last line without a line feed counts.
fn lines(text: &str) -> u32 {
    let feeds = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    let open = !text.is_empty() && !text.ends_with('\n');
    u32::try_from(feeds + usize::from(open)).unwrap_or(u32::MAX)
}
