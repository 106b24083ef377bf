use super::LANGUAGE;
use crate::testing::{check_definitions, check_imports, check_uses};

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
    check_imports(
        &["src/Mill/Parts/Wheel.hs", "src/Mill.hs"],
        "app/Main.hs",
        "module Main where\nimport Mill\nimport qualified Mill.Parts.Wheel as W\nimport Data.Map (Map)\n",
        &[("Mill *", &["src/Mill.hs"]), ("Mill.Parts.Wheel", &["src/Mill/Parts/Wheel.hs"]), ("Data.Map Map", &[])],
    );
}
