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
            ("crate Own", &[]),
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
            ("self *", &[]),
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
            ("crate grind", &["crates/mill/tests/it/main.rs"]),
            ("gristmill_mill::parts P", &["crates/mill/src/parts/mod.rs"]),
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
    assert_eq!(calls, ["assert", "self.a is_x", "c", "std::fs read", "vec", "g", "i", "j"]);
}
