use super::LANGUAGE;
use crate::testing::{check_definitions, check_imports, check_uses, parse};

#[test]
fn definitions() {
    check_definitions(&LANGUAGE);
}

#[test]
fn uses() {
    check_uses(&LANGUAGE);
}

#[test]
fn imports() {
    let files = [
        "crates/mill/src/lib.rs",
        "crates/mill/src/wheel.rs",
        "crates/mill/src/wheel/spoke.rs",
        "crates/mill/src/parts/mod.rs",
        "crates/mill/src/parts/stone.rs",
        "crates/big-oven/src/lib.rs",
        "crates/big-oven/src/heat.rs",
        "crates/mill/tests/it/main.rs",
        "crates/mill/tests/it/grind.rs",
    ];
    check_imports(
        &files,
        "crates/mill/src/lib.rs",
        "mod wheel;\npub use parts::Stone;\nuse big_oven::heat::{self, Heat};\nuse std::fmt;\nuse crate::Own;\n",
        &[
            ("self::wheel", &["crates/mill/src/wheel.rs"]),
            ("parts Stone", &["crates/mill/src/parts/mod.rs"]),
            ("big_oven heat", &["crates/big-oven/src/heat.rs"]),
            ("big_oven::heat Heat", &["crates/big-oven/src/heat.rs"]),
            ("std fmt", &[]),
            ("crate Own", &["crates/mill/src/lib.rs"]),
        ],
    );
    check_imports(
        &files,
        "crates/mill/src/wheel/spoke.rs",
        "use super::turn;\nuse crate::parts::stone::Stone;\nuse crate::Mill;\nuse super::super::parts::Part;\nuse big_oven::Oven;\nmod inner { mod deeper {} }\nmod tests { use super::*; use super::super::spin; }\n",
        &[
            ("super turn", &["crates/mill/src/wheel.rs"]),
            ("crate::parts::stone Stone", &["crates/mill/src/parts/stone.rs"]),
            ("crate Mill", &["crates/mill/src/lib.rs"]),
            ("super::super::parts Part", &["crates/mill/src/parts/mod.rs"]),
            ("big_oven Oven", &["crates/big-oven/src/lib.rs"]),
            ("self *", &["crates/mill/src/wheel/spoke.rs"]),
            ("super spin", &["crates/mill/src/wheel.rs"]),
        ],
    );
    check_imports(
        &files,
        "crates/mill/tests/it/main.rs",
        "mod grind;\nuse mill::wheel::Wheel;\n",
        &[("self::grind", &["crates/mill/tests/it/grind.rs"]), ("mill::wheel Wheel", &["crates/mill/src/wheel.rs"])],
    );
    check_imports(
        &files,
        "crates/mill/tests/it/grind.rs",
        "use crate::grind;\nuse gristmill_mill::parts::P;\n",
        &[
            ("crate grind", &["crates/mill/tests/it/grind.rs"]),
            ("gristmill_mill::parts P", &["crates/mill/src/parts/mod.rs"]),
        ],
    );
}

/// What is outside of a library imports it by a name that no path tells.
#[test]
fn tests_and_binaries_import_their_library() {
    let files = ["lib/src/lib.rs", "lib/src/deep.rs", "lib/src/main.rs", "other/src/lib.rs"];
    let text = "use kit::Mill;\nuse kit::deep::{self, Wheel};\nuse other::Mill;\n";
    let expected: [(&str, &[&str]); 4] = [
        ("kit Mill", &["lib/src/lib.rs", "lib/src/main.rs"]),
        ("kit deep", &["lib/src/deep.rs"]),
        ("kit::deep Wheel", &["lib/src/deep.rs"]),
        ("other Mill", &["other/src/lib.rs"]),
    ];
    for path in ["lib/tests/it/deep.rs", "lib/examples/show.rs", "lib/src/bin/tool.rs", "lib/src/main.rs"] {
        check_imports(&files, path, text, &expected);
    }
}

/// An attribute may name the file of a module, and a path the crate that it begins with.
#[test]
fn imports_without_use() {
    let files = ["src/lib.rs", "src/odd/place.rs", "kit/src/lib.rs", "src/inner/deep.rs"];
    check_imports(
        &files,
        "src/lib.rs",
        "#[cfg(unix)]\n#[path = \"odd/place.rs\"]\nmod sys;\nmod inner { mod deep; }\nfn f() { kit::run(); sys::go(); std::mem::take(); Own::x() }\n",
        &[
            ("odd/place.rs", &["src/odd/place.rs"]),
            ("self::inner::deep", &["src/inner/deep.rs"]),
            ("kit", &["kit/src/lib.rs"]),
        ],
    );
}

/// What a macro is given is not parsed, but calls in it are seen.
#[test]
fn calls_in_macros_are_found() {
    let text =
        "fn f() { assert!(self.a.is_x(b) && !c(1), std::fs::read(&mut (d)), vec![g(1), H { a: i() }, j!(k)], l.m) }";
    let found = parse("a.rs", text);
    let calls: Vec<String> =
        found.references.iter().map(|call| format!("{} {}", call.qualifier, call.name).trim().to_owned()).collect();
    assert_eq!(calls, ["assert", "self.a is_x", "c", "std::fs read", "vec", "g", "H", "i", "j"]);
}

/// A macro of the file may define what it is given the name of.
#[test]
fn macros_define_items() {
    let text = "\
macro_rules! handler { ($name:ident, GET) => { handler!(#[doc] $name, GET); }; ($(#[$m:meta])+ $name:ident, $method:ident) => { $(#[$m])+ pub fn $name() {} }; }
macro_rules! units { ($($unit:ident),* $(,)?) => { $(pub struct $unit;)* } }
macro_rules! second { ($of:ty, $name:ident) => { impl $of { fn $name() {} } } }
macro_rules! none { ($name:ident) => { run($name) } }
handler!(get, GET);
units![Metre, Second];
impl Mill { handler!(#[inline] post, POST); }
second!(Mill<A, B>, turn);
none!(other);
fn f() { handler!(local, GET); }
";
    let found = parse("a.rs", text);
    let items = found.definitions.iter().filter(|item| item.kind.as_str() != "macro");
    let items: Vec<String> = items.map(|item| format!("{} {}", item.kind.as_str(), item.qualified_name)).collect();
    let expected = [
        "function get",
        "struct Metre",
        "struct Second",
        "implementation Mill",
        "method Mill::post",
        "function turn",
        "function f",
    ];
    assert_eq!(items, expected);
}

/// Returns kind, qualified name and line of each definition.
fn found(text: &str) -> Vec<(&'static str, String, u32)> {
    let syntax = parse("lib.rs", text);
    syntax.definitions.iter().map(|d| (d.kind.as_str(), d.qualified_name.to_string(), d.span.start_line)).collect()
}

#[test]
fn items_in_macros_are_defined_at_their_lines() {
    let text = "cfg_if::cfg_if! {\n    if #[cfg(unix)] {\n        /// Doc.\n        pub fn unix_only(fd: i32) -> i32 { weigh(fd) }\n        pub struct Handle { fd: i32 }\n    } else if #[cfg(windows)] {\n        mod windows { pub fn inner() {} }\n    } else {\n        pub fn other() {}\n    }\n}\n";
    assert_eq!(
        found(text),
        [
            ("function", "unix_only".to_owned(), 4),
            ("struct", "Handle".to_owned(), 5),
            ("field", "Handle::fd".to_owned(), 5),
            ("module", "windows".to_owned(), 7),
            ("function", "windows::inner".to_owned(), 7),
            ("function", "other".to_owned(), 9),
        ]
    );
    let syntax = parse("lib.rs", text);
    assert_eq!(&*syntax.definitions[0].doc, "Doc.");
    let uses: Vec<_> = syntax.references.iter().map(|used| (&*used.name, used.line)).collect();
    assert_eq!(uses, [("cfg_if", 1), ("weigh", 4)]);
    assert_eq!(syntax.references[1].within, Some(0));
}

#[test]
fn macros_that_define_variables_types_and_flags() {
    let lazy = "lazy_static! {\n    pub static ref TABLE: Vec<u32> = vec![weigh(1)];\n}\n";
    assert_eq!(found(lazy), [("variable", "TABLE".to_owned(), 2)]);
    let local = "thread_local! {\n    static A: Cell<u32> = Cell::new(1);\n    static B: Cell<u32> = const { Cell::new(2) }\n}\n";
    assert_eq!(found(local), [("variable", "A".to_owned(), 2), ("variable", "B".to_owned(), 3)]);
    let flags = "bitflags! {\n    /// Doc.\n    pub struct Flags: u32 {\n        const A = 1;\n        const _ = !0;\n    }\n}\n";
    assert_eq!(found(flags), [("struct", "Flags".to_owned(), 3), ("constant", "Flags::A".to_owned(), 4)]);
    assert_eq!(&*parse("lib.rs", flags).definitions[0].signature, "pub struct Flags: u32");
    assert_eq!(found("define_id!(pub struct FooId);\n"), [("struct", "FooId".to_owned(), 1)]);
}

#[test]
fn macros_in_macros_modules_and_implementations() {
    let nested =
        "cfg_rt! {\n    pub mod inner {\n        cfg_io! {\n            pub fn spawn() {}\n        }\n    }\n}\n";
    assert_eq!(found(nested), [("module", "inner".to_owned(), 2), ("function", "inner::spawn".to_owned(), 4)]);
    let method = "struct S;\nimpl S {\n    cfg_io! {\n        pub fn read(&self) {}\n    }\n}\n";
    assert!(found(method).contains(&("method", "S::read".to_owned(), 4)), "{:?}", found(method));
}

#[test]
fn tokens_that_are_no_items_define_nothing() {
    for text in [
        "html! { <fn>struct</fn> }\n",
        "quote! { struct #name { fn $x } }\n",
        "fn f() { quote! { struct Local { a: u8 } } }\n",
        "macro_rules! make { () => { fn made() {} }; }\n",
        "proptest! { fn holds(x in 0..9) {} }\n",
        "criterion_group!(benches, use_of);\n",
    ] {
        let names: Vec<_> = found(text).into_iter().map(|(_, name, _)| name).collect();
        assert!(names.iter().all(|name| matches!(name.as_str(), "f" | "make")), "{text} {names:?}");
    }
}
