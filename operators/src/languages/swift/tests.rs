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
        &["Sources/Mill/Parts/Wheel.swift", "Sources/Oven/Oven.swift", "Tests/MillTests/A.swift"],
        "Sources/Oven/Oven.swift",
        "import Mill\nimport class Mill.Wheel\nimport Foundation\n",
        &[
            ("Mill *", &["Sources/Mill/Parts/Wheel.swift"]),
            ("Mill Wheel", &["Sources/Mill/Parts/Wheel.swift"]),
            ("Foundation *", &[]),
        ],
    );
}

#[test]
fn targets() {
    check_targets(&LANGUAGE, 40);
}
