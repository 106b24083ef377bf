//! Charts as SVG.

use std::fmt::Write as _;

use gristmill_display::escaped;

/// The colours of series, safe for colour-blind readers
/// (M. Okabe and K. Ito, "Color Universal Design", 2008).
const COLOURS: [&str; 8] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7a7a7a"];

pub(super) fn colour(nth: usize) -> &'static str {
    COLOURS.get(nth % COLOURS.len()).copied().unwrap_or("currentColor")
}

const WIDTH: f64 = 900.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 34.0;

/// A plot with a horizontal and a vertical axis, both linear from 0.
pub(super) struct Plot {
    svg: String,
    height: f64,
    /// The ends of the axes.
    end: (f64, f64),
}

impl Plot {
    /// A plot of that height whose axes end at `end`, with ticks formatted by `formats`, and the name of
    /// the horizontal axis.
    pub(super) fn new(
        height: f64,
        end: (f64, f64),
        horizontal: &str,
        formats: (&dyn Fn(f64) -> String, &dyn Fn(f64) -> String),
    ) -> Self {
        let steps = (step(end.0), step(end.1));
        let up = |end: f64, step: f64| (end / step - 1e-9).ceil().max(1.0) * step;
        let end = (up(end.0, steps.0), up(end.1, steps.1));
        let mut plot = Self { svg: format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">"), height, end };
        let bottom = height - BOTTOM;
        for tick in ticks(end.1, steps.1) {
            let y = plot.y(tick);
            plot.write(format_args!(
                "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                y + 4.0,
                escaped(&formats.1(tick))
            ));
        }
        for tick in ticks(end.0, steps.0) {
            let x = plot.x(tick);
            plot.write(format_args!(
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 16.0,
                escaped(&formats.0(tick))
            ));
        }
        let middle = f64::midpoint(LEFT, WIDTH - RIGHT);
        plot.write(format_args!(
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" class=\"name\">{}</text>",
            height - 3.0,
            escaped(horizontal)
        ));
        plot
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.svg.write_fmt(text);
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + value / self.end.0 * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let bottom = self.height - BOTTOM;
        bottom - value / self.end.1 * (bottom - TOP)
    }

    /// Fills the area between two lines over the same values of the horizontal axis.
    pub(super) fn area(&mut self, at: &[f64], from: &[f64], to: &[f64], nth: usize, title: &str) {
        let upper = at.iter().zip(to).map(|(at, value)| format!("{:.1},{:.1}", self.x(*at), self.y(*value)));
        let lower = at.iter().zip(from).rev().map(|(at, value)| format!("{:.1},{:.1}", self.x(*at), self.y(*value)));
        let points: Vec<String> = upper.chain(lower).collect();
        self.write(format_args!(
            "<polygon points=\"{}\" fill=\"{}\"><title>{}</title></polygon>",
            points.join(" "),
            colour(nth),
            escaped(title)
        ));
    }

    /// Draws a line, with dots at its points if there are few.
    pub(super) fn line(&mut self, points: &[(f64, f64)], nth: usize, title: &str) {
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{:.1},{:.1}", self.x(*x), self.y(*y))).collect();
        self.write(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"><title>{}</title></polyline>",
            path.join(" "),
            colour(nth),
            escaped(title)
        ));
        if points.len() <= 20 {
            for (x, y) in points {
                let (x, y) = (self.x(*x), self.y(*y));
                self.write(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{}\"/>", colour(nth)));
            }
        }
    }

    /// Draws a vertical line from `low` to `high`: an interval.
    pub(super) fn whisker(&mut self, at: f64, low: f64, high: f64, nth: usize) {
        let (x, top, bottom) = (self.x(at), self.y(high), self.y(low));
        self.write(format_args!(
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\" stroke=\"{}\" stroke-width=\"1.2\"/>",
            colour(nth)
        ));
    }

    /// Draws a dashed vertical line with a label.
    pub(super) fn mark(&mut self, at: f64, label: &str) {
        let (x, bottom) = (self.x(at), self.height - BOTTOM);
        self.write(format_args!(
            "<line class=\"mark\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>\
             <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x + 4.0,
            TOP + 10.0,
            escaped(label)
        ));
    }

    pub(super) fn finish(mut self) -> String {
        self.svg.push_str("</svg>");
        self.svg
    }
}

/// A horizontal bar with its samples and interval.
pub(super) struct Bar<'a> {
    pub(super) name: &'a str,
    pub(super) value: f64,
    pub(super) samples: &'a [f64],
    /// The ends of the interval.
    pub(super) ends: (f64, f64),
    pub(super) label: String,
}

/// Draws bars, one below the other.
pub(super) fn bars(bars: &[Bar<'_>]) -> String {
    const ROW: f64 = 30.0;
    const NAMES: f64 = 260.0;
    const LABELS: f64 = 110.0;
    let most = bars.iter().flat_map(|bar| bar.samples.iter().copied().chain([bar.ends.1])).fold(0.0, f64::max);
    let x = |value: f64| NAMES + value / most.max(f64::MIN_POSITIVE) * (WIDTH - NAMES - LABELS);
    let height = ROW * bars.len() as f64;
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">");
    for (nth, bar) in bars.iter().enumerate() {
        let (top, middle) = (nth as f64 * ROW + 7.0, nth as f64 * ROW + 15.0);
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{NAMES}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"16\" fill=\"{}\" opacity=\".75\"/>\
             <line class=\"end\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            NAMES - 8.0,
            middle + 4.0,
            escaped(&shortened(bar.name)),
            x(bar.value) - NAMES,
            colour(0),
            x(bar.ends.0),
            x(bar.ends.1),
            x(most) + 8.0,
            middle + 4.0,
            escaped(&bar.label),
        );
        for sample in bar.samples {
            let _ = write!(svg, "<circle class=\"sample\" cx=\"{:.1}\" cy=\"{middle:.1}\" r=\"2.5\"/>", x(*sample));
        }
    }
    svg.push_str("</svg>");
    svg
}

/// A name that fits beside a bar: its end tells variants apart.
fn shortened(name: &str) -> String {
    const LETTERS: usize = 36;
    let letters = name.chars().count();
    if letters <= LETTERS {
        return name.to_owned();
    }
    let end: String = name.chars().skip(letters + 1 - LETTERS).collect();
    format!("…{end}")
}

/// The names of series with their colours.
pub(super) fn legend<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let entry = |(nth, name): (usize, &str)| {
        format!("<span><i style=\"background:{}\"></i>{}</span> ", colour(nth), escaped(name))
    };
    let entries: String = names.into_iter().enumerate().map(entry).collect();
    format!("<p class=\"legend\">{entries}</p>")
}

/// The distance of ticks on an axis that ends near `end`: 1, 2 or 5 times a power of ten.
fn step(end: f64) -> f64 {
    const TICKS: f64 = 6.0;
    if end <= 0.0 {
        return 1.0;
    }
    let least = end / TICKS;
    let power = 10.0_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].iter().map(|step| step * power).find(|step| *step >= least).unwrap_or(10.0 * power)
}

fn ticks(end: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..=(end / step).round() as u32).map(move |tick| step * f64::from(tick))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_at_round_numbers() {
        let steps: Vec<f64> = [0.0, 1.0, 2.0, 17.0, 2_350.0].map(step).into();
        assert_eq!(steps, [1.0, 0.2, 0.5, 5.0, 500.0]);
        assert_eq!(ticks(2.0, 0.5).collect::<Vec<_>>(), [0.0, 0.5, 1.0, 1.5, 2.0]);
    }
}
