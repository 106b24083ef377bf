//! Plain text, and text in an unknown language.

use crate::spec::Language;

/// The name of plain text.
pub(crate) const NAME: &str = "text";

pub(super) static LANGUAGE: Language = Language { extensions: &["txt", "text", "rst", "adoc"], ..Language::new(NAME) };
