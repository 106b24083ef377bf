use super::LANGUAGE;
use crate::testing::{check_definitions, check_imports, check_uses};

#[test]
fn definitions() {
    check_definitions(&LANGUAGE);
}

#[test]
fn a_manifest_names_crates() {
    let files = [
        "kit/src/lib.rs",
        "kit/src/main.rs",
        "kit/src/tool.rs",
        "kit/code/root.rs",
        "app/src/lib.rs",
        "gear/src/lib.rs",
    ];
    let text = r#"
[package]
name = "mill-kit"

[dependencies]
serde = { version = "1", package = "other" }
app = { path = "../app" }
mill-gear = { path = "../gear", package = "gear" }

[target.'cfg(unix)'.dev-dependencies.near]
package = "app"
path = "../app/"
"#;
    check_imports(
        &files,
        "kit/Cargo.toml",
        text,
        &[
            ("./src", &["kit/src/lib.rs", "kit/src/main.rs", "kit/src/tool.rs"]),
            ("../app/src", &["app/src/lib.rs"]),
            ("../gear/src", &["gear/src/lib.rs"]),
            ("../app/src", &["app/src/lib.rs"]),
        ],
    );
    let own = "[package]\nname = 'a'\n[lib]\nname = 'b'\npath = \"code/root.rs\"\n";
    check_imports(
        &files,
        "kit/Cargo.toml",
        own,
        &[("./code", &["kit/code/root.rs"]), ("code/root", &["kit/code/root.rs"])],
    );
    check_imports(&files, "kit/other.toml", own, &[("./code", &[]), ("code/root", &[])]);
    check_imports(
        &files,
        "Cargo.toml",
        "[workspace.dependencies]\nk = { path = \"./kit\", package = \"a\" }\n[patch.crates-io]\ngear = { path = \"gear\" }\n",
        &[("./kit/src", &["kit/src/lib.rs", "kit/src/main.rs", "kit/src/tool.rs"]), ("gear/src", &["gear/src/lib.rs"])],
    );
}

#[test]
fn uses() {
    check_uses(&LANGUAGE);
}
