//! What is wrong with a job, and how it is shown.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::texts::{Place, Texts};

/// How errors are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Colour and box-drawing characters.
    Terminal,
    /// ASCII, without colour: the same everywhere.
    Plain,
}

/// Columns at which messages wrap on a terminal.
const WIDTH: usize = 100;

impl Style {
    fn handler(self) -> GraphicalReportHandler {
        let theme = match self {
            Self::Terminal => GraphicalTheme::unicode(),
            Self::Plain => GraphicalTheme::none(),
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_context_lines(1);
        // A log has no width: a message in it stays on one line, where it can be searched.
        handler.with_width(WIDTH).with_wrap_lines(self == Self::Terminal)
    }

    /// Draws one diagnostic.
    #[must_use]
    pub fn render(self, diagnostic: &dyn Diagnostic) -> String {
        let mut out = String::new();
        // Writing to a String fails only if a diagnostic's own text does.
        if self.handler().render_report(&mut out, diagnostic).is_err() {
            out = format!("{diagnostic}\n");
        }
        let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
        format!("{}\n", lines.join("\n").trim_start_matches('\n'))
    }
}

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
        if let Some((text, range)) = &found {
            source = Some(NamedSource::new(&text.name, Arc::from(text.text)));
            labels.push(LabeledSpan::new_primary_with_span(Some(self.label), (range.start, range.len())));
            if let Some((place, label)) = self.related
                && let Some((other, range)) = texts.find(&place)
                && other.name == text.name
            {
                labels.push(LabeledSpan::new(Some(label), range.start, range.len()));
            }
        }
        ConfigError { code: self.code, message: self.message, help: self.help, source, labels }
    }
}

/// One error in a job, with its place in the text that holds it.
#[derive(Clone, Debug)]
pub struct ConfigError {
    code: &'static str,
    message: String,
    help: Option<String>,
    source: Option<NamedSource<Arc<str>>>,
    labels: Vec<LabeledSpan>,
}

impl ConfigError {
    /// A stable word for the kind of error, such as `unknown-key`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.code
    }

    /// The text's name, the line and the column, both counted from 1.
    #[must_use]
    pub fn location(&self) -> Option<(&str, usize, usize)> {
        let (source, label) = (self.source.as_ref()?, self.labels.first()?);
        let before = source.inner().get(..label.offset())?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..)?.chars().count() + 1;
        Some((source.name(), before.matches('\n').count() + 1, column))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

impl Diagnostic for ConfigError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

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

    /// Draws all errors, one below the other.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let mut out = String::new();
        for error in &self.0 {
            out.push_str(&style.render(error));
            out.push('\n');
        }
        let count = self.0.len();
        out.push_str(&format!("{count} error{} in the job; nothing was run\n", if count == 1 { "" } else { "s" }));
        out
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
