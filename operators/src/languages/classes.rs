//! How languages bind names whose code lies in classes: what Java, Kotlin, C# and Scala share.
//!
//! The names of a class are seen in all of it, and those of the classes and blocks around it. A name
//! that none of these declares may be inherited, where a class around has a base, or belong to the
//! package: the path `unit Class . name` stands for both (see
//! [`NamePath::SEEN`](gristmill_pipeline::port::NamePath)). Names of types are looked up apart from
//! those of variables, since a variable may be called like its type.

use gristmill_pipeline::port::{Anchor, DefinitionKind, LeadKind, NamePath};
use tree_sitter::Node;

use crate::bind::{Binder, Binding, PathId, ScopeKind, Value};
use crate::spec::{children, is_type};

/// The class that is bound.
const CLASS: &str = "class";
/// Its first base.
const BASE: &str = "base";
/// The class whose bases may have the names that the file does not declare.
const HEIR: &str = "heir";
/// What a lambda that is bound next gets as its first argument.
const ARGUMENT: &str = "argument";
/// What is remembered where there is none of these.
const NOTHING: Binding = Binding::Local(Value::UNKNOWN);

/// Binds a node of a language.
pub(super) type Visit = for<'t> fn(&mut Binder<'t>, Node<'t>) -> Value;

/// Types of the standard libraries that hold values of their last type argument, in order.
const CONTAINERS: &[&str] = &[
    "Array",
    "ArrayBuffer",
    "ArrayDeque",
    "ArrayList",
    "Collection",
    "ConcurrentDictionary",
    "ConcurrentHashMap",
    "Deque",
    "Dictionary",
    "HashMap",
    "HashSet",
    "ICollection",
    "IDictionary",
    "IEnumerable",
    "IEnumerator",
    "IList",
    "IReadOnlyCollection",
    "IReadOnlyDictionary",
    "IReadOnlyList",
    "ISet",
    "IndexedSeq",
    "Iterable",
    "Iterator",
    "LinkedHashMap",
    "LinkedHashSet",
    "LinkedList",
    "List",
    "ListBuffer",
    "ListIterator",
    "Map",
    "MutableCollection",
    "MutableIterable",
    "MutableIterator",
    "MutableList",
    "MutableMap",
    "MutableSet",
    "Option",
    "Optional",
    "Queue",
    "Seq",
    "Sequence",
    "Set",
    "SortedMap",
    "SortedSet",
    "Stack",
    "Stream",
    "TreeMap",
    "TreeSet",
    "Vector",
];

/// Types that stand for a value of their only argument, in order.
const TRANSPARENT: &[&str] = &["Lazy", "Nullable", "Task", "ValueTask", "WeakReference"];

/// Members of containers that give one element, in order.
const ELEMENTS: &[&str] = &[
    "Dequeue",
    "ElementAt",
    "First",
    "FirstOrDefault",
    "Last",
    "LastOrDefault",
    "Peek",
    "Pop",
    "Single",
    "SingleOrDefault",
    "apply",
    "element",
    "elementAt",
    "find",
    "first",
    "firstOrNull",
    "get",
    "getFirst",
    "getLast",
    "getOrDefault",
    "getOrElse",
    "getOrNull",
    "getOrPut",
    "getValue",
    "head",
    "last",
    "lastOrNull",
    "next",
    "orElse",
    "orElseGet",
    "orElseThrow",
    "peek",
    "poll",
    "pop",
    "remove",
    "removeAt",
    "removeFirst",
    "removeLast",
    "single",
    "singleOrNull",
    "take",
];

/// Members of containers that give a container of the same elements, in order.
const SAME: &[&str] = &[
    "Distinct",
    "OrderBy",
    "Reverse",
    "Skip",
    "Take",
    "ToArray",
    "ToList",
    "Values",
    "Where",
    "asIterable",
    "asSequence",
    "distinct",
    "drop",
    "filter",
    "filterNot",
    "iterator",
    "limit",
    "listIterator",
    "reverse",
    "reversed",
    "skip",
    "sorted",
    "sortedBy",
    "stream",
    "subList",
    "tail",
    "toList",
    "toSeq",
    "values",
];

/// Functions that hand what they are called on to a lambda, in order.
const SELF_SCOPED: &[&str] = &["also", "let", "takeIf", "takeUnless"];

/// Declares what the file defines at its top level.
pub(super) fn declare_file(binder: &mut Binder<'_>) {
    for (definition, key) in binder.definitions() {
        if let Some(key) = key.filter(|key| binder.is_of_unit(*key)) {
            declare_definition(binder, &definition.name, definition.kind, key);
        }
    }
}

fn declare_definition<'t>(binder: &mut Binder<'t>, name: &'t str, kind: DefinitionKind, key: PathId) {
    let binding = Binding::Path(key);
    if is_type(kind) || kind == DefinitionKind::Type {
        binder.declare_type(name, binding);
    } else if !matches!(kind, DefinitionKind::Constructor | DefinitionKind::Module | DefinitionKind::Implementation) {
        binder.declare_new(name, binding);
    }
}

/// What was remembered outside of a class.
pub(super) struct Outside([Binding; 3]);

fn remember(binder: &Binder<'_>) -> Outside {
    Outside([CLASS, BASE, HEIR].map(|word| binder.marked(word).unwrap_or(NOTHING)))
}

fn restore(binder: &mut Binder<'_>, Outside(marks): Outside) {
    for (word, binding) in [CLASS, BASE, HEIR].into_iter().zip(marks) {
        binder.mark(word, binding);
    }
}

/// The path of the class whose name is `name`, which is declared if it is a local one.
pub(super) fn class_key<'t>(binder: &mut Binder<'t>, name: Node<'t>) -> PathId {
    let owner = class(binder);
    let key = binder.key_or(name, owner);
    let text = binder.slice(name);
    if binder.lookup_type(text).is_none() {
        binder.declare_type(text, Binding::Path(key));
    }
    key
}

/// Records the bases of a class: each type is bound by `of_type`. Returns the first.
pub(super) fn bases<'t>(
    binder: &mut Binder<'t>,
    key: PathId,
    types: impl IntoIterator<Item = Node<'t>>,
    of_type: Visit,
) -> Option<Value> {
    let mut first = None;
    for base in types {
        let value = binder.at(base, of_type);
        binder.lead(LeadKind::Base, key, value);
        first = Some(first.unwrap_or(value).or(value));
    }
    first
}

/// Opens the scope of a class, whose name is `name`, and declares its members.
pub(super) fn open_class<'t>(
    binder: &mut Binder<'t>,
    name: Option<Node<'t>>,
    key: PathId,
    base: Option<Value>,
) -> Outside {
    let outside = remember(binder);
    binder.open(ScopeKind::Type);
    binder.mark(CLASS, Binding::Path(key));
    binder.mark(BASE, NOTHING);
    inherit(binder, key, base);
    for (member, key) in name.map_or_else(Vec::new, |name| binder.members(name)) {
        declare_definition(binder, &member.name, member.kind, key);
    }
    outside
}

/// Says what base the class has whose scope is open.
pub(super) fn inherit(binder: &mut Binder<'_>, key: PathId, base: Option<Value>) {
    if let Some(base) = base {
        binder.mark(BASE, Binding::Local(base));
        binder.mark(HEIR, Binding::Path(key));
    }
}

/// Opens the scope of a class without a name that has this base.
pub(super) fn open_anonymous<'t>(binder: &mut Binder<'t>, body: Node<'t>, base: Value) -> Outside {
    let outside = remember(binder);
    binder.open(ScopeKind::Type);
    binder.mark(BASE, Binding::Local(base));
    binder.mark(CLASS, base.plain().map_or(NOTHING, Binding::Path));
    extend(binder, base);
    for member in children(body) {
        let name = member.child_by_field_name("name");
        if let Some((name, key)) = name.and_then(|name| Some((binder.slice(name), binder.key(name)?))) {
            binder.declare_new(name, Binding::Path(key));
        }
    }
    outside
}

/// Says that code sees the members of a value too, as in an extension function.
pub(super) fn extend(binder: &mut Binder<'_>, value: Value) {
    // Members of what has more names than one are not followed further.
    if let Some(path) =
        value.plain().filter(|path| binder.parent(*path).is_some_and(|(above, _)| binder.parent(above).is_none()))
    {
        binder.mark(HEIR, Binding::Path(path));
    }
}

/// Opens the scope of a function with a receiver.
pub(super) fn open_extension(binder: &mut Binder<'_>, receiver: Value) -> Outside {
    let outside = remember(binder);
    binder.open(ScopeKind::Function);
    binder.mark(CLASS, receiver.plain().map_or(NOTHING, Binding::Path));
    binder.mark(BASE, NOTHING);
    extend(binder, receiver);
    outside
}

/// Binds the members of a class: fields first, because methods before them use what they hold.
pub(super) fn bodies<'t>(
    binder: &mut Binder<'t>,
    members: impl Iterator<Item = Node<'t>>,
    fields: &[&str],
    visit: Visit,
) {
    let (fields, others): (Vec<_>, Vec<_>) = members.partition(|member| fields.contains(&member.kind()));
    for member in fields.into_iter().chain(others) {
        binder.at(member, visit);
    }
}

/// Closes what was opened.
pub(super) fn close(binder: &mut Binder<'_>, outside: Outside) {
    binder.close();
    restore(binder, outside);
}

/// The path of the class that is bound.
pub(super) fn class(binder: &Binder<'_>) -> Option<PathId> {
    binder.marked_path(CLASS)
}

/// What `this` stands for.
pub(super) fn this(binder: &Binder<'_>) -> Value {
    class(binder).map_or(Value::UNKNOWN, Value::of)
}

/// What `super` stands for.
pub(super) fn base(binder: &Binder<'_>) -> Value {
    match binder.marked(BASE) {
        Some(Binding::Local(value)) => value,
        _ => Value::UNKNOWN,
    }
}

/// Binds a plain name that is no type.
pub(super) fn name<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let bound = binder.lookup_any(binder.slice(node), false);
    plain(binder, node, bound)
}

/// Binds the plain name of a method, which no variable is.
pub(super) fn method_name<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let bound = binder.lookup_any(binder.slice(node), true);
    plain(binder, node, bound)
}

fn plain<'t>(binder: &mut Binder<'t>, node: Node<'t>, bound: Option<Binding>) -> Value {
    if let Some(binding) = bound {
        let value = binder.use_binding(node, binding);
        return binder.held(value);
    }
    let name = binder.slice(node);
    let path = match binder.marked(HEIR) {
        Some(Binding::Path(heir)) => {
            let seen = binder.below(heir, NamePath::SEEN);
            binder.below(seen, name)
        }
        _ => binder.path(Anchor::Free, name),
    };
    binder.use_binding(node, Binding::Path(path))
}

/// Binds the plain name of a type.
pub(super) fn type_name<'t>(binder: &mut Binder<'t>, node: Node<'t>) -> Value {
    let name = binder.slice(node);
    let bound = binder.lookup_type(name).unwrap_or_else(|| Binding::Path(binder.path(Anchor::Free, name)));
    binder.use_binding(node, bound)
}

/// Binds a generic type: `of` is what it is without its arguments.
pub(super) fn generic(binder: &Binder<'_>, name: &str, of: Value, arguments: &[Value]) -> Value {
    let foreign = of.plain().is_none_or(|path| !binder.is_of_unit(path));
    match arguments.last() {
        Some(last) if foreign && CONTAINERS.binary_search(&name).is_ok() => last.wrapped(),
        Some(last) if foreign && TRANSPARENT.binary_search(&name).is_ok() => *last,
        _ => of,
    }
}

/// Declares a type parameter.
pub(super) fn type_parameter<'t>(binder: &mut Binder<'t>, name: Node<'t>, bound: Value) {
    binder.declare_type(binder.slice(name), Binding::Local(bound));
}

/// Declares a variable, a field or a property where it stands.
pub(super) fn variable<'t>(binder: &mut Binder<'t>, name: Node<'t>, value: Value) {
    if binder.in_body() {
        let owner = class(binder);
        let key = binder.key_or(name, owner);
        binder.hold(key, value);
        binder.lead(LeadKind::Type, key, value);
    } else {
        binder.declare(binder.slice(name), Binding::Local(value));
    }
}

/// Declares a parameter of a class that is a property too.
pub(super) fn property_parameter<'t>(binder: &mut Binder<'t>, name: Node<'t>, value: Value) {
    if let Some(class) = class(binder) {
        let property = binder.key_or(name, Some(class));
        binder.hold(property, value);
        binder.lead(LeadKind::Type, property, value);
    }
    binder.declare(binder.slice(name), Binding::Local(value));
}

/// Says what a call of the function whose name is `name` gives.
pub(super) fn result<'t>(binder: &mut Binder<'t>, name: Node<'t>, value: Value) {
    let owner = class(binder);
    let key = binder.key_or(name, owner);
    let call = binder.below(key, "()");
    binder.lead(LeadKind::Type, call, value);
}

/// Binds a member of a value.
pub(super) fn member<'t>(binder: &mut Binder<'t>, value: Value, name: Node<'t>) -> Value {
    let text = binder.slice(name);
    if let Some(element) = value.unwrapped() {
        binder.record(name, Value::UNKNOWN);
        let is_same = SAME.binary_search(&text).is_ok();
        let is_element = ELEMENTS.binary_search(&text).is_ok();
        return if is_same {
            value
        } else if is_element {
            element
        } else {
            Value::UNKNOWN
        };
    }
    let member = binder.use_member(value, name);
    binder.held(member)
}

/// What a call of a member of a value gives; `member` is what the member stands for.
pub(super) fn call_member<'t>(binder: &mut Binder<'t>, value: Value, name: &str, member: Value) -> Value {
    match value.unwrapped() {
        Some(element) if ELEMENTS.binary_search(&name).is_ok() => element,
        Some(_) if SAME.binary_search(&name).is_ok() => value,
        Some(_) => Value::UNKNOWN,
        None if matches!(name, "also" | "apply") => value,
        None => binder.call(member),
    }
}

/// Remembers what a lambda gets that is an argument of a member of `receiver`.
pub(super) fn expect_lambda(binder: &mut Binder<'_>, receiver: Value, name: &str) {
    let argument = match receiver.unwrapped() {
        Some(element) => element,
        None if SELF_SCOPED.binary_search(&name).is_ok() => receiver,
        None => Value::UNKNOWN,
    };
    binder.mark(ARGUMENT, Binding::Local(argument));
}

/// What the lambda that is bound gets as its first argument; later ones get nothing.
pub(super) fn lambda_argument(binder: &mut Binder<'_>) -> Value {
    let argument = binder.marked(ARGUMENT);
    binder.mark(ARGUMENT, NOTHING);
    match argument {
        Some(Binding::Local(value)) => value,
        _ => Value::UNKNOWN,
    }
}

/// Binds an imported name: a use of what is imported under `local`.
pub(super) fn imported<'t>(binder: &mut Binder<'t>, name: Node<'t>, local: &'t str) {
    let path = binder.path(Anchor::File, local);
    binder.record(name, Value::of(path));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_that_are_searched_are_in_order() {
        for list in [CONTAINERS, TRANSPARENT, ELEMENTS, SAME, SELF_SCOPED] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
