//! The operators and sinks that a stage can run, by name, with their parameters.

use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::Operator;
use gristmill_pipeline::graph::{Role, SinkFactory};
use gristmill_pipeline::port::{Port, PortItem};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use toml::de::DeTable;

use super::decode::decode;
use super::error::Fault;
use super::form::keys_of;
use super::sections::STAGE_KEYS;
use super::texts::Place;

/// The parameters of an operator or sink: a table whose keys all have defaults.
pub trait Params: DeserializeOwned + Default + JsonSchema + 'static {}

impl<T: DeserializeOwned + Default + JsonSchema + 'static> Params for T {}

/// An operator or sink cannot be built from its parameters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BuildError {
    /// The invalid parameter, if one is the cause.
    pub key: Option<&'static str>,
    /// What is wrong, and how to fix it.
    pub message: String,
}

/// The table of a stage's parameters.
pub(super) struct ParamTable<'a, 't> {
    pub(super) table: &'a DeTable<'t>,
    /// The location of the stage.
    pub(super) place: Place,
    /// The location of the name of the operator or sink.
    pub(super) runs: Place,
    /// The base of relative paths.
    pub(super) folder: &'a Path,
}

type Build = dyn Fn(&ParamTable<'_, '_>, &mut Vec<Fault>) -> Option<Role> + Send + Sync;

/// An operator or sink that a stage can run.
pub struct Entry {
    pub(super) name: &'static str,
    pub(super) is_sink: bool,
    pub(super) accepts: Vec<Port>,
    pub(super) output: Option<Port>,
    pub(super) summary: &'static str,
    pub(super) keys: Vec<String>,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    pub(super) build: Box<Build>,
}

/// The operators and sinks that a job can use.
#[derive(Default)]
pub struct Registry {
    entries: Vec<Entry>,
}

impl Registry {
    /// Creates an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an operator. `build` creates it from its parameters and the base of relative paths.
    #[must_use]
    pub fn operator<C: Params, O: Operator + 'static>(
        self,
        name: &'static str,
        summary: &'static str,
        build: impl Fn(C, &Path) -> Result<O, BuildError> + Send + Sync + 'static,
    ) -> Self {
        let (accepts, output) = (vec![O::In::PORT], Some(O::Out::PORT));
        self.add::<C>(name, summary, accepts, output, move |params, folder| {
            build(params, folder).map(|operator| Role::Operator(Arc::new(operator)))
        })
    }

    /// Adds a sink that stores the ports in `accepts`.
    #[must_use]
    pub fn sink<C: Params, S: SinkFactory + 'static>(
        self,
        name: &'static str,
        summary: &'static str,
        accepts: &[Port],
        build: impl Fn(C) -> Result<S, BuildError> + Send + Sync + 'static,
    ) -> Self {
        self.add::<C>(name, summary, accepts.to_vec(), None, move |params, _| {
            build(params).map(|factory| Role::Sink(Arc::new(factory)))
        })
    }

    fn add<C: Params>(
        mut self,
        name: &'static str,
        summary: &'static str,
        accepts: Vec<Port>,
        output: Option<Port>,
        build: impl Fn(C, &Path) -> Result<Role, BuildError> + Send + Sync + 'static,
    ) -> Self {
        let is_sink = output.is_none();
        let owner = format!("{} `{name}`", if is_sink { "sink" } else { "operator" });
        let build = move |params: &ParamTable<'_, '_>, faults: &mut Vec<Fault>| {
            let decoded = decode::<C>(params.table, &params.place, &owner, &STAGE_KEYS, faults)?;
            match build(decoded, params.folder) {
                Ok(role) => Some(role),
                Err(error) => {
                    let value = error.key.and_then(|key| params.table.get(key));
                    let place = value.map_or_else(|| params.runs.clone(), toml::Spanned::span);
                    faults.push(Fault::at("cannot-build", place, error.message));
                    None
                }
            }
        };
        let keys = keys_of::<C>().into_iter().map(|(key, _)| key).collect();
        let schema = C::json_schema as fn(&mut SchemaGenerator) -> Schema;
        self.entries.push(Entry { name, is_sink, accepts, output, summary, keys, schema, build: Box::new(build) });
        self
    }

    /// Returns the operators and sinks, in the order in which they were added.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    pub(super) fn names(&self, sinks: bool) -> impl Iterator<Item = &'static str> + Clone + '_ {
        self.entries.iter().filter(move |entry| entry.is_sink == sinks).map(|entry| entry.name)
    }
}
