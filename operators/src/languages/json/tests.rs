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
fn a_manifest_names_the_modules_of_its_package() {
    let files = ["kit/src/index.ts", "kit/src/deep/tool.ts", "kit/lib.js", "app/index.js"];
    let text = r#"{
  "name": "@mill/kit",
  "version": "1.0.0",
  "main": "./dist/index.js",
  "exports": {
    ".": "./dist/index.js",
    "./tool": { "types": "./dist/deep/tool.d.ts", "import": "./dist/deep/tool.mjs" },
    "./lib": { "require": "./lib.js" },
    "./all/*": "./dist/*.js"
  }
}"#;
    check_imports(
        &files,
        "kit/package.json",
        text,
        &[
            ("./dist/index.js", &["kit/src/index.ts"]),
            ("./dist/deep/tool.d.ts", &["kit/src/deep/tool.ts"]),
            ("./lib.js", &["kit/lib.js"]),
        ],
    );
    let plain = "{\"name\": \"app\", \"private\": true}";
    check_imports(&files, "app/package.json", plain, &[("index", &["app/index.js"])]);
    check_imports(&files, "app/other.json", plain, &[("index", &[])]);
    check_imports(&files, "app/package.json", "{\"name\": \"no manifest\", \"a\": {\"name\": \"b\"}}", &[]);
}
