//! What is wrong with a job, and where.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::texts::{Place, Texts};

/// One error while it is being collected.
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
    /// An error at `place`. The code is a stable word for the kind of error.
    pub(super) fn at(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        let (message, label) = (message.into(), "here".into());
        Self { code, message, place: Some(place), label, related: None, help: None }
    }

    /// An error of the job as a whole.
    pub(super) fn whole(code: &'static str, message: impl Into<String>) -> Self {
        Self { place: None, ..Self::at(code, 0..0, message) }
    }

    /// What stands beside the marked text, in place of `here`.
    pub(super) fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// A second place that the error is about.
    pub(super) fn related(self, place: Place, label: impl Into<String>) -> Self {
        Self { related: Some((place, label.into())), ..self }
    }

    /// What to do.
    pub(super) fn help(self, help: Option<impl Into<String>>) -> Self {
        Self { help: help.map(Into::into), ..self }
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

/// A text that a job is put together from, such as its file.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// A path, or the name of an option.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// A stretch of a text that an error is about.
#[derive(Clone, Debug)]
pub struct Label {
    /// The bytes of the text.
    pub range: Range<usize>,
    /// What stands beside it.
    pub text: String,
}

/// One error in a job, with its place in the text that holds it.
#[derive(Clone, Debug)]
pub struct ConfigError {
    code: &'static str,
    message: String,
    help: Option<String>,
    source: Option<SourceText>,
    labels: Vec<Label>,
}

impl ConfigError {
    /// A stable word for the kind of error, such as `unknown-key`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.code
    }

    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// The text that it is in; `None` if it is about the job as a whole.
    #[must_use]
    pub fn source_text(&self) -> Option<&SourceText> {
        self.source.as_ref()
    }

    /// What it is about in that text, the main place first.
    #[must_use]
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// The text's name, the line and the column, both counted from 1.
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

/// Every error in a job, in the order of the text.
#[derive(Clone, Debug)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    pub(super) fn new(mut faults: Vec<Fault>, texts: &Texts<'_>) -> Self {
        faults.sort_by_key(|fault| fault.place.as_ref().map_or(usize::MAX, |place| place.start));
        Self(faults.into_iter().map(|fault| fault.resolve(texts)).collect())
    }

    /// The errors; at least one.
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
