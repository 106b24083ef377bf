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
        &["css/base.css", "css/theme/dark.css"],
        "css/main.css",
        "@import \"base.css\";\n@import url('./theme/dark.css');\n",
        &[("base.css *", &["css/base.css"]), ("./theme/dark.css *", &["css/theme/dark.css"])],
    );
}
