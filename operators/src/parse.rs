//! The parse operator: text to definitions, references, imports and blocks, through
//! tree-sitter.
//!
//! ```text
//! Content ─► language (name, then content) ─► tree ─► one walk ─► definitions, references, imports, blocks
//! ```
//!
//! No text is rejected. One in an unknown language, or one that is too expensive to parse, has
//! no definitions and no blocks, and is cut by lines.
//!
//! What is particular to a language lies in `languages`, behind the types in `spec`.

mod doc;
mod kinds;
mod machine;
mod modules;
mod references;
mod scripts;
mod walk;

use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::port::{Content, Import, Syntax};
use gristmill_pipeline::{
    Batch, Emitter, Extras, Fingerprint, Hash, Operator, OperatorError, Parser, RelPath, Severity,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::machine::Failure;
use self::walk::Outline;
use crate::language;
use crate::languages::known_languages;
use crate::spec::Language;
use gristmill_pipeline::{OperatorConfig, OperatorConfigError};

/// Must be raised by every change that finds other definitions, references, imports or blocks
/// in the same text.
const VERSION: &str = "3";

/// Configuration of [`Parse`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParseConfig {
    /// Maximum size in bytes of a text that is parsed; a larger one is chunked by lines. Such files
    /// are mostly generated or data, and a syntax tree takes many times their size.
    pub max_bytes: u64,
    /// Maximum nesting of brackets in a text that is parsed; a deeper one is chunked by lines. Some
    /// grammars take time quadratic in the depth.
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
    fn parse(&self, content: Arc<Content>, out: &mut Emitter<Arc<Syntax>>) {
        let path = &content.file.path;
        let text: &str = &content.text;
        if u32::try_from(text.len()).is_err() {
            let message = "the text is larger than 4 GiB, which offsets cannot hold; exclude the file";
            return out.report(path, Severity::Error, "size", 0, message);
        }
        let named = language::of(path, text);
        let outline = named.language.and_then(|language| self.outline(language, path, text, out));
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
    }

    /// Parses a text in a known language; `None` where it is to be cut by lines.
    fn outline(
        &self,
        language: &Language,
        path: &RelPath,
        text: &str,
        out: &mut Emitter<Arc<Syntax>>,
    ) -> Option<Outline> {
        let grammar = language.grammar?;
        if text.len() as u64 > self.config.max_bytes {
            let limit = self.config.max_bytes;
            let message =
                format!("not parsed: {} bytes exceed `max_bytes` = {limit}; it is indexed by lines", text.len());
            out.report(path, Severity::Note, "large", 0, message);
            return None;
        }
        let (line, depth) = deepest_bracket(text);
        if depth > self.config.max_nesting {
            let limit = self.config.max_nesting;
            let message =
                format!("not parsed: brackets nest {depth} deep, over `max_nesting` = {limit}; it is indexed by lines");
            out.report(path, Severity::Warning, "nesting", line, message);
            return None;
        }
        match machine::parse(grammar, text) {
            Ok(parsed) => {
                if let Some(line) = parsed.error_line {
                    let message =
                        format!("not all of it is {} that the grammar knows; the rest is indexed", language.name);
                    out.report(path, Severity::Note, "syntax", line, message);
                }
                let mut outline = parsed.outline;
                if language.has_scripts
                    && let Some((language, scripts)) = scripts::masked(text)
                    && let Some(found) = self.outline(language, path, &scripts, out)
                {
                    scripts::add(&mut outline, found);
                }
                Some(outline)
            }
            Err(failure) => {
                let message = match failure {
                    Failure::Steps => "not parsed: the grammar took too many steps; it is indexed by lines".to_owned(),
                    Failure::Grammar => {
                        format!("not parsed: {} does not load; it is indexed by lines", grammar.version)
                    }
                };
                out.report(path, Severity::Warning, "grammar", 0, message);
                None
            }
        }
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
            self.parse(content, out);
        }
        Ok(())
    }
}

impl Parser for Parse {
    fn module_names(&self, path: &RelPath) -> Vec<String> {
        modules::module_names(path)
    }

    fn import_names(&self, path: &RelPath, import: &Import) -> Vec<String> {
        modules::import_names(path, import)
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

/// Returns the line and depth of the deepest bracket.
///
/// Brackets in strings and comments count too; a closing one without its opening one
/// does not. The limit is so far above what people nest that this is exact enough.
fn deepest_bracket(text: &str) -> (u32, u32) {
    let (mut line, mut depth, mut deepest) = (1_u32, 0_u32, (0_u32, 0_u32));
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                if depth > deepest.1 {
                    deepest = (line, depth);
                }
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'\n' => line += 1,
            _ => {}
        }
    }
    deepest
}
