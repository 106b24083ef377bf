use super::LANGUAGE;
use crate::testing::{check_definitions, check_imports, check_scopes, check_uses};

#[test]
fn definitions() {
    check_definitions(&LANGUAGE);
}

#[test]
fn uses() {
    check_uses(&LANGUAGE);
}

#[test]
fn scopes() {
    check_scopes(&LANGUAGE, 40);
}

#[test]
fn imports() {
    let files = ["src/Mill.Core/Parts/Wheel.cs", "src/Mill.Core/Mill.cs", "src/Mill.Core/Parts/Stone.cs"];
    check_imports(
        &files,
        "src/App/Program.cs",
        "using System.Linq;\nusing Mill.Core.Parts;\nusing W = Mill.Core.Parts.Wheel;\nusing static Mill.Core.Mill;\n",
        &[
            ("System.Linq *", &[]),
            ("Mill.Core.Parts *", &["src/Mill.Core/Parts/Wheel.cs", "src/Mill.Core/Parts/Stone.cs"]),
            ("Mill.Core.Parts Wheel", &["src/Mill.Core/Parts/Wheel.cs"]),
            ("Mill.Core.Mill *", &["src/Mill.Core/Mill.cs"]),
        ],
    );
}
