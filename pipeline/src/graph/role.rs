//! Check of an operator's ports against its role.

use super::Fault;
use crate::operator::AnyOperator;
use crate::port::Port;

/// Returns what is wrong with the ports of an operator, regardless of its neighbours.
///
/// The role traits fix their ports, so only a plain operator can be wrong: the graph would lack
/// what the role adds, such as a chunker's header or an embedder's dimension.
pub(super) fn fault(operator: &AnyOperator) -> Option<Fault> {
    let AnyOperator::Plain(operator) = operator else { return None };
    let (takes, gives) = (operator.input(), operator.output());
    match (takes, gives) {
        (Port::Chunks, Port::Chunks) if operator.moves_passages() => Some(Fault::MovesPassages),
        (Port::Files, Port::Contents) => None,
        (Port::Contents, Port::Syntax) => Some(Fault::NotAParser),
        (Port::Syntax, Port::Chunks) => Some(Fault::NotAChunker),
        (Port::Chunks, Port::Vectors) => Some(Fault::NotAnEmbedder),
        _ if takes == gives => None,
        _ => Some(Fault::NoRole { takes, gives }),
    }
}
