//! Builds the checked graph from the `[[stage]]` tables, with the location of each error.

use std::path::Path;

use gristmill_pipeline::graph::{Fault as GraphFault, GraphError, Role, StageSpec};
use gristmill_pipeline::{Graph, nearest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::decode::decode;
use super::error::Fault;
use super::form::{kind_of, unknown_key};
use super::listed::listed;
use super::registry::{Entry, ParamTable, Registry};
use super::sections::{STAGE_KEYS, StageSection};
use super::texts::Place;

/// Entries of the index folder, which no sink can be named after.
const RESERVED: [&str; 7] = ["LOCK", "HEAD", "VERIFY", "commits", "journal", "merkle", "runs"];

/// The locations of a stage's parts.
struct StagePlaces {
    name: Place,
    /// The inputs with their locations.
    inputs: Vec<(String, Place)>,
    /// The location of `input`, or else of the stage.
    input: Place,
    /// Whether the inputs were parsed; if not, that is reported already.
    inputs_known: bool,
    /// Whether the operator or sink is known.
    runs_known: bool,
}

/// Builds the graph of the `[[stage]]` tables. Returns `None` if it reported anything.
pub(super) fn build(
    stages: &Spanned<DeValue<'_>>,
    registry: &Registry,
    folder: &Path,
    faults: &mut Vec<Fault>,
) -> Option<Graph> {
    let DeValue::Array(tables) = stages.get_ref() else {
        let message = format!("`stage`: expected an array of tables, found {}", kind_of(stages.get_ref()));
        let help = "start each stage with `[[stage]]`, in double brackets";
        faults.push(Fault::at("wrong-type", stages.span(), message).help(Some(help)));
        return None;
    };
    let before = faults.len();
    let mut specs = Vec::new();
    let mut places = Vec::new();
    for stage in tables {
        let DeValue::Table(table) = stage.get_ref() else {
            let message = format!("`stage`: expected a table, found {}", kind_of(stage.get_ref()));
            faults.push(Fault::at("wrong-type", stage.span(), message));
            continue;
        };
        let (spec, place) = read_stage(table, stage.span(), registry, folder, faults);
        specs.push(spec);
        places.push(place);
    }
    let names: Vec<Box<str>> = specs.iter().map(|spec: &StageSpec| spec.name.clone()).collect();
    match Graph::build(specs) {
        Ok(graph) => (faults.len() == before).then_some(graph),
        Err(errors) => {
            let all_known = places.iter().all(|stage| stage.runs_known);
            let is_relevant = |error: &GraphError| match error.fault {
                // The missing stage may be one that could not be parsed.
                GraphFault::NoSink | GraphFault::Unused if !all_known => false,
                GraphFault::Unused => errors.iter().filter(|other| other.stage == error.stage).count() == 1,
                _ => true,
            };
            let relevant = errors.iter().filter(|error| is_relevant(error));
            faults.extend(relevant.filter_map(|error| place_error(error, &places, &names)));
            None
        }
    }
}

fn read_stage(
    table: &DeTable<'_>,
    place: Place,
    registry: &Registry,
    folder: &Path,
    faults: &mut Vec<Fault>,
) -> (StageSpec, StagePlaces) {
    let params: Vec<&str> =
        table.keys().map(|key| -> &str { key.get_ref() }).filter(|key| !STAGE_KEYS.contains(key)).collect();
    let section: StageSection = decode(table, &place, "a stage", &params, faults).unwrap_or_default();
    let (entry, runs) = what_runs(table, &place, registry, faults);
    let name = Name::of(table, &place, faults);
    let role = match entry {
        None => Role::Unbuilt { accepts: Vec::new(), output: None, is_sink: table.contains_key("sink") },
        Some(entry) => {
            let unknown = params.iter().filter(|key| !entry.keys.iter().any(|known| known == *key));
            let unknown: Vec<&str> = unknown.copied().collect();
            faults.extend(unknown.iter().filter_map(|key| foreign_key(table, key, entry, registry)));
            let mut known = table.clone();
            for key in &unknown {
                known.remove(*key);
            }
            let params = ParamTable { table: &known, place: place.clone(), runs, folder };
            let built = (entry.build)(&params, faults).filter(|_| unknown.is_empty());
            let unbuilt =
                || Role::Unbuilt { accepts: entry.accepts.clone(), output: entry.output, is_sink: entry.is_sink };
            built.unwrap_or_else(unbuilt)
        }
    };
    let inputs = input_places(table);
    let places = StagePlaces {
        name: name.place,
        input: table.get("input").map_or(place, Spanned::span),
        // `input` is missing, empty or completely parsed.
        inputs_known: section.input.0.len() == inputs.len(),
        inputs,
        runs_known: entry.is_some(),
    };
    let spec = StageSpec {
        name: name.text.into(),
        inputs: places.inputs.iter().map(|(input, _)| input.as_str().into()).collect(),
        role,
        workers: section.workers.map_or(1, usize::from),
        queue_bytes: section.queue.map(|size| size.0),
    };
    (spec, places)
}

/// Why a stage cannot have a name.
pub(super) struct NameError {
    pub(super) message: String,
    help: Option<&'static str>,
}

/// Checks the name of a stage.
pub(super) fn check_name(name: &str) -> Result<(), NameError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || !name.chars().all(fits) || name.starts_with('-') {
        let message = format!("invalid stage name `{name}`");
        let help =
            "use letters, digits, `_` and `-`, not starting with `-`: a sink stores its rows in a folder of this name";
        Err(NameError { message, help: Some(help) })
    } else if RESERVED.contains(&name) {
        let message = format!("reserved stage name `{name}`: the index folder has an entry of this name");
        Err(NameError { message, help: None })
    } else {
        Ok(())
    }
}

/// The name of a stage with its location.
struct Name {
    text: String,
    place: Place,
}

impl Name {
    fn of(table: &DeTable<'_>, place: &Place, faults: &mut Vec<Fault>) -> Self {
        let written = table.get("name").and_then(|value| Some((value.get_ref().as_str()?, value.span())));
        let Some((name, place)) = written else {
            let written = ["operator", "sink"].iter().find_map(|key| table.get(*key)?.get_ref().as_str());
            // Unique, because it contains the location.
            let text = written.map_or_else(|| format!("stage at {}", place.start), ToOwned::to_owned);
            return Self { text, place: place.clone() };
        };
        if let Err(NameError { message, help }) = check_name(name) {
            faults.push(Fault::at("bad-name", place.clone(), message).help(help));
        }
        Self { text: name.to_owned(), place }
    }
}

/// Finds the operator or sink of a stage, with its location.
fn what_runs<'r>(
    table: &DeTable<'_>,
    place: &Place,
    registry: &'r Registry,
    faults: &mut Vec<Fault>,
) -> (Option<&'r Entry>, Place) {
    let (key, value) = match (table.get("operator"), table.get("sink")) {
        (Some(operator), Some(sink)) => {
            let fault = Fault::at("two-roles", sink.span(), "`operator` and `sink` are mutually exclusive");
            faults.push(fault.label("and this").related(operator.span(), "this"));
            return (None, sink.span());
        }
        (Some(operator), None) => ("operator", operator),
        (None, Some(sink)) => ("sink", sink),
        (None, None) => {
            let help = format!(
                "set `operator` to {}, or `sink` to {}",
                listed(registry.names(false)),
                listed(registry.names(true))
            );
            faults.push(Fault::at("no-role", place.clone(), "`operator` or `sink` is required").help(Some(help)));
            return (None, place.clone());
        }
    };
    let Some(name) = value.get_ref().as_str() else { return (None, value.span()) };
    let wants_sink = key == "sink";
    match registry.find(name) {
        Some(entry) if entry.is_sink == wants_sink => (Some(entry), value.span()),
        Some(entry) => {
            let (is, article) = if entry.is_sink { ("sink", "an") } else { ("operator", "a") };
            let message = format!("expected {article} {key}, found the {is} `{name}`");
            let fault = Fault::at("wrong-role", value.span(), message);
            faults.push(fault.label(format!("write `{is} = \"{name}\"`")));
            (None, value.span())
        }
        None => {
            let code = if wants_sink { "unknown-sink" } else { "unknown-operator" };
            let fault = Fault::at(code, value.span(), format!("unknown {key} `{name}`"));
            let near = nearest(name, registry.names(wants_sink));
            let fault = match near {
                Some(near) => fault.label(format!("did you mean `{near}`?")),
                None => fault.label(format!("unknown {key}")),
            };
            faults.push(fault.help(Some(format!("expected one of {}", listed(registry.names(wants_sink))))));
            (None, value.span())
        }
    }
}

/// Creates the error for an unknown parameter of an operator or sink.
fn foreign_key(table: &DeTable<'_>, key: &str, entry: &Entry, registry: &Registry) -> Option<Fault> {
    let (written, _) = table.get_key_value(key)?;
    let kind = if entry.is_sink { "sink" } else { "operator" };
    let other = if entry.is_sink { "operator" } else { "sink" };
    let common = STAGE_KEYS.into_iter().filter(|key| *key != other);
    let known = entry.keys.iter().map(String::as_str).chain(common);
    let fault = unknown_key(&format!("{kind} `{}`", entry.name), key, written.span(), known);
    let owns = |other: &&Entry| other.keys.iter().any(|known| known == key);
    let owners: Vec<&str> = registry.entries().iter().filter(owns).map(|other| other.name).collect();
    Some(if owners.is_empty() { fault } else { fault.label(format!("a key of {}", listed(owners))) })
}

fn input_places(table: &DeTable<'_>) -> Vec<(String, Place)> {
    let one = |value: &Spanned<DeValue<'_>>| Some((value.get_ref().as_str()?.to_owned(), value.span()));
    let Some(value) = table.get("input") else { return Vec::new() };
    match value.get_ref() {
        DeValue::Array(names) => names.iter().filter_map(one).collect(),
        _ => one(value).into_iter().collect(),
    }
}

/// Resolves the location of a graph error; drops it if it is a consequence of a reported error.
fn place_error(error: &GraphError, places: &[StagePlaces], names: &[Box<str>]) -> Option<Fault> {
    let message = error.to_string();
    let Some(stage) = error.stage.and_then(|index| places.get(index)) else {
        let code = if error.fault == GraphFault::NoSink { "no-sink" } else { "graph" };
        return Some(Fault::whole(code, message));
    };
    let input = |name: &str| {
        let found = stage.inputs.iter().find(|(input, _)| input == name);
        found.map_or_else(|| stage.input.clone(), |(_, place)| place.clone())
    };
    let at = |code, place| Fault::at(code, place, message.clone());
    Some(match &error.fault {
        GraphFault::NoInput | GraphFault::TooManyInputs(_) if !stage.inputs_known => return None,
        GraphFault::TooManyInputs(_) if !stage.runs_known => return None,
        GraphFault::DuplicateName(name) => {
            let fault = at("duplicate-name", stage.name.clone());
            let first = names.iter().position(|other| other == name).and_then(|first| places.get(first));
            match first {
                Some(first) if first.name != stage.name => {
                    fault.label("duplicate").related(first.name.clone(), "first stage of this name")
                }
                _ => fault,
            }
        }
        GraphFault::NoInput => at("no-input", stage.input.clone()),
        GraphFault::UnknownInput { input: name, .. } => at("unknown-input", input(name)).label("unknown stage"),
        GraphFault::InputIsSink(name) => at("input-is-sink", input(name)),
        GraphFault::TooManyInputs(_) => at("too-many-inputs", stage.input.clone()),
        GraphFault::PortMismatch { input: name, gives, .. } => {
            at("port-mismatch", input(name)).label(format!("outputs `{gives}`"))
        }
        GraphFault::RepeatedPort { port, inputs: [first, second] } => at("repeated-port", input(second))
            .label(format!("outputs `{port}`"))
            .related(input(first), format!("outputs `{port}`")),
        GraphFault::ForeignChunks { vectors, .. } => at("foreign-chunks", input(vectors)),
        GraphFault::Cycle(_) => at("cycle", stage.input.clone()).label("closes the cycle"),
        GraphFault::Unreachable => at("unreachable", stage.name.clone()),
        GraphFault::Unused => at("unused", stage.name.clone()).label("not stored"),
        GraphFault::FanOut { .. } => at("fan-out", stage.input.clone()),
        GraphFault::NotAParser => at("not-a-parser", stage.name.clone()),
        GraphFault::NotAChunker => at("not-a-chunker", stage.name.clone()),
        GraphFault::NotAnEmbedder => at("not-an-embedder", stage.name.clone()),
        GraphFault::MovesPassages => at("moves-passages", stage.name.clone()),
        GraphFault::NoRole { .. } => at("no-role", stage.name.clone()),
        GraphFault::RepeatedColumn { .. } => at("repeated-column", stage.name.clone()),
        GraphFault::BadColumn(_) => at("bad-column", stage.name.clone()),
        GraphFault::NoSink => Fault::whole("no-sink", message),
    })
}
