use gristmill_pipeline::port::Import;

use crate::testing::check_imports;

#[test]
fn imports() {
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
    check_imports(
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
    // What is installed is no file of the same name.
    let text = "\
import a from 'panel';
import b from 'lodash/panel';
import c from 'app/ui/panel';
import { d } from '@ui/panel';
import { e } from '@internal/ui/panel';
import { f } from '#ui/panel';
import { g } from '@/ui/panel';
";
    let files = ["web/src/ui/panel.tsx", "web/src/ui/panel.test.tsx", "other/src/ui/panel.tsx", "app/ui/panel.ts"];
    check_imports(
        &files,
        "web/src/app.tsx",
        text,
        &[
            ("panel default", &[]),
            ("lodash/panel default", &[]),
            ("app/ui/panel default", &["app/ui/panel.ts"]),
            ("@ui/panel d", &["web/src/ui/panel.tsx", "other/src/ui/panel.tsx", "app/ui/panel.ts"]),
            ("@internal/ui/panel e", &["web/src/ui/panel.tsx"]),
            ("#ui/panel f", &["web/src/ui/panel.tsx"]),
            ("@/ui/panel g", &["web/src/ui/panel.tsx"]),
        ],
    );
    check_imports(&["index.js"], "lib/a.js", "import '..';\n", &[("..", &["index.js"])]);
}

#[test]
fn imports_bind_names() {
    let local = |module: &str, name: &str, alias: &str| {
        let import = Import { module: module.into(), name: name.into(), alias: alias.into(), line: 1 };
        super::modules::local_names(&import).join(" ")
    };
    assert_eq!(local("./a", "b", ""), "b");
    assert_eq!(local("./a", "b", "c"), "c");
    assert_eq!(local("./a", "", "all"), "all");
    assert_eq!(local("fs", "", ""), "fs", "`import * as fs from 'fs'`");
    assert_eq!(local("./a", "", ""), "./a", "not all names of the module");
    assert_eq!(local("./a b", "", ""), "");
    assert_eq!(local("./a", "*", "").len(), 0, "`export * from`");
}

/// A module may be named like what is taken from it.
#[test]
fn what_is_taken_is_looked_up_in_the_module() {
    let import = Import { module: "./compose".into(), name: "compose".into(), alias: "".into(), line: 1 };
    let names = super::modules::MODULES.import_names("src/index.ts", &import);
    assert!(names.iter().all(|module| module.then == ["compose".into()]), "{names:?}");
}
