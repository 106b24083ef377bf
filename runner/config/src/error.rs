//! Errors of a job, with their locations.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::texts::{Place, Texts};

/// An error during loading, before its location is resolved.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    code: &'static str,
    message: String,
    place: Option<Place>,
    label: String,
    related: Option<(Place, String)>,
    help: Option<String>,
}

impl Fault {
    /// Creates an error at `place`. The code is a stable name of the kind of error.
    pub(super) fn at(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        let (message, label) = (message.into(), "here".into());
        Self { code, message, place: Some(place), label, related: None, help: None }
    }

    /// Creates an error of the whole job, without a location.
    pub(super) fn whole(code: &'static str, message: impl Into<String>) -> Self {
        Self { place: None, ..Self::at(code, 0..0, message) }
    }

    /// Sets the label of the location; default: `here`.
    pub(super) fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// Adds a second location.
    pub(super) fn related(self, place: Place, label: impl Into<String>) -> Self {
        Self { related: Some((place, label.into())), ..self }
    }

    /// Sets the help.
    pub(super) fn help(self, help: Option<impl Into<String>>) -> Self {
        Self { help: help.map(Into::into), ..self }
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    pub(super) fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    fn resolve(self, texts: &Texts<'_>) -> ConfigError {
        let found = self.place.as_ref().and_then(|place| texts.find(place));
        let mut labels = Vec::new();
        let mut source = None;
        if let Some((text, range)) = found {
            source = Some(SourceText { name: text.name.clone(), text: Arc::from(text.text) });
            labels.push(Label { range, text: self.label });
            if let Some((place, label)) = self.related
                && let Some((other, range)) = texts.find(&place)
                && other.name == text.name
            {
                labels.push(Label { range, text: label });
            }
        }
        ConfigError { code: self.code, message: self.message, help: self.help, source, labels }
    }
}

/// A text of a job, such as its file or a command-line setting.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// The path, or the name of the option.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// A labelled range of a text.
#[derive(Clone, Debug)]
pub struct Label {
    /// The byte range.
    pub range: Range<usize>,
    /// The label.
    pub text: String,
}

/// One error of a job, with its location.
#[derive(Clone, Debug)]
pub struct ConfigError {
    code: &'static str,
    message: String,
    help: Option<String>,
    source: Option<SourceText>,
    labels: Vec<Label>,
}

impl ConfigError {
    /// Returns the stable name of the kind of error, such as `unknown-key`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.code
    }

    /// Returns how to fix the error.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Returns the text with the error; `None` for an error of the whole job.
    #[must_use]
    pub fn source_text(&self) -> Option<&SourceText> {
        self.source.as_ref()
    }

    /// Returns the labelled ranges of the text, the main one first.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// Returns the name of the text, the line and the column, both counted from 1.
    #[must_use]
    pub fn location(&self) -> Option<(&str, usize, usize)> {
        let (source, label) = (self.source.as_ref()?, self.labels.first()?);
        let before = source.text.get(..label.range.start)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..)?.chars().count() + 1;
        Some((&source.name, before.matches('\n').count() + 1, column))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

/// All errors of a job, in textual order.
#[derive(Clone, Debug)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    pub(super) fn new(mut faults: Vec<Fault>, texts: &Texts<'_>) -> Self {
        faults.sort_by_key(|fault| fault.place.as_ref().map_or(usize::MAX, |place| place.start));
        Self(faults.into_iter().map(|fault| fault.resolve(texts)).collect())
    }

    /// Returns the errors; at least one.
    #[must_use]
    pub fn errors(&self) -> &[ConfigError] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            match error.location() {
                Some((name, line, column)) => write!(f, "{separator}{name}:{line}:{column}: {error}")?,
                None => write!(f, "{separator}{error}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
