//! Which file an import means.

use std::collections::BTreeSet;

use gristmill_operators::parse::Parse;
use gristmill_pipeline::port::Import;
use gristmill_pipeline::{Operator, RelPath};

use crate::parse::parse;

/// The files that an import means: those that have the first of its names that any has.
fn meant<'f>(files: &[&'f str], path: &str, import: &Import) -> Vec<&'f str> {
    let parse = Parse::default();
    for name in parse.import_names(&RelPath::from(path), import) {
        let has = |file: &&&str| parse.module_names(&RelPath::from(**file)).contains(&name);
        let found: Vec<&str> = files.iter().filter(has).copied().collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// Checks what the imports of `text`, which is the file at `path`, mean among `files`. Each
/// line of `expected` is an import, `module`, `module name` or `module *`, and the files.
fn check(files: &[&str], path: &str, text: &str, expected: &[(&str, &[&str])]) {
    let syntax = parse(path, text);
    let found: Vec<(String, Vec<&str>)> = syntax
        .imports
        .iter()
        .map(|import| {
            let name = if import.name.is_empty() { String::new() } else { format!(" {}", import.name) };
            (format!("{}{name}", import.module), meant(files, path, import))
        })
        .collect();
    let found: Vec<(&str, &[&str])> = found.iter().map(|(import, files)| (&**import, &**files)).collect();
    assert_eq!(found, expected, "{path}");
}

#[test]
fn python() {
    let files = [
        "src/mill/__init__.py",
        "src/mill/core.py",
        "src/mill/parts/__init__.py",
        "src/mill/parts/wheel.py",
        "src/mill/parts/types.py",
        "src/mill/logging.py",
        "scripts/tool.py",
        "scripts/common.py",
    ];
    let text = "\
from . import core
from .wheel import Wheel
from .. import parts
from ..core import grind as g
from mill.parts import wheel, Other
from mill import *
import mill.parts.wheel as w
import logging
import numpy
";
    check(
        &files,
        "src/mill/parts/user.py",
        text,
        &[
            (". core", &["src/mill/parts/__init__.py"]),
            (".wheel Wheel", &["src/mill/parts/wheel.py"]),
            (".. parts", &["src/mill/parts/__init__.py"]),
            ("..core grind", &["src/mill/core.py"]),
            ("mill.parts wheel", &["src/mill/parts/wheel.py"]),
            ("mill.parts Other", &["src/mill/parts/__init__.py"]),
            ("mill *", &["src/mill/__init__.py"]),
            ("mill.parts.wheel", &["src/mill/parts/wheel.py"]),
            ("logging", &[]),
            ("numpy", &[]),
        ],
    );
    check(&files, "scripts/tool.py", "import common\n", &[("common", &["scripts/common.py"])]);
    check(&files, "top.py", "from ... import far\n", &[("... far", &[])]);
}

#[test]
fn ecmascript() {
    let files = [
        "web/src/app.tsx",
        "web/src/util.ts",
        "web/src/ui/index.ts",
        "web/src/ui/panel.tsx",
        "web/src/types.d.ts",
        "packages/core/src/index.js",
        "packages/core/src/deep.js",
        "web/src/path.ts",
    ];
    let text = "\
import a from './util';
import b from './util.js';
import { c } from './ui';
import { d } from './ui/';
import { e } from '../src/ui/panel';
import { f } from '@/ui/panel';
import type { G } from './types';
export * from '@mill/core';
export { h } from '@mill/core/deep';
import path from 'path';
import fs from 'node:fs';
import react from 'react';
import './none.css';
const { i } = require('./ui/panel');
";
    check(
        &files,
        "web/src/app.tsx",
        text,
        &[
            ("./util default", &["web/src/util.ts"]),
            ("./util.js default", &["web/src/util.ts"]),
            ("./ui c", &["web/src/ui/index.ts"]),
            ("./ui/ d", &["web/src/ui/index.ts"]),
            ("../src/ui/panel e", &["web/src/ui/panel.tsx"]),
            ("@/ui/panel f", &["web/src/ui/panel.tsx"]),
            ("./types G", &["web/src/types.d.ts"]),
            ("@mill/core *", &["packages/core/src/index.js"]),
            ("@mill/core/deep h", &["packages/core/src/deep.js"]),
            ("path default", &[]),
            ("node:fs default", &[]),
            ("react default", &[]),
            ("./none.css", &[]),
            ("./ui/panel i", &["web/src/ui/panel.tsx"]),
        ],
    );
    check(&["index.js"], "lib/a.js", "import '..';\n", &[("..", &["index.js"])]);
}

#[test]
fn rust() {
    let files = [
        "crates/mill/src/lib.rs",
        "crates/mill/src/wheel.rs",
        "crates/mill/src/wheel/spoke.rs",
        "crates/mill/src/parts/mod.rs",
        "crates/mill/src/parts/stone.rs",
        "crates/big-oven/src/lib.rs",
        "crates/big-oven/src/heat.rs",
        "crates/mill/tests/it/main.rs",
        "crates/mill/tests/it/grind.rs",
    ];
    check(
        &files,
        "crates/mill/src/lib.rs",
        "mod wheel;\npub use parts::Stone;\nuse big_oven::heat::{self, Heat};\nuse std::fmt;\nuse crate::Own;\n",
        &[
            ("self::wheel", &["crates/mill/src/wheel.rs"]),
            ("parts Stone", &["crates/mill/src/parts/mod.rs"]),
            ("big_oven heat", &["crates/big-oven/src/heat.rs"]),
            ("big_oven::heat Heat", &["crates/big-oven/src/heat.rs"]),
            ("std fmt", &[]),
            ("crate Own", &[]),
        ],
    );
    check(
        &files,
        "crates/mill/src/wheel/spoke.rs",
        "use super::turn;\nuse crate::parts::stone::Stone;\nuse crate::Mill;\nuse super::super::parts::Part;\nuse big_oven::Oven;\nmod inner { mod deeper {} }\nmod tests { use super::*; use super::super::spin; }\n",
        &[
            ("super turn", &["crates/mill/src/wheel.rs"]),
            ("crate::parts::stone Stone", &["crates/mill/src/parts/stone.rs"]),
            ("crate Mill", &["crates/mill/src/lib.rs"]),
            ("super::super::parts Part", &["crates/mill/src/parts/mod.rs"]),
            ("big_oven Oven", &["crates/big-oven/src/lib.rs"]),
            ("self *", &[]),
            ("super spin", &["crates/mill/src/wheel.rs"]),
        ],
    );
    check(
        &files,
        "crates/mill/tests/it/main.rs",
        "mod grind;\nuse mill::wheel::Wheel;\n",
        &[("self::grind", &["crates/mill/tests/it/grind.rs"]), ("mill::wheel Wheel", &["crates/mill/src/wheel.rs"])],
    );
    check(
        &files,
        "crates/mill/tests/it/grind.rs",
        "use crate::grind;\nuse gristmill_mill::parts::P;\n",
        &[
            ("crate grind", &["crates/mill/tests/it/main.rs"]),
            ("gristmill_mill::parts P", &["crates/mill/src/parts/mod.rs"]),
        ],
    );
}

#[test]
fn go() {
    let files = ["hugofs/fs.go", "hugofs/walk.go", "common/herrors/errors.go", "common/text/text.go", "fmt/fmt.go"];
    let text = "package a\nimport (\n\"fmt\"\n\"strings\"\n\"github.com/gohugoio/hugo/hugofs\"\n\"github.com/gohugoio/hugo/common/herrors\"\n\"text/template\"\n\"./text\"\n)\n";
    check(
        &files,
        "common/a.go",
        text,
        &[
            ("fmt", &["fmt/fmt.go"]),
            ("strings", &[]),
            ("github.com/gohugoio/hugo/hugofs", &["hugofs/fs.go", "hugofs/walk.go"]),
            ("github.com/gohugoio/hugo/common/herrors", &["common/herrors/errors.go"]),
            ("text/template", &[]),
            ("./text", &["common/text/text.go"]),
        ],
    );
}

#[test]
fn jvm() {
    let files = [
        "app/src/main/java/com/mill/Mill.java",
        "app/src/main/java/com/mill/parts/Wheel.java",
        "app/src/main/java/com/mill/parts/Stone.java",
        "app/src/main/kotlin/com/mill/Tools.kt",
    ];
    check(
        &files,
        "app/src/main/java/com/mill/Mill.java",
        "import com.mill.parts.Wheel;\nimport com.mill.parts.*;\nimport com.mill.parts.Wheel.Spoke;\nimport static com.mill.parts.Wheel.*;\nimport java.util.List;\nclass A {}",
        &[
            ("com.mill.parts Wheel", &["app/src/main/java/com/mill/parts/Wheel.java"]),
            (
                "com.mill.parts *",
                &["app/src/main/java/com/mill/parts/Wheel.java", "app/src/main/java/com/mill/parts/Stone.java"],
            ),
            ("com.mill.parts.Wheel Spoke", &["app/src/main/java/com/mill/parts/Wheel.java"]),
            ("com.mill.parts.Wheel *", &["app/src/main/java/com/mill/parts/Wheel.java"]),
            ("java.util List", &[]),
        ],
    );
    check(
        &files,
        "app/src/main/kotlin/com/mill/Main.kt",
        "import com.mill.parts.Wheel\nimport com.mill.weigh\n",
        &[
            ("com.mill.parts Wheel", &["app/src/main/java/com/mill/parts/Wheel.java"]),
            ("com.mill weigh", &["app/src/main/java/com/mill/Mill.java", "app/src/main/kotlin/com/mill/Tools.kt"]),
        ],
    );
    check(
        &files,
        "A.scala",
        "import com.mill.parts.{Wheel, Stone => S, _}\n",
        &[
            ("com.mill.parts Wheel", &["app/src/main/java/com/mill/parts/Wheel.java"]),
            ("com.mill.parts Stone", &["app/src/main/java/com/mill/parts/Stone.java"]),
            (
                "com.mill.parts *",
                &["app/src/main/java/com/mill/parts/Wheel.java", "app/src/main/java/com/mill/parts/Stone.java"],
            ),
        ],
    );
}

#[test]
fn c() {
    let files = ["lib/mill.c", "lib/mill.h", "include/mill/wheel.h", "lib/wheel.h", "stdio.h", "deep/stdlib.h"];
    let text = "#include \"mill.h\"\n#include \"mill/wheel.h\"\n#include <mill/wheel.h>\n#include \"../lib/wheel.h\"\n#include <stdlib.h>\n#include <stdio.h>\n#include <wheel.h>\n#include \"stdlib.h\"\n";
    check(
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
fn csharp() {
    let files = ["src/Mill.Core/Parts/Wheel.cs", "src/Mill.Core/Mill.cs", "src/Mill.Core/Parts/Stone.cs"];
    check(
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

#[test]
fn scripting_languages() {
    check(
        &["src/Models/User.php", "src/helpers.php", "src/Kernel.php", "config.php"],
        "src/Http/Home.php",
        "<?php\nuse App\\Models\\User;\nuse App\\Kernel;\nrequire __DIR__ . '/../helpers.php';\ninclude 'config.php';\n",
        &[
            ("App\\Models User", &["src/Models/User.php"]),
            ("App Kernel", &["src/Kernel.php"]),
            ("./../helpers.php *", &["src/helpers.php"]),
            ("config.php *", &["config.php"]),
        ],
    );
    check(
        &["lib/mill.rb", "lib/mill/wheel.rb", "lib/mill/parts/stone.rb", "spec/json.rb"],
        "lib/mill/parts/user.rb",
        "require 'mill/wheel'\nrequire 'mill'\nrequire_relative '../wheel'\nrequire_relative 'stone'\n",
        &[
            ("mill/wheel *", &["lib/mill/wheel.rb"]),
            ("mill *", &["lib/mill.rb"]),
            ("../wheel *", &["lib/mill/wheel.rb"]),
            ("./stone *", &["lib/mill/parts/stone.rb"]),
        ],
    );
    check(
        &["lua/mill/init.lua", "lua/mill/wheel.lua"],
        "main.lua",
        "local m = require('mill')\nlocal w = require 'mill.wheel'\n",
        &[("mill", &["lua/mill/init.lua"]), ("mill.wheel", &["lua/mill/wheel.lua"])],
    );
    check(
        &["bin/lib/common.sh", "env.sh"],
        "bin/run.sh",
        "source ./lib/common.sh\n. env.sh\n. \"$HOME/x.sh\"\n",
        &[("./lib/common.sh *", &["bin/lib/common.sh"]), ("env.sh *", &["env.sh"])],
    );
    check(
        &["lib/my_app/http_server.ex", "lib/my_app/parts/wheel.ex", "lib/my_app.ex"],
        "lib/my_app/user.ex",
        "defmodule MyApp.User do\n  alias MyApp.{HTTPServer, Parts.Wheel}\n  use MyApp\n  require Logger\nend\n",
        &[
            ("MyApp.HTTPServer", &["lib/my_app/http_server.ex"]),
            ("MyApp.Parts.Wheel", &["lib/my_app/parts/wheel.ex"]),
            ("MyApp", &["lib/my_app.ex"]),
            ("Logger", &[]),
        ],
    );
}

#[test]
fn other_languages() {
    check(
        &["Sources/Mill/Parts/Wheel.swift", "Sources/Oven/Oven.swift", "Tests/MillTests/A.swift"],
        "Sources/Oven/Oven.swift",
        "import Mill\nimport class Mill.Wheel\nimport Foundation\n",
        &[
            ("Mill *", &["Sources/Mill/Parts/Wheel.swift"]),
            ("Mill Wheel", &["Sources/Mill/Parts/Wheel.swift"]),
            ("Foundation *", &[]),
        ],
    );
    check(
        &["src/Mill/Parts/Wheel.hs", "src/Mill.hs"],
        "app/Main.hs",
        "module Main where\nimport Mill\nimport qualified Mill.Parts.Wheel as W\nimport Data.Map (Map)\n",
        &[("Mill *", &["src/Mill.hs"]), ("Mill.Parts.Wheel", &["src/Mill/Parts/Wheel.hs"]), ("Data.Map Map", &[])],
    );
    check(
        &["src/main.zig", "src/parts/wheel.zig"],
        "src/main.zig",
        "const std = @import(\"std\");\nconst wheel = @import(\"parts/wheel.zig\");\n",
        &[("std", &[]), ("parts/wheel.zig", &["src/parts/wheel.zig"])],
    );
    check(
        &["css/base.css", "css/theme/dark.css"],
        "css/main.css",
        "@import \"base.css\";\n@import url('./theme/dark.css');\n",
        &[("base.css *", &["css/base.css"]), ("./theme/dark.css *", &["css/theme/dark.css"])],
    );
}

#[test]
fn what_has_no_imports_has_no_names() {
    let parse = Parse::default();
    let import = Import { module: "a".into(), name: "".into(), alias: "".into(), line: 1 };
    for path in ["README.md", "a.json", "LICENSE", "a.txt"] {
        assert!(parse.module_names(&path.into()).is_empty() && parse.import_names(&path.into(), &import).is_empty());
    }
}

/// However deep a path or long an import, the names stay few, and differ.
#[test]
fn names_are_few() {
    let parse = Parse::default();
    let deep = vec!["part"; 60];
    for (extension, separator) in
        [("py", "."), ("ts", "/"), ("rs", "::"), ("java", "."), ("h", "/"), ("cs", "."), ("ex", ".")]
    {
        let path = RelPath::from(format!("{}/a.{extension}", deep.join("/")).as_str());
        let import = Import { module: deep.join(separator).into(), name: "Name".into(), alias: "".into(), line: 1 };
        for names in [parse.module_names(&path), parse.import_names(&path, &import)] {
            assert!(!names.is_empty() && names.len() <= 32, "{path}: {}", names.len());
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        }
    }
}

/// Names of one family never mean a file of another.
#[test]
fn families_keep_apart() {
    let parse = Parse::default();
    let paths =
        ["a/b.py", "a/b.ts", "a/b.rs", "a/b.go", "a/b.java", "a/b.c", "a/b.cs", "a/b.php", "a/b.rb", "a/b.swift"];
    let mut names: Vec<String> = paths.iter().flat_map(|path| parse.module_names(&RelPath::from(*path))).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
