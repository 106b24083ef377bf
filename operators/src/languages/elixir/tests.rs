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
        &["lib/my_app/http_server.ex", "lib/my_app/parts/wheel.ex", "lib/my_app.ex"],
        "lib/my_app/user.ex",
        "defmodule MyApp.User do\n  alias MyApp.{HTTPServer, Parts.Wheel}\n  use MyApp\n  require Logger\nend\n",
        &[
            ("MyApp.HTTPServer", &["lib/my_app/http_server.ex"]),
            ("MyApp.Parts.Wheel", &["lib/my_app/parts/wheel.ex"]),
            ("MyApp", &["lib/my_app.ex"]),
            ("Logger", &[]),
        ],
    );
}
