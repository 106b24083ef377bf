//! The role of an operator, which follows from its ports.

use std::sync::Arc;

use super::{AnyOperator, Chunker, Embedder, Operator, Parser, VectorMap};
use crate::port::{Chunked, Content, FileItem, Passage, Syntax, Vector};

/// A pair of ports, input and output, that an operator `O` can have. It decides the role of the
/// operator:
///
/// | input | output | role |
/// |---|---|---|
/// | files | files, contents | plain |
/// | contents | contents | plain |
/// | contents | syntax | [`Parser`] |
/// | syntax | syntax | plain |
/// | syntax | chunks | [`Chunker`] |
/// | chunks | chunks | plain |
/// | chunks | vectors | [`Embedder`] |
/// | vectors | vectors | [`VectorMap`] |
///
/// So [`AnyOperator`] is made of any operator by `into`, without naming the role; an operator from
/// contents to syntax that is no [`Parser`] does not compile.
#[diagnostic::on_unimplemented(
    message = "no operator can have the input and output {Self}",
    note = "an operator gives the port that it takes, or the next: files, contents, syntax, chunks, vectors"
)]
pub trait RolePorts<O> {
    /// Wraps the operator in the role.
    fn wrap(operator: O) -> AnyOperator;
}

macro_rules! roles {
    ($($input:ty => $output:ty: $role:ident, $wrap:ident;)*) => {$(
        impl<O: $role + 'static> RolePorts<O> for ($input, $output) {
            fn wrap(operator: O) -> AnyOperator {
                AnyOperator::$wrap(operator)
            }
        }
    )*};
}

roles! {
    Arc<FileItem> => Arc<FileItem>: Operator, plain;
    Arc<FileItem> => Arc<Content>: Operator, plain;
    Arc<Content> => Arc<Content>: Operator, plain;
    Arc<Content> => Arc<Syntax>: Parser, parser;
    Arc<Syntax> => Arc<Syntax>: Operator, plain;
    Arc<Syntax> => Arc<Chunked>: Chunker, chunker;
    Arc<Chunked> => Arc<Chunked>: Operator, plain;
    Arc<Passage> => Vector: Embedder, embedder;
    Vector => Vector: VectorMap, vector_map;
}

impl<O: Operator + 'static> From<O> for AnyOperator
where
    (O::In, O::Out): RolePorts<O>,
{
    fn from(operator: O) -> Self {
        <(O::In, O::Out)>::wrap(operator)
    }
}
