use super::LANGUAGE;
use crate::testing::{check_definitions, check_imports, check_targets, check_uses};

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
        &["lib/mill.rb", "lib/mill/wheel.rb", "lib/mill/parts/stone.rb", "spec/json.rb"],
        "lib/mill/parts/user.rb",
        "require 'mill/wheel'\nrequire 'mill'\nrequire_relative '../wheel'\nrequire_relative 'stone'\n",
        &[
            ("mill/wheel *", &["lib/mill/wheel.rb"]),
            ("mill *", &["lib/mill.rb"]),
            ("../wheel *", &["lib/mill/wheel.rb"]),
            ("./stone *", &["lib/mill/parts/stone.rb"]),
        ],
    );
}

#[test]
fn targets() {
    check_targets(&LANGUAGE, 40);
}
