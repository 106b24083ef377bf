//! Evaluations as text tables and CSV.

use std::collections::{BTreeMap, BTreeSet};

use gristmill_display::{TextCell, TextTable};

use super::{Answer, Evaluation, Quality};

fn three(value: f64) -> TextCell {
    TextCell::number(format!("{value:.3}"))
}

/// Renders one row per evaluation.
#[must_use]
pub fn overview(evaluations: &[Evaluation]) -> String {
    let mut table = TextTable::new([
        "#", "variant", "mode", "queries", "NDCG@10", "by file", "MRR", "recall@1", "@5", "@10", "ms p50", "p95",
        "chunks", "chunks/s", "index s", "MiB",
    ]);
    for (number, evaluation) in (1_usize..).zip(evaluations) {
        let (chunks, files) = evaluation.mean();
        let [first, five, ten] = chunks.recall;
        let cost = evaluation.cost;
        table.row([
            TextCell::from(number),
            TextCell::from(evaluation.variant.as_str()),
            TextCell::from(evaluation.mode.as_str()),
            TextCell::from(evaluation.answers.len()),
            three(chunks.ndcg),
            three(files.ndcg),
            three(chunks.reciprocal_rank),
            three(first),
            three(five),
            three(ten),
            TextCell::number(format!("{:.1}", evaluation.latency(50))),
            TextCell::number(format!("{:.1}", evaluation.latency(95))),
            TextCell::from(cost.chunks),
            TextCell::from(evaluation.throughput() as u64),
            TextCell::number(format!("{:.1}", cost.seconds)),
            TextCell::number(format!("{:.1}", cost.bytes as f64 / f64::from(1 << 20))),
        ]);
    }
    table.render()
}

/// Renders NDCG@10 by language.
#[must_use]
pub fn by_language(evaluations: &[Evaluation]) -> String {
    grouped("language", evaluations, |answer| &answer.language)
}

/// Renders NDCG@10 by category.
#[must_use]
pub fn by_category(evaluations: &[Evaluation]) -> String {
    grouped("category", evaluations, |answer| &answer.category)
}

fn grouped(heading: &str, evaluations: &[Evaluation], key: fn(&Answer) -> &str) -> String {
    let headings = [heading.to_owned(), "queries".to_owned()];
    // Numbers, as the names would be too wide.
    let numbers = (1..=evaluations.len()).map(|number| format!("#{number}"));
    let mut table = TextTable::new(headings.into_iter().chain(numbers));
    let means: Vec<_> = evaluations.iter().map(|evaluation| evaluation.mean_by(key)).collect();
    let groups: BTreeSet<&String> = means.iter().flat_map(|of| of.keys()).collect();
    for group in groups {
        let queries = means.iter().filter_map(|of| of.get(group)).map(|(queries, _)| *queries).max();
        let cell = |of: &BTreeMap<String, (usize, Quality)>| {
            of.get(group).map_or(TextCell::from("-"), |(_, quality)| three(quality.ndcg))
        };
        let name = [TextCell::from(group.as_str()), TextCell::from(queries.unwrap_or_default())];
        table.row(name.into_iter().chain(means.iter().map(cell)));
    }
    table.render()
}

/// Renders one CSV line per query and evaluation, with a header.
#[must_use]
pub fn csv(evaluations: &[Evaluation]) -> String {
    let mut out = String::from(
        "variant,mode,repository,language,category,query,ndcg10,ndcg10_files,reciprocal_rank,recall1,recall5,recall10,latency_ms\n",
    );
    for evaluation in evaluations {
        for answer in &evaluation.answers {
            let texts = [
                &evaluation.variant,
                &evaluation.mode,
                &answer.repository,
                &answer.language,
                &answer.category,
                &answer.query,
            ];
            let [first, five, ten] = answer.chunks.recall;
            let numbers = [answer.chunks.ndcg, answer.files.ndcg, answer.chunks.reciprocal_rank, first, five, ten];
            let texts = texts.iter().map(|text| quoted(text));
            let numbers = numbers.iter().map(|number| format!("{number:.4}"));
            let line: Vec<String> = texts.chain(numbers).chain([format!("{:.3}", answer.latency_ms)]).collect();
            out.push_str(&line.join(","));
            out.push('\n');
        }
    }
    out
}

/// Quotes a CSV field (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::super::Cost;
    use super::*;

    fn evaluation(variant: &str, ndcg: f64) -> Evaluation {
        let quality = Quality { ndcg, reciprocal_rank: 0.5, recall: [0.25, 0.5, 1.0] };
        let answer = |language: &str, query: &str| Answer {
            repository: "gin".into(),
            language: language.into(),
            category: "symbol".into(),
            query: query.into(),
            chunks: quality,
            files: quality,
            latency_ms: 2.0,
        };
        let cost = Cost { chunks: 1000, seconds: 2.0, cpu_seconds: 3.0, bytes: 3 << 20 };
        Evaluation {
            variant: variant.into(),
            mode: "hybrid".into(),
            cost,
            answers: vec![answer("go", "a \"b\", c"), answer("c", "d")],
        }
    }

    #[test]
    fn tables_and_lines() {
        let evaluations = [evaluation("built-in", 0.75), evaluation("minilm", 0.5)];
        insta::assert_snapshot!(
            [overview(&evaluations), by_language(&evaluations), by_category(&evaluations), csv(&evaluations)]
                .join("\n")
        );
    }
}
