//! Graphs and sources that give what was recorded, so that what is left of a run is the fact plane, the
//! epoch driver, the sinks and the commit.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use gristmill_pipeline::graph::{Body, Graph, Role, SOURCE, StageSpec};
use gristmill_pipeline::merkle::{Leaf, Stat, Tree};
use gristmill_pipeline::port::{FileItem, Header, Import, Item, Passage, PortItem, Vector};
use gristmill_pipeline::source::{LastScan, Origin, Scan, ScanMeasures, ScanOptions, Source, SourceError};
use gristmill_pipeline::{
    AnyOperator, Batch, BatchSize, Chunker, Declared, Embedder, Emitter, ErasedChunker, ErasedEmbedder, ErasedOperator,
    ErasedParser, ErasedVectorMap, ExtraColumn, Fingerprint, ModuleName, ModulePlace, ModuleUnit, Operator,
    OperatorError, Parser, PassageKey, RelPath, RowId, StageId, VectorMap,
};

use super::Flow;
use crate::error::BenchError;

/// The graph with operators that give what was recorded.
pub(crate) fn replayed(graph: &Graph, flow: &Flow) -> Result<Graph, BenchError> {
    let name = |id: &StageId| graph.stage(*id).name.as_ref().into();
    let specs = graph.stages().iter().map(|stage| StageSpec {
        name: stage.name.as_ref().into(),
        inputs: if stage.inputs.is_empty() { vec![SOURCE.into()] } else { stage.inputs.iter().map(name).collect() },
        role: match &stage.body {
            Body::Operator(operator) => Role::Operator(replay(operator, Given::of(flow, stage.id))),
            Body::Sink(sink) => Role::Sink(Arc::clone(sink)),
        },
        workers: stage.workers,
        queue_bytes: stage.queue_bytes,
    });
    Graph::build(specs.collect()).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        BenchError::Plan(format!("the recorded graph cannot be built: {}; please report it", errors.join("; ")))
    })
}

/// What a stage gave, by the path of the file or the key of the passage.
#[derive(Default)]
struct Given {
    by_path: HashMap<RelPath, Item>,
    by_key: HashMap<PassageKey, Vector>,
}

impl Given {
    fn of(flow: &Flow, stage: StageId) -> Self {
        let mut given = Self::default();
        for item in flow.outputs.get(&stage).into_iter().flatten().map(|(_, item)| item) {
            match (item, item.path()) {
                (Item::Vector(vector), _) => drop(given.by_key.insert(vector.key, vector.clone())),
                (item, Some(path)) => drop(given.by_path.insert(path.clone(), item.clone())),
                (_, None) => {}
            }
        }
        given
    }

    fn for_item(&self, item: &Item) -> Option<Item> {
        let key = match item {
            Item::Passage(passage) => passage.key,
            Item::Vector(vector) => vector.key,
            _ => return self.by_path.get(item.path()?).cloned(),
        };
        self.by_key.get(&key).cloned().map(Item::Vector)
    }
}

/// An operator that gives what it gave before.
struct Replay<E: ?Sized, I, O> {
    operator: Arc<E>,
    given: Given,
    ports: PhantomData<fn(I) -> O>,
}

impl<E: ?Sized, I, O> Replay<E, I, O> {
    fn new(operator: &Arc<E>, given: Given) -> Self {
        Self { operator: Arc::clone(operator), given, ports: PhantomData }
    }
}

fn replay(operator: &AnyOperator, given: Given) -> AnyOperator {
    use gristmill_pipeline::port::{Chunked, Content, Port, Syntax};
    type Plain<I, O> = Replay<dyn ErasedOperator, I, O>;
    match operator {
        AnyOperator::Plain(plain) => match (plain.input(), plain.output()) {
            (Port::Files, Port::Contents) => {
                AnyOperator::plain(Plain::<Arc<FileItem>, Arc<Content>>::new(plain, given))
            }
            (Port::Files, _) => AnyOperator::plain(Plain::<Arc<FileItem>, Arc<FileItem>>::new(plain, given)),
            (Port::Contents, _) => AnyOperator::plain(Plain::<Arc<Content>, Arc<Content>>::new(plain, given)),
            (Port::Syntax, _) => AnyOperator::plain(Plain::<Arc<Syntax>, Arc<Syntax>>::new(plain, given)),
            _ => AnyOperator::plain(Plain::<Arc<Chunked>, Arc<Chunked>>::new(plain, given)),
        },
        AnyOperator::Parser(parser) => AnyOperator::parser(Replay::<_, Arc<Content>, Arc<Syntax>>::new(parser, given)),
        AnyOperator::Chunker(chunker) => {
            AnyOperator::chunker(Replay::<_, Arc<Syntax>, Arc<Chunked>>::new(chunker, given))
        }
        AnyOperator::Embedder(embedder) => {
            AnyOperator::embedder(Replay::<_, Arc<Passage>, Vector>::new(embedder, given))
        }
        AnyOperator::VectorMap(map) => AnyOperator::vector_map(Replay::<_, Vector, Vector>::new(map, given)),
    }
}

impl<E: ErasedOperator + ?Sized, I: PortItem, O: PortItem> Operator for Replay<E, I, O> {
    type In = I;
    type Out = O;

    fn name(&self) -> &str {
        self.operator.name()
    }

    fn fingerprint(&self) -> Fingerprint {
        self.operator.fingerprint()
    }

    fn batch_size(&self) -> BatchSize {
        self.operator.batch_size()
    }

    fn variant(&self, path: &RelPath) -> &'static str {
        self.operator.variant(path)
    }

    fn columns(&self) -> Vec<ExtraColumn> {
        self.operator.columns()
    }

    fn process(&self, batch: Batch<I>, out: &mut Emitter<O>) -> Result<(), OperatorError> {
        for item in batch {
            // What the stage dropped then is dropped now.
            if let Some(given) = self.given.for_item(&item.into_item())
                && let Ok(given) = O::from_item(given)
            {
                out.emit(given);
            }
        }
        Ok(())
    }
}

impl<I: PortItem, O: PortItem> Parser for Replay<dyn ErasedParser, I, O>
where
    Self: Operator<In = Arc<gristmill_pipeline::port::Content>, Out = Arc<gristmill_pipeline::port::Syntax>>,
{
    fn module_names(&self, path: &RelPath) -> Vec<String> {
        self.operator.module_names(path)
    }

    fn import_names(&self, path: &RelPath, import: &Import) -> Vec<ModuleName> {
        self.operator.import_names(path, import)
    }

    fn local_names(&self, path: &RelPath, import: &Import) -> Vec<Box<str>> {
        self.operator.local_names(path, import)
    }

    fn module_places(&self, path: &RelPath) -> Vec<ModulePlace> {
        self.operator.module_places(path)
    }

    fn declared(&self, path: &RelPath, import: &Import) -> Option<Declared> {
        self.operator.declared(path, import)
    }

    fn implied_imports(&self, path: &RelPath) -> Vec<Import> {
        self.operator.implied_imports(path)
    }

    fn unit(&self, path: &RelPath) -> ModuleUnit {
        self.operator.unit(path)
    }

    fn name_scope<'t>(&self, language: &'t str) -> &'t str {
        self.operator.name_scope(language)
    }
}

impl Chunker
    for Replay<dyn ErasedChunker, Arc<gristmill_pipeline::port::Syntax>, Arc<gristmill_pipeline::port::Chunked>>
{
    fn header(&self) -> Header {
        self.operator.header()
    }
}

impl Embedder for Replay<dyn ErasedEmbedder, Arc<Passage>, Vector> {
    fn dimension(&self) -> usize {
        self.operator.dimension()
    }

    fn embed_query(&self, text: &str) -> Option<Result<Vec<f32>, OperatorError>> {
        self.operator.embed_query(text)
    }
}

impl VectorMap for Replay<dyn ErasedVectorMap, Vector, Vector> {
    fn dimension(&self, input: usize) -> usize {
        self.operator.dimension(input)
    }
}

/// The recorded files as a source.
pub(crate) struct RecordedSource {
    files: HashMap<RelPath, Arc<FileItem>>,
    tree: Tree,
}

impl RecordedSource {
    /// A source of these files.
    pub(crate) fn new(files: &[Arc<FileItem>]) -> Self {
        let leaf = |file: &Arc<FileItem>| {
            let stat = Stat { bytes: file.bytes, ..Stat::default() };
            (file.path.clone(), Leaf { content_hash: file.content_hash, stat, note: None })
        };
        let tree = Tree::build(files.iter().map(leaf).collect(), 0);
        Self { files: files.iter().map(|file| (file.path.clone(), Arc::clone(file))).collect(), tree }
    }

    /// Its Merkle tree.
    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }
}

impl Source for RecordedSource {
    fn scan(&self, _last: Option<&LastScan<'_>>, _options: &ScanOptions) -> Result<Scan, SourceError> {
        let measures = ScanMeasures { files: self.tree.len() as u64, ..ScanMeasures::default() };
        let (revision, refs, selection, notices) = (None, Vec::new(), None, Vec::new());
        Ok(Scan { tree: self.tree.clone(), revision, refs, selection, notices, measures })
    }

    fn origin(&self, file: &RowId) -> Origin {
        // The replayed reader asks for nothing.
        self.files.get(&file.path).map_or_else(|| Origin::File(file.path.as_str().into()), |file| file.origin.clone())
    }

    fn place(&self) -> &Path {
        Path::new("/recorded")
    }
}
