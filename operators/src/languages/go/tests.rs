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
    let files = [
        "hugofs/fs.go",
        "hugofs/walk.go",
        "common/herrors/errors.go",
        "common/text/text.go",
        "fmt/fmt.go",
        "src/os/exec/exec.go",
    ];
    let text = "package a\nimport (\n\"fmt\"\n\"strings\"\n\"github.com/gohugoio/hugo/hugofs\"\n\"github.com/gohugoio/hugo/common/herrors\"\n\"text/template\"\n\"os/exec\"\n\"./text\"\n)\n";
    check_imports(
        &files,
        "common/a.go",
        text,
        &[
            ("fmt", &[]),
            ("strings", &[]),
            ("github.com/gohugoio/hugo/hugofs", &["hugofs/fs.go", "hugofs/walk.go"]),
            ("github.com/gohugoio/hugo/common/herrors", &["common/herrors/errors.go"]),
            ("text/template", &[]),
            ("os/exec", &["src/os/exec/exec.go"]),
            ("./text", &["common/text/text.go"]),
        ],
    );
}
