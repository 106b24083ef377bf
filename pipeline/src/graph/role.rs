//! Which ports an operator may stand between, given its role.

use super::Fault;
use crate::operator::AnyOperator;
use crate::port::Port;

/// What is wrong with the ports of an operator, whatever stands before and behind it.
///
/// The traits of roles say which ports they have, so only an operator without one can be
/// wrong: what a role adds would be missing where the graph asks for it.
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
