//! Shows the progress of a run: a bar per stage on a terminal, else a plain line every few seconds.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_display::{bytes, thousands};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The progress of one stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageLine {
    /// The name of the stage.
    pub name: Arc<str>,
    /// Items processed.
    pub items_done: u64,
    /// Total number of items, if known.
    pub items_total: Option<u64>,
    /// Bytes processed.
    pub bytes_done: u64,
    /// Items in its queue.
    pub queued: u64,
}

/// A progress display. Each [`update`](Self::update) replaces the previous one.
pub struct Progress(View);

enum View {
    Hidden,
    Terminal { lines: MultiProgress, headline: ProgressBar, stages: Vec<ProgressBar> },
    Plain { out: Box<dyn Write + Send>, every: Duration, last: Option<Instant>, began: Instant },
}

/// The interval between plain lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

impl Progress {
    /// Shows nothing.
    #[must_use]
    pub fn hidden() -> Self {
        Self(View::Hidden)
    }

    /// Shows progress on standard error: bars if it is a terminal, plain lines if not.
    #[must_use]
    pub fn stderr() -> Self {
        let target = ProgressDrawTarget::stderr();
        if target.is_hidden() {
            return Self::plain(std::io::stderr(), PLAIN_INTERVAL);
        }
        let lines = MultiProgress::with_draw_target(target);
        let headline = lines.add(ProgressBar::new_spinner());
        Self(View::Terminal { lines, headline, stages: Vec::new() })
    }

    /// Writes plain lines, at most one per `every`.
    #[must_use]
    pub fn plain(out: impl Write + Send + 'static, every: Duration) -> Self {
        Self(View::Plain { out: Box::new(out), every, last: None, began: Instant::now() })
    }

    /// Shows the headline and the stages.
    pub fn update(&mut self, headline: &str, stages: &[StageLine]) {
        match &mut self.0 {
            View::Hidden => {}
            View::Terminal { lines, headline: top, stages: bars } => {
                top.set_message(headline.to_owned());
                top.tick();
                let width = stages.iter().map(|stage| stage.name.chars().count()).max().unwrap_or(0);
                while bars.len() < stages.len() {
                    bars.push(lines.add(ProgressBar::no_length()));
                }
                for (bar, stage) in bars.iter().zip(stages) {
                    show(bar, stage, width);
                }
            }
            View::Plain { out, every, last, began } => {
                if last.is_some_and(|last| last.elapsed() < *every) {
                    return;
                }
                *last = Some(Instant::now());
                // An unwritable log must not stop the run.
                let _ = writeln!(out, "{}", plain_line(began.elapsed(), headline, stages));
                let _ = out.flush();
            }
        }
    }

    /// Removes the bars.
    pub fn finish(self) {
        if let View::Terminal { lines, headline, stages } = self.0 {
            stages.iter().for_each(ProgressBar::finish_and_clear);
            headline.finish_and_clear();
            // Best effort.
            let _ = lines.clear();
        }
    }
}

fn show(bar: &ProgressBar, stage: &StageLine, width: usize) {
    let template = match stage.items_total {
        Some(_) => "  {prefix} {bar:24.cyan/dim} {msg}",
        None => "  {prefix} {msg}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━━─"));
    }
    if let Some(total) = stage.items_total {
        bar.set_length(total);
    }
    bar.set_prefix(format!("{:width$}", stage.name));
    bar.set_position(stage.items_done);
    bar.set_message(counts(stage));
}

fn counts(stage: &StageLine) -> String {
    let done = thousands(stage.items_done);
    let total = stage.items_total.map(|total| format!("/{}", thousands(total))).unwrap_or_default();
    let queued = if stage.queued > 0 { format!(", {} queued", thousands(stage.queued)) } else { String::new() };
    format!("{done}{total}, {}{queued}", bytes(stage.bytes_done))
}

fn plain_line(elapsed: Duration, headline: &str, stages: &[StageLine]) -> String {
    let seconds = elapsed.as_secs();
    let stages: Vec<String> = stages.iter().map(|stage| format!("{} {}", stage.name, counts(stage))).collect();
    let separator = if stages.is_empty() { "" } else { ": " };
    format!("[{:02}:{:02}] {headline}{separator}{}", seconds / 60, seconds % 60, stages.join("; "))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic while writing").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn stages(done: u64) -> [StageLine; 2] {
        let stage = |name: &str, items_total, queued| StageLine {
            name: name.into(),
            items_done: done,
            items_total,
            bytes_done: done * 1024,
            queued,
        };
        [stage("read", Some(2_000), 0), stage("embed", None, 12)]
    }

    #[test]
    fn a_log_gets_one_line_per_interval() {
        let log = Log::default();
        let mut progress = Progress::plain(log.clone(), Duration::from_secs(3_600));
        for done in 1_000..1_010 {
            progress.update("epoch 3", &stages(done));
        }
        progress.finish();
        let text = String::from_utf8(log.0.lock().expect("written").clone()).expect("text");
        assert_eq!(text.lines().count(), 1, "the interval is not over");
        assert!(text.ends_with("epoch 3: read 1,000/2,000, 1000 KiB; embed 1,000, 1000 KiB, 12 queued\n"), "{text}");
    }

    #[test]
    fn a_zero_interval_writes_every_line() {
        let log = Log::default();
        let mut progress = Progress::plain(log.clone(), Duration::ZERO);
        (0..3).for_each(|done| progress.update("", &stages(done)));
        assert_eq!(log.0.lock().expect("written").iter().filter(|byte| **byte == b'\n').count(), 3);
    }
}
