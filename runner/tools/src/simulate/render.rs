//! The text form of a forecast.

use std::fmt::Write as _;

use gristmill_display::thousands;
use gristmill_pipeline::run::Forecast;

/// Renders a forecast. The first line has no job name.
#[must_use]
pub fn render_forecast(forecast: &Forecast) -> String {
    let mut out = String::new();
    let files = thousands(forecast.files);
    let Some(epoch) = forecast.epoch else {
        return format!("no changes in {files} files; a run would do nothing\n");
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "a run would commit epoch {epoch} with {files} files");
    if let Some(reason) = &forecast.rebuilt_because {
        let _ = writeln!(out, "full rebuild: {reason}");
    }
    let (changes, work) = (&forecast.changes, &forecast.work);
    let _ = writeln!(
        out,
        "files     {} to add, {} modified, {} to delete, {} of them renamed",
        thousands(changes.added),
        thousands(changes.modified),
        thousands(changes.deleted),
        thousands(changes.renamed)
    );
    let _ = writeln!(
        out,
        "contents  {} to analyse, {} shared, {} recalled",
        thousands(work.contents_analysed),
        thousands(work.paths_shared),
        thousands(work.paths_recalled)
    );
    let _ = writeln!(
        out,
        "passages  {} to embed, {} reused, {} shared",
        thousands(work.passages_embedded),
        thousands(work.passages_reused),
        thousands(work.passages_shared)
    );
    for (table, rows) in forecast.rows.iter().chain(&forecast.views) {
        let (added, deleted) = (thousands(rows.added), thousands(rows.deleted));
        let _ = writeln!(out, "rows      {table}: {added} to add, {deleted} to delete");
    }
    if forecast.quarantined > 0 {
        let _ = writeln!(out, "quarantined files: {}", thousands(forecast.quarantined));
    }
    let _ = match forecast.estimated_ms {
        Some(estimated) => writeln!(out, "estimate  {:.2} s, from past runs", estimated / 1e3),
        None => writeln!(out, "estimate  none: there are no past runs"),
    };
    out
}
