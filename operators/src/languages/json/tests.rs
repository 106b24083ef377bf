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
            ("./src/*", &["kit/src/index.ts", "kit/src/deep/tool.ts"]),
            ("./dist/*", &[]),
        ],
    );
    let own = r##"{"name": "kit", "private": true, "imports": {"#deep/*": "./src/deep/*.ts", "#a": "./lib.js"}}"##;
    let expected: [(&str, &[&str]); 3] =
        [("index", &["kit/src/index.ts"]), ("./src/deep/*", &["kit/src/deep/tool.ts"]), ("./lib.js", &["kit/lib.js"])];
    check_imports(&files, "kit/package.json", own, &expected);
    let plain = "{\"name\": \"app\", \"private\": true}";
    check_imports(&files, "app/package.json", plain, &[("index", &["app/index.js"])]);
    check_imports(&files, "app/other.json", plain, &[("index", &[])]);
    check_imports(&files, "app/package.json", "{\"name\": \"no manifest\", \"a\": {\"name\": \"b\"}}", &[]);
}

#[test]
fn the_options_of_a_compiler_name_modules_and_folders() {
    let files = ["app/src/main.ts", "app/src/ui/button.tsx", "app/lib/a.ts", "src/other.ts"];
    let text = r#"// Comments are allowed here.
{
  "extends": "../base.json",
  "compilerOptions": {
    "baseUrl": "./src",
    "paths": {
      "@ui/*": ["ui/*"],
      "$lib/*": ["../lib/*", "../missing/*"],
      "main": ["main.ts"],
      "src/*": ["*"],
      "*-loader": ["loaders/*"],
    },
  },
}"#;
    let expected: [(&str, &[&str]); 7] = [
        // It passes on what the folders around say.
        (".", &[]),
        ("./src/ui/*", &["app/src/ui/button.tsx"]),
        ("./src/../lib/*", &["app/lib/a.ts"]),
        ("./src/../missing/*", &[]),
        ("./src/main.ts", &["app/src/main.ts"]),
        ("./src/*", &["app/src/main.ts", "app/src/ui/button.tsx"]),
        ("./src/*", &["app/src/main.ts", "app/src/ui/button.tsx"]),
    ];
    check_imports(&files, "app/tsconfig.json", text, &expected);
    check_imports(&files, "app/jsconfig.dev.json", text, &expected);
    // Only files of such a name have options.
    check_imports(&files, "app/other.json", text, &expected.map(|(import, _)| (import, &[][..])));
}
