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
    check_imports(&["index.js"], "lib/a.js", "import '..';\n", &[("..", &["index.js"])]);
}
