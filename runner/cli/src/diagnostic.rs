//! Renders errors for terminals and logs.

use std::fmt;
use std::sync::Arc;

use gristmill_config::{ConfigError, ConfigErrors};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

/// The style of rendered errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Colours and box-drawing characters.
    Terminal,
    /// ASCII without colours.
    Plain,
}

/// The column at which messages wrap on a terminal.
const WIDTH: usize = 100;

impl Style {
    fn handler(self) -> GraphicalReportHandler {
        let theme = match self {
            Self::Terminal => GraphicalTheme::unicode(),
            Self::Plain => GraphicalTheme::none(),
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_context_lines(1);
        // Messages in logs are not wrapped, so that they can be searched.
        handler.with_width(WIDTH).with_wrap_lines(self == Self::Terminal)
    }

    /// Renders one diagnostic.
    #[must_use]
    pub fn render(self, diagnostic: &dyn Diagnostic) -> String {
        let mut out = String::new();
        // Fails only if the `Display` of the diagnostic does.
        if self.handler().render_report(&mut out, diagnostic).is_err() {
            out = format!("{diagnostic}\n");
        }
        let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
        format!("{}\n", lines.join("\n").trim_start_matches('\n'))
    }

    /// Renders all errors of a job.
    #[must_use]
    pub fn render_job_errors(self, errors: &ConfigErrors) -> String {
        let mut out = String::new();
        for error in errors.errors() {
            out.push_str(&self.render(&JobDiagnostic::of(error)));
            out.push('\n');
        }
        let count = errors.errors().len();
        out.push_str(&format!("{count} error{} in the job; nothing was run\n", if count == 1 { "" } else { "s" }));
        out
    }
}

/// An error of a job with its source text.
#[derive(Debug)]
struct JobDiagnostic<'a> {
    error: &'a ConfigError,
    source: Option<NamedSource<Arc<str>>>,
}

impl<'a> JobDiagnostic<'a> {
    fn of(error: &'a ConfigError) -> Self {
        let source = error.source_text().map(|source| NamedSource::new(&source.name, Arc::clone(&source.text)));
        Self { error, source }
    }
}

impl fmt::Display for JobDiagnostic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for JobDiagnostic<'_> {}

impl Diagnostic for JobDiagnostic<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.error.kind()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.help().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = |(nth, label): (usize, &gristmill_config::Label)| {
            let (text, place) = (Some(label.text.clone()), (label.range.start, label.range.len()));
            if nth == 0 {
                LabeledSpan::new_primary_with_span(text, place)
            } else {
                LabeledSpan::new_with_span(text, place)
            }
        };
        Some(Box::new(self.error.labels().iter().enumerate().map(span)))
    }
}
