use super::*;

fn name(path: &str) -> &'static str {
    of(&RelPath::from(path), "").name
}

fn decided(path: &str, text: &str) -> &'static str {
    of(&RelPath::from(path), text).name
}

#[test]
fn paths_decide() {
    for (path, expected) in [
        ("a/b.rs", "rust"),
        ("a/B.PY", "python"),
        ("include/a.h", "c"),
        ("a.tsx", "tsx"),
        ("Cargo.lock", "toml"),
        ("Rakefile", "ruby"),
        ("notes.txt", "text"),
        ("configure", "text"),
        ("CMakeLists.txt", "cmake"),
        ("Dockerfile", "dockerfile"),
        ("x.dart", "dart"),
        ("x.geojson", "json"),
        ("x.html.erb", "html-erb"),
        ("a.svelte", "svelte"),
        ("a.vue", "vue"),
    ] {
        assert_eq!(name(path), expected, "{path}");
    }
    assert_eq!(name(".rs"), "text", "a hidden file, not an extension");
}

#[test]
fn first_lines_name_interpreters() {
    for (text, expected) in [
        ("#!/bin/sh\necho", "bash"),
        ("#!/usr/bin/env python3.12\n", "python"),
        ("\u{feff}#!/usr/bin/env python3\r\n", "python"),
        ("#! /usr/bin/env -S A=1 node --x", "javascript"),
        ("#!/usr/bin/env -S uv run --script\n", "python"),
        ("#!/usr/bin/env -S uv run --group test bash\n", "bash"),
        ("#!/usr/bin/env -S uv run -p 3.12 python -u\n", "python"),
        ("#!/usr/bin/env -vS python3 -u\n", "python"),
        ("#!/usr/bin/env -u X -C / ruby\n", "ruby"),
        ("#!/usr/bin/env -Spython3\n", "python"),
        ("#!/usr/bin/env -S deno run --allow-read\n", "typescript"),
        ("#!/usr/bin/env -S poetry run python\n", "python"),
        ("#!/usr/bin/env -S bundle exec ruby\n", "ruby"),
        ("#!/usr/bin/env nix-shell\n#! nix-shell -i python3 -p python3\n", "python"),
        ("#!/bin/sh\n''':'\nexec python3 \"$0\" \"$@\"\n", "python"),
        ("#!/usr/bin/perl -w\n", "perl"),
        ("#!/usr/bin/env Rscript\n", "r"),
        ("#!/opt/unheard-of", "text"),
        ("#!/usr/bin/env\n", "text"),
        ("#!", "text"),
        ("echo", "text"),
    ] {
        assert_eq!(decided("script", text), expected, "{text}");
    }
    assert_eq!(decided("a.py", "#!/bin/sh\n"), "python", "the extension is that of one language");
}

#[test]
fn modelines_name_modes() {
    for (text, expected) in [
        ("# -*- python -*-\n", "python"),
        ("// -*- coding: utf-8; mode: C++ -*-\n", "cpp"),
        ("# -*- coding: utf-8 -*-\n", "text"),
        ("x\n# vim: set ft=ruby ts=2 :\n", "ruby"),
        ("/* vim:ts=4:filetype=javascript */\n", "javascript"),
        ("# vim: ts=4\n", "text"),
        ("see vim: it is an editor, set ft = x\n", "text"),
    ] {
        assert_eq!(decided("file", text), expected, "{text}");
    }
    assert_eq!(decided("a.js", "/* -*- Mode: Java -*- */"), "javascript", "the extension is that of one language");
    assert_eq!(decided("a.h", "/* -*- Mode: C++ -*- */\nint x;"), "cpp");
    assert_eq!(decided("a.h", "/* -*- Mode: Python -*- */\nint x;"), "c", "no language of that extension");
}

#[test]
fn content_decides_where_an_extension_is_shared() {
    for (path, text, expected) in [
        ("a.h", "struct P { int x; };\nint f(struct P *p);\n", "c"),
        ("a.h", "#ifdef __cplusplus\nextern \"C\" {\n#endif\nint f(void);\n", "c"),
        ("a.h", "namespace shop {\nstruct Base {};\n}\n", "cpp"),
        ("a.h", "struct Derived : Base {\n  int x;\n};\n", "cpp"),
        ("a.h", "class A {\r\n public:\r\n  A();\r\n};\r\n", "cpp"),
        ("a.h", "void f(const std::string& x);\n", "cpp"),
        ("a.h", "int f(const Till & till);\n", "cpp"),
        ("a.H", "template <class T> T f();\n", "cpp"),
        ("a.h", "#import <Foundation/Foundation.h>\n@interface A : NSObject\n@end\n", "objective-c"),
        ("a.ts", "<?xml version=\"1.0\"?>\n<!DOCTYPE TS>\n<TS version=\"2.1\">\n", "xml"),
        ("a.ts", "export function f<TS extends object>(x: TS): TS { return x; }\n", "typescript"),
        ("a.inc", "<?php\nfunction f() {}\n", "php"),
        ("a.inc", "#define X 1\n", "cpp"),
        ("a.inc", "  mov eax, 1\n", "assembly"),
        ("a.inc", "just text\n", "text"),
        ("a.m", "#import \"A.h\"\n@implementation A\n@end\n", "objective-c"),
        ("a.m", "% sums\nfunction y = f(x)\n  y = x;\nend\n", "matlab"),
        ("a.m", "function y = f(x)\n  y = x;\nend\n", "matlab"),
        ("a.pl", "#!/usr/bin/perl\nuse strict;\n", "perl"),
        ("a.pl", "parent(X, Y) :- child(Y, X).\n", "prolog"),
        ("a.v", "module counter (input clk);\nendmodule\n", "verilog"),
        ("a.v", "Require Import Arith.\nTheorem t : True. Proof. exact I. Qed.\n", "coq"),
        ("a.v", "module main\n\nfn main() {\n}\n", "v"),
        ("a.rs", "fn main() {}\n", "rust"),
        ("a.cs", "class A {}\n", "csharp"),
        ("a.md", "(text in brackets)\n", "markdown"),
    ] {
        assert_eq!(decided(path, text), expected, "{path}: {text}");
    }
}

#[test]
fn equal_variants_and_texts_are_in_one_language() {
    let variants: Vec<_> =
        ["a.h", "b/c.H", "c.ts", "x.rs", "Makefile", "none"].map(|path| variant(&RelPath::from(path))).into();
    assert_eq!(variants, ["h", "h", "ts", "rs", "makefile", ""]);
}

#[test]
fn the_patterns_of_rules_compile() {
    assert_eq!(linguist::broken_patterns(), [""; 0]);
}
