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
    let files = ["lib/mill.c", "lib/mill.h", "include/mill/wheel.h", "lib/wheel.h", "stdio.h", "deep/stdlib.h"];
    let text = "#include \"mill.h\"\n#include \"mill/wheel.h\"\n#include <mill/wheel.h>\n#include \"../lib/wheel.h\"\n#include <stdlib.h>\n#include <stdio.h>\n#include <wheel.h>\n#include \"stdlib.h\"\n";
    check_imports(
        &files,
        "lib/mill.c",
        text,
        &[
            ("mill.h *", &["lib/mill.h"]),
            ("mill/wheel.h *", &["include/mill/wheel.h"]),
            ("mill/wheel.h", &["include/mill/wheel.h"]),
            ("../lib/wheel.h *", &["lib/wheel.h"]),
            ("stdlib.h", &[]),
            ("stdio.h", &["stdio.h"]),
            ("wheel.h", &[]),
            ("stdlib.h *", &["deep/stdlib.h"]),
        ],
    );
}

#[test]
fn targets() {
    check_targets(&LANGUAGE, 40);
}
