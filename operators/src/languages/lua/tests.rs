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
        &["lua/mill/init.lua", "lua/mill/wheel.lua"],
        "main.lua",
        "local m = require('mill')\nlocal w = require 'mill.wheel'\n",
        &[("mill", &["lua/mill/init.lua"]), ("mill.wheel", &["lua/mill/wheel.lua"])],
    );
}
