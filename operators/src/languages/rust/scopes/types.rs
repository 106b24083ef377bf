//! Types: what a value of one is.

use tree_sitter::Node;

use super::last_name;
use super::paths::path_value;
use crate::bind::{Binder, Value};
use crate::spec::children;

/// How a generic type of the standard library, or of a crate that everybody knows, stands to its
/// arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// It is like its argument.
    Like,
    /// It holds values of its first argument.
    Holds,
    /// It holds values of its last argument.
    HoldsLast,
    /// Neither.
    Own,
}

/// The shape of a type by its name.
pub(super) fn shape(name: &str) -> Shape {
    match name {
        "Box" | "Rc" | "Arc" | "Cow" | "Pin" | "Ref" | "RefMut" | "RefCell" | "Cell" | "Mutex" | "RwLock"
        | "MutexGuard" | "RwLockReadGuard" | "RwLockWriteGuard" | "OnceCell" | "OnceLock" | "LazyLock" | "LazyCell"
        | "Lazy" | "ManuallyDrop" | "Reverse" | "AssertUnwindSafe" | "BoxFuture" | "LocalBoxFuture" | "Peekable"
        | "AsRef" | "AsMut" | "Borrow" | "BorrowMut" | "Deref" | "DerefMut" | "Future" | "Weak" | "CachePadded" => {
            Shape::Like
        }
        "Option"
        | "Result"
        | "Vec"
        | "VecDeque"
        | "HashSet"
        | "BTreeSet"
        | "BinaryHeap"
        | "LinkedList"
        | "IndexSet"
        | "SmallVec"
        | "ArrayVec"
        | "Poll"
        | "LockResult"
        | "JoinHandle"
        | "Iterator"
        | "IntoIterator"
        | "DoubleEndedIterator"
        | "ExactSizeIterator"
        | "Stream"
        | "BoxStream"
        | "IntoIter"
        | "Iter"
        | "IterMut" => Shape::Holds,
        "HashMap" | "BTreeMap" | "IndexMap" | "DashMap" | "FxHashMap" => Shape::HoldsLast,
        _ => Shape::Own,
    }
}

/// Of several bounds the one that is bound to something, if one is.
pub(super) fn likeliest(binder: &Binder<'_>, values: &[Value]) -> Value {
    let known = |value: &&Value| value.path().is_some_and(|path| !binder.is_free(path));
    let any = |value: &&Value| value.path().is_some();
    values.iter().find(known).or_else(|| values.iter().find(any)).copied().unwrap_or(Value::UNKNOWN)
}

/// Binds a type, and returns what a value of it is.
pub(super) fn type_value<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    match node.kind() {
        "identifier" | "type_identifier" | "scoped_type_identifier" | "scoped_identifier" | "bracketed_type" => {
            let value = path_value(binder, node);
            binder.settle(value)
        }
        "generic_type" | "generic_type_with_turbofish" => generic(binder, node),
        "reference_type" | "pointer_type" | "type_binding" => {
            arguments(binder, node);
            binder.at_field(node, "type", type_value)
        }
        "array_type" => {
            let element = binder.at_field(node, "element", type_value);
            binder.at_field(node, "length", super::expressions::visit);
            element.wrapped()
        }
        "dynamic_type" | "abstract_type" => binder.at_field(node, "trait", type_value),
        "higher_ranked_trait_bound" => binder.at_field(node, "type", type_value),
        "bounded_type" => {
            let bounds: Vec<Value> = children(node).map(|bound| binder.at(bound, type_value)).collect();
            likeliest(binder, &bounds)
        }
        "function_type"
        | "tuple_type"
        | "type_arguments"
        | "parameters"
        | "parameter"
        | "removed_trait_bound"
        | "trait_bounds"
        | "qualified_type" => {
            binder.each(node, type_value);
            Value::UNKNOWN
        }
        "block" | "macro_invocation" => super::expressions::visit(binder, node),
        _ => Value::UNKNOWN,
    }
}

fn arguments<'t>(binder: &mut Binder<'t>, node: Node<'t>) {
    if let Some(list) = node.child_by_field_name("type_arguments") {
        binder.at(list, type_value);
    }
}

fn generic<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let base = binder.at_field(node, "type", path_value);
    let list = node.child_by_field_name("type_arguments");
    let arguments: Vec<Value> = list
        .into_iter()
        .flat_map(children)
        .filter(|argument| !matches!(argument.kind(), "lifetime" | "line_comment" | "block_comment"))
        .map(|argument| binder.at(argument, type_value))
        .collect();
    let of = |nth: Option<&Value>| nth.copied().unwrap_or(Value::UNKNOWN);
    // A type of that name that the file defines is another.
    let name = base.path().filter(|path| !binder.defines(*path)).map_or("", |path| last_name(binder, path));
    match shape(name) {
        Shape::Like => of(arguments.last()),
        Shape::Holds => of(arguments.first()).wrapped(),
        Shape::HoldsLast => of(arguments.last()).wrapped(),
        Shape::Own => binder.settle(base),
    }
}
