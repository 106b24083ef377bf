//! Operators with their types erased, as the graph and the executors hold them.

use std::any::TypeId;
use std::sync::Arc;

use gristmill_ids::Fingerprint;

use super::{
    Batch, BatchSize, Chunker, Declared, Embedder, Emitter, ModuleName, ModulePlace, ModuleUnit, Operator,
    OperatorError, Parser, VectorMap,
};
use crate::extra::ExtraColumn;
use crate::path::RelPath;
use crate::port::{Header, Import, Item, Passage, Port, PortItem};

/// An [`Operator`] with its types erased.
pub trait ErasedOperator: Send + Sync {
    /// See [`Operator::name`].
    fn name(&self) -> &str;
    /// See [`Operator::fingerprint`].
    fn fingerprint(&self) -> Fingerprint;
    /// See [`Operator::batch_size`].
    fn batch_size(&self) -> BatchSize;
    /// See [`Operator::requests`].
    fn requests(&self) -> usize;
    /// See [`Operator::variant`].
    fn variant(&self, path: &RelPath) -> &'static str;
    /// See [`Operator::columns`].
    fn columns(&self) -> Vec<ExtraColumn>;
    /// The port it takes.
    fn input(&self) -> Port;
    /// The port it gives.
    fn output(&self) -> Port;
    /// Whether its input or output items are [`Passage`]s. The port
    /// [`Chunks`](Port::Chunks) has two item types; only embedders take this one.
    fn moves_passages(&self) -> bool;
    /// See [`Operator::process`]. Items of another type are refused with an error.
    ///
    /// # Errors
    /// Those of [`Operator::process`].
    fn process(&self, batch: Vec<Item>, out: &mut Emitter<Item>) -> Result<(), OperatorError>;
}

impl<O: Operator> ErasedOperator for O {
    fn name(&self) -> &str {
        Operator::name(self)
    }

    fn fingerprint(&self) -> Fingerprint {
        Operator::fingerprint(self)
    }

    fn batch_size(&self) -> BatchSize {
        Operator::batch_size(self)
    }

    fn requests(&self) -> usize {
        Operator::requests(self)
    }

    fn variant(&self, path: &RelPath) -> &'static str {
        Operator::variant(self, path)
    }

    fn columns(&self) -> Vec<ExtraColumn> {
        Operator::columns(self)
    }

    fn input(&self) -> Port {
        O::In::PORT
    }

    fn output(&self) -> Port {
        O::Out::PORT
    }

    fn moves_passages(&self) -> bool {
        let passage = TypeId::of::<Arc<Passage>>();
        [TypeId::of::<O::In>(), TypeId::of::<O::Out>()].contains(&passage)
    }

    fn process(&self, batch: Vec<Item>, out: &mut Emitter<Item>) -> Result<(), OperatorError> {
        let typed: Result<Vec<O::In>, Item> = batch.into_iter().map(O::In::from_item).collect();
        let batch = typed.map_err(|_| OperatorError {
            stage: Operator::name(self).into(),
            message: format!("got an item that is not of its port `{}`; the graph was not checked", O::In::PORT).into(),
        })?;
        let mut typed_out = out.sibling();
        let result = Operator::process(self, Batch(batch), &mut typed_out);
        out.count_tokens(typed_out.counted);
        out.count_cpu(typed_out.cpu);
        out.count_wait(typed_out.waited);
        out.diagnostics.append(&mut typed_out.diagnostics);
        out.items.extend(typed_out.items.into_iter().map(O::Out::into_item));
        result
    }
}

/// A [`Parser`] with its types erased.
pub trait ErasedParser: ErasedOperator {
    /// See [`Parser::module_names`].
    fn module_names(&self, path: &RelPath) -> Vec<String>;
    /// See [`Parser::import_names`].
    fn import_names(&self, path: &RelPath, import: &Import) -> Vec<ModuleName>;
    /// See [`Parser::local_names`].
    fn local_names(&self, path: &RelPath, import: &Import) -> Vec<Box<str>>;
    /// See [`Parser::module_places`].
    fn module_places(&self, path: &RelPath) -> Vec<ModulePlace>;
    /// See [`Parser::declared`].
    fn declared(&self, path: &RelPath, import: &Import) -> Option<Declared>;
    /// See [`Parser::implied_imports`].
    fn implied_imports(&self, path: &RelPath) -> Vec<Import>;
    /// See [`Parser::unit`].
    fn unit(&self, path: &RelPath) -> ModuleUnit;
    /// See [`Parser::name_scope`].
    fn name_scope<'t>(&self, language: &'t str) -> &'t str;
}

impl<P: Parser> ErasedParser for P {
    fn module_names(&self, path: &RelPath) -> Vec<String> {
        Parser::module_names(self, path)
    }

    fn import_names(&self, path: &RelPath, import: &Import) -> Vec<ModuleName> {
        Parser::import_names(self, path, import)
    }

    fn local_names(&self, path: &RelPath, import: &Import) -> Vec<Box<str>> {
        Parser::local_names(self, path, import)
    }

    fn module_places(&self, path: &RelPath) -> Vec<ModulePlace> {
        Parser::module_places(self, path)
    }

    fn declared(&self, path: &RelPath, import: &Import) -> Option<Declared> {
        Parser::declared(self, path, import)
    }

    fn implied_imports(&self, path: &RelPath) -> Vec<Import> {
        Parser::implied_imports(self, path)
    }

    fn unit(&self, path: &RelPath) -> ModuleUnit {
        Parser::unit(self, path)
    }

    fn name_scope<'t>(&self, language: &'t str) -> &'t str {
        Parser::name_scope(self, language)
    }
}

/// A [`Chunker`] with its types erased.
pub trait ErasedChunker: ErasedOperator {
    /// See [`Chunker::header`].
    fn header(&self) -> Header;
}

impl<C: Chunker> ErasedChunker for C {
    fn header(&self) -> Header {
        Chunker::header(self)
    }
}

/// An [`Embedder`] with its types erased.
pub trait ErasedEmbedder: ErasedOperator {
    /// See [`Embedder::dimension`].
    fn dimension(&self) -> usize;
    /// See [`Embedder::embed_query`].
    fn embed_query(&self, text: &str) -> Option<Result<Vec<f32>, OperatorError>>;
}

impl<E: Embedder> ErasedEmbedder for E {
    fn dimension(&self) -> usize {
        Embedder::dimension(self)
    }

    fn embed_query(&self, text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
        Embedder::embed_query(self, text)
    }
}

/// A [`VectorMap`] with its types erased.
pub trait ErasedVectorMap: ErasedOperator {
    /// See [`VectorMap::dimension`].
    fn dimension(&self, input: usize) -> usize;
}

impl<V: VectorMap> ErasedVectorMap for V {
    fn dimension(&self, input: usize) -> usize {
        VectorMap::dimension(self, input)
    }
}

/// An operator of any role, as a stage holds it. Any [`Operator`] becomes one by `into`: its ports
/// say which role it has (see [`RolePorts`](super::RolePorts)).
#[derive(Clone)]
pub enum AnyOperator {
    /// One that has no role of its own: it gives what it takes, or reads files.
    Plain(Arc<dyn ErasedOperator>),
    /// See [`Parser`].
    Parser(Arc<dyn ErasedParser>),
    /// See [`Chunker`].
    Chunker(Arc<dyn ErasedChunker>),
    /// See [`Embedder`].
    Embedder(Arc<dyn ErasedEmbedder>),
    /// See [`VectorMap`].
    VectorMap(Arc<dyn ErasedVectorMap>),
}

impl AnyOperator {
    /// An operator that gives the port that it takes, or reads files.
    pub fn plain(operator: impl Operator + 'static) -> Self {
        Self::Plain(Arc::new(operator))
    }

    /// A parser.
    pub fn parser(parser: impl Parser + 'static) -> Self {
        Self::Parser(Arc::new(parser))
    }

    /// A chunker.
    pub fn chunker(chunker: impl Chunker + 'static) -> Self {
        Self::Chunker(Arc::new(chunker))
    }

    /// An embedder.
    pub fn embedder(embedder: impl Embedder + 'static) -> Self {
        Self::Embedder(Arc::new(embedder))
    }

    /// An operator on vectors.
    pub fn vector_map(map: impl VectorMap + 'static) -> Self {
        Self::VectorMap(Arc::new(map))
    }

    /// The dimension of its vectors, given the dimension of its input. Operators other than
    /// [`Embedder`] and [`VectorMap`] leave it as it is.
    #[must_use]
    pub fn dimension(&self, input: usize) -> usize {
        match self {
            Self::Embedder(embedder) => embedder.dimension(),
            Self::VectorMap(map) => map.dimension(input),
            Self::Plain(_) | Self::Parser(_) | Self::Chunker(_) => input,
        }
    }

    /// What every operator has.
    #[must_use]
    pub fn operator(&self) -> &dyn ErasedOperator {
        match self {
            Self::Plain(operator) => &**operator,
            Self::Parser(parser) => &**parser,
            Self::Chunker(chunker) => &**chunker,
            Self::Embedder(embedder) => &**embedder,
            Self::VectorMap(map) => &**map,
        }
    }
}
