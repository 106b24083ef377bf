//! What a job can use, by name, with its parameters.

use std::path::Path;
use std::sync::Arc;

use gristmill_operators::OperatorRegistry;
use gristmill_pipeline::graph::Role;
use gristmill_pipeline::port::{Port, PortItem};
use gristmill_pipeline::source::{Source, SourceError};
use gristmill_pipeline::{Operator, OperatorConfig, OperatorConfigError, SinkConfig, SinkConfigError, View};
use gristmill_sinks::SinkRegistry;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use toml::de::DeTable;

use super::decode::decode;
use super::error::Fault;
use super::form::keys_of;
use super::sections::{SOURCE_KEYS, STAGE_KEYS};
use super::texts::Place;

/// Parameters of a job file: a table whose keys all have defaults.
pub trait Params: DeserializeOwned + Default + JsonSchema + 'static {}

impl<T: DeserializeOwned + Default + JsonSchema + 'static> Params for T {}

/// The configuration type of a source, which opens it. A job names it by `source.kind`; its
/// parameters are the other keys of `[source]`.
pub trait SourceFactory: Params + Send + Sync {
    /// The kind of the source in job files.
    const KIND: &'static str;

    /// Opens the source. `path` is `source.path`, as an absolute path.
    ///
    /// # Errors
    /// If the source cannot be read.
    fn open(&self, path: &Path) -> Result<Box<dyn Source>, SourceError>;
}

/// The configuration type of a view, which builds it. A job enables it by `name = true` in
/// `[views]`, or with parameters by a table `[views.name]`.
pub trait ViewFactory: Params {
    /// The name of the view in job files.
    const NAME: &'static str;

    /// Builds the view.
    ///
    /// # Errors
    /// A message if a parameter is invalid.
    fn build(&self) -> Result<Arc<dyn View>, String>;
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

type OpenSource = dyn Fn() -> Result<Box<dyn Source>, SourceError> + Send + Sync;

/// A source that a program adds to those of gristmill.
pub(super) struct SourceEntry {
    pub(super) kind: &'static str,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    /// Decodes the parameters in the table of `[source]`.
    #[expect(clippy::type_complexity, reason = "a closure that is stored once")]
    pub(super) decode:
        Box<dyn Fn(&DeTable<'_>, Place, &Path, &mut Vec<Fault>) -> Option<Arc<OpenSource>> + Send + Sync>,
}

/// A view that a program adds to those of gristmill.
pub(super) struct ViewEntry {
    pub(super) name: &'static str,
    pub(super) schema: fn(&mut SchemaGenerator) -> Schema,
    /// Decodes the parameters in the table of the view.
    #[expect(clippy::type_complexity, reason = "a closure that is stored once")]
    pub(super) build: Box<dyn Fn(&DeTable<'_>, Place, &mut Vec<Fault>) -> Option<Arc<dyn View>> + Send + Sync>,
}

/// What a job can use: operators, sinks, sources and views by name.
///
/// ```
/// use gristmill_config::Registry;
///
/// let registry = Registry::standard();
/// assert!(registry.entries().iter().any(|entry| entry.name() == "parse"));
/// ```
#[derive(Default)]
pub struct Registry {
    entries: Vec<Entry>,
    pub(super) sources: Vec<SourceEntry>,
    pub(super) views: Vec<ViewEntry>,
}

impl Entry {
    /// The name of the operator or sink in job files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl OperatorRegistry for Registry {
    fn operator<C: OperatorConfig>(self, summary: &'static str) -> Self {
        let accepts = vec![<C::Operator as Operator>::In::PORT];
        let output = Some(<C::Operator as Operator>::Out::PORT);
        self.add::<C>(C::NAME, summary, accepts, output, |config, folder| {
            config.build(folder).map(|operator| Role::Operator(operator.into()))
        })
    }
}

impl SinkRegistry for Registry {
    fn sink<C: SinkConfig + DeserializeOwned + Default + JsonSchema + 'static>(self, summary: &'static str) -> Self {
        let sample = C::default();
        let name = leak(sample.kind());
        self.add::<C>(name, summary, sample.accepts().to_vec(), None, |config, _| {
            let unfit = |error: SinkConfigError| OperatorConfigError::of(error.parameter, error.message);
            config.check().map_err(unfit)?;
            Ok(Role::Sink(Arc::new(config)))
        })
    }
}

/// Names of entries live as long as the program, which registers each once.
fn leak(name: &str) -> &'static str {
    Box::leak(name.into())
}

impl Registry {
    /// Creates an empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a registry of the operators and sinks that come with gristmill.
    #[must_use]
    pub fn standard() -> Self {
        gristmill_sinks::register(gristmill_operators::register(Self::new()))
    }

    /// Adds the operator that `C` configures; `summary` says in a sentence what it does. Replaces an
    /// operator or sink of the same name.
    #[must_use]
    pub fn operator<C: OperatorConfig>(self, summary: &'static str) -> Self {
        OperatorRegistry::operator::<C>(self, summary)
    }

    /// Adds the sink that `C` configures; `summary` says in a sentence what it does. Replaces an
    /// operator or sink of the same name.
    #[must_use]
    pub fn sink<C: SinkConfig + Params>(self, summary: &'static str) -> Self {
        SinkRegistry::sink::<C>(self, summary)
    }

    /// Adds the source that `C` configures. Replaces one of the same kind.
    #[must_use]
    pub fn source<C: SourceFactory>(mut self) -> Self {
        let decode = |table: &DeTable<'_>, place: Place, path: &Path, faults: &mut Vec<Fault>| {
            let owner = format!("source `{}`", C::KIND);
            let config = decode::<C>(table, &place, &owner, &SOURCE_KEYS, faults)?;
            let path = path.to_owned();
            Some(Arc::new(move || config.open(&path)) as Arc<OpenSource>)
        };
        self.sources.retain(|known| known.kind != C::KIND);
        self.sources.push(SourceEntry { kind: C::KIND, schema: C::json_schema, decode: Box::new(decode) });
        self
    }

    /// Adds the view that `C` configures. Replaces one of the same name.
    #[must_use]
    pub fn view<C: ViewFactory>(mut self) -> Self {
        let build = |table: &DeTable<'_>, place: Place, faults: &mut Vec<Fault>| {
            let config = decode::<C>(table, &place, &format!("view `{}`", C::NAME), &[], faults)?;
            let built = config.build();
            built.map_err(|message| faults.push(Fault::at("cannot-build", place, message))).ok()
        };
        self.views.retain(|known| known.name != C::NAME);
        self.views.push(ViewEntry { name: C::NAME, schema: C::json_schema, build: Box::new(build) });
        self
    }

    fn add<C: Params>(
        mut self,
        name: &'static str,
        summary: &'static str,
        accepts: Vec<Port>,
        output: Option<Port>,
        build: impl Fn(C, &Path) -> Result<Role, OperatorConfigError> + Send + Sync + 'static,
    ) -> Self {
        let is_sink = output.is_none();
        let owner = format!("{} `{name}`", if is_sink { "sink" } else { "operator" });
        let build = move |params: &ParamTable<'_, '_>, faults: &mut Vec<Fault>| {
            let decoded = decode::<C>(params.table, &params.place, &owner, &STAGE_KEYS, faults)?;
            match build(decoded, params.folder) {
                Ok(role) => Some(role),
                Err(error) => {
                    let value = error.parameter.and_then(|key| params.table.get(key));
                    let place = value.map_or_else(|| params.runs.clone(), toml::Spanned::span);
                    faults.push(Fault::at("cannot-build", place, error.message));
                    None
                }
            }
        };
        let keys = keys_of::<C>().into_iter().map(|(key, _)| key).collect();
        let schema = C::json_schema as fn(&mut SchemaGenerator) -> Schema;
        let entry = Entry { name, is_sink, accepts, output, summary, keys, schema, build: Box::new(build) };
        match self.entries.iter_mut().find(|known| known.name == name) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
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
