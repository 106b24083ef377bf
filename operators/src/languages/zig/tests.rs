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
        &["src/main.zig", "src/parts/wheel.zig"],
        "src/main.zig",
        "const std = @import(\"std\");\nconst wheel = @import(\"parts/wheel.zig\");\n",
        &[("std", &[]), ("parts/wheel.zig", &["src/parts/wheel.zig"])],
    );
}
