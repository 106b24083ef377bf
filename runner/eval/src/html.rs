//! Evaluations as a self-contained HTML page.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use gristmill_display::escaped;

use super::{Answer, Evaluation};

/// The colours of evaluations, safe for colour-blind readers
/// (M. Okabe and K. Ito, "Color Universal Design", 2008).
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a"];

const STYLE: &str = "
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 25%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2.2rem; }
p.note { opacity: .75; margin-top: .2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { white-space: nowrap; padding: .25rem .6rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; } td.best { font-weight: 650; }
i.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .5em; }
svg { width: 100%; height: auto; } svg text { fill: currentColor; font-size: 12px; }
svg .axis { stroke: var(--line); } .wide { overflow-x: auto; }
";

fn colour(nth: usize) -> &'static str {
    COLOURS.get(nth % COLOURS.len()).copied().unwrap_or("currentColor")
}

/// Renders the page.
#[must_use]
pub fn html(evaluations: &[Evaluation]) -> String {
    let queries = evaluations.iter().map(|evaluation| evaluation.answers.len()).max().unwrap_or_default();
    let repositories: BTreeSet<&str> =
        evaluations.iter().flat_map(|it| &it.answers).map(|answer| answer.repository.as_str()).collect();
    let mut out = String::from("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<meta name=\"viewport\" content=\"width=device-width\"><title>gristmill eval</title><style>{STYLE}</style></head><body>\
         <h1>Retrieval quality</h1><p class=\"note\">{queries} queries over {} repositories. NDCG@10 counts chunks; \
         &ldquo;by file&rdquo; keeps each file&rsquo;s best chunk.</p>",
        repositories.len()
    );
    overview(&mut out, evaluations);
    out.push_str("<h2>Quality against throughput</h2>");
    scatter(&mut out, evaluations);
    for (title, key) in [
        ("By language", (|answer| &answer.language) as fn(&Answer) -> &str),
        ("By category", |answer| &answer.category),
        ("By repository", |answer| &answer.repository),
    ] {
        let _ = write!(out, "<h2>{title}</h2>");
        bars(&mut out, evaluations, key);
    }
    out.push_str("</body></html>\n");
    out
}

fn overview(out: &mut String, evaluations: &[Evaluation]) {
    out.push_str(
        "<div class=\"wide\"><table><tr><th># variant</th><th>NDCG@10</th><th>by file</th><th>MRR</th><th>recall@1</th>\
         <th>@5</th><th>@10</th><th>query p50</th><th>p95</th><th>chunks/s</th><th>index</th><th>MiB</th></tr>",
    );
    let best = evaluations.iter().map(|evaluation| evaluation.mean().0.ndcg).fold(0.0, f64::max);
    for (nth, evaluation) in evaluations.iter().enumerate() {
        let (chunks, files) = evaluation.mean();
        let [first, five, ten] = chunks.recall;
        let class = if chunks.ndcg >= best { " class=\"best\"" } else { "" };
        let _ = write!(
            out,
            "<tr><td><i class=\"dot\" style=\"background:{}\"></i>{} {}</td><td{class}>{:.3}</td><td>{:.3}</td><td>{:.3}</td>\
             <td>{first:.3}</td><td>{five:.3}</td><td>{ten:.3}</td><td>{:.1} ms</td><td>{:.1} ms</td><td>{:.0}</td>\
             <td>{:.1} s</td><td>{:.1}</td></tr>",
            colour(nth),
            nth + 1,
            escaped(&evaluation.label()),
            chunks.ndcg,
            files.ndcg,
            chunks.reciprocal_rank,
            evaluation.latency(50),
            evaluation.latency(95),
            evaluation.throughput(),
            evaluation.cost.seconds,
            evaluation.cost.bytes as f64 / f64::from(1 << 20),
        );
    }
    out.push_str("</table></div>");
}

/// Plots quality against throughput, on a logarithmic scale.
fn scatter(out: &mut String, evaluations: &[Evaluation]) {
    const WIDTH: f64 = 900.0;
    const HEIGHT: f64 = 320.0;
    const LEFT: f64 = 50.0;
    const BOTTOM: f64 = 40.0;
    let power = |evaluation: &Evaluation| evaluation.throughput().max(1.0).log10();
    let min = evaluations.iter().map(power).fold(f64::INFINITY, f64::min).floor();
    let max = evaluations.iter().map(power).fold(1.0, f64::max).ceil().max(min + 1.0);
    let x = |power: f64| LEFT + (power - min) / (max - min) * (WIDTH - LEFT - 160.0);
    let y = |ndcg: f64| (HEIGHT - BOTTOM) * (1.0 - ndcg) + 10.0;
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"NDCG@10 against chunks per second\">"
    );
    for fifth in 0..=5 {
        let ndcg = f64::from(fifth) / 5.0;
        let (left, right, at) = (LEFT, WIDTH - 10.0, y(ndcg));
        let _ = write!(out, "<line class=\"axis\" x1=\"{left}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
        let _ = write!(out, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{ndcg:.1}</text>", left - 8.0, at + 4.0);
    }
    for step in 0..=(max - min) as i32 {
        let at = x(min + f64::from(step));
        let label = format!("{:.0}", 10_f64.powf(min + f64::from(step)));
        let _ = write!(out, "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>", HEIGHT - 14.0);
    }
    let _ = write!(
        out,
        "<text x=\"{WIDTH}\" y=\"{:.1}\" text-anchor=\"end\">chunks indexed per second</text>",
        HEIGHT - 14.0
    );
    for (nth, evaluation) in evaluations.iter().enumerate() {
        let (at, ndcg) = (x(power(evaluation)), evaluation.mean().0.ndcg);
        let label = escaped(&evaluation.label());
        let _ = write!(
            out,
            "<circle cx=\"{at:.1}\" cy=\"{:.1}\" r=\"6\" fill=\"{}\"><title>{label}: {ndcg:.3}</title></circle>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            y(ndcg),
            colour(nth),
            // Points of one index have the same x: their labels are staggered.
            at + 10.0 + 22.0 * (nth % 3) as f64,
            y(ndcg) + 4.0,
            nth + 1
        );
    }
    out.push_str("</svg>");
}

/// Plots a bar per group and evaluation.
fn bars(out: &mut String, evaluations: &[Evaluation], key: fn(&Answer) -> &str) {
    const WIDTH: f64 = 900.0;
    const LEFT: f64 = 150.0;
    const THICK: f64 = 11.0;
    let means: Vec<_> = evaluations.iter().map(|evaluation| evaluation.mean_by(key)).collect();
    let groups: BTreeSet<&String> = means.iter().flat_map(|of| of.keys()).collect();
    let step = THICK * evaluations.len() as f64 + 10.0;
    let height = step * groups.len() as f64 + 10.0;
    let _ = write!(out, "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"NDCG@10\">");
    for (row, group) in groups.iter().enumerate() {
        let top = step * row as f64 + 5.0;
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            top + step / 2.0,
            escaped(group)
        );
        for (nth, of) in means.iter().enumerate() {
            let Some((queries, quality)) = of.get(*group) else { continue };
            let (at, length) = (top + THICK * nth as f64, quality.ndcg * (WIDTH - LEFT - 60.0));
            let label = evaluations.get(nth).map(|it| escaped(&it.label())).unwrap_or_default();
            let _ = write!(
                out,
                "<rect x=\"{LEFT}\" y=\"{at:.1}\" width=\"{length:.1}\" height=\"{:.1}\" fill=\"{}\">\
                 <title>{label}: {:.3} over {queries} queries</title></rect>\
                 <text x=\"{:.1}\" y=\"{:.1}\" style=\"font-size:10px\">{:.3}</text>",
                THICK - 2.0,
                colour(nth),
                quality.ndcg,
                LEFT + length + 5.0,
                at + THICK - 3.0,
                quality.ndcg
            );
        }
    }
    out.push_str("</svg>");
}
