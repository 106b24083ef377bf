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
    check_imports(
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
    check_imports(&files, "scripts/tool.py", "import common\n", &[("common", &["scripts/common.py"])]);
    check_imports(&files, "top.py", "from ... import far\n", &[("... far", &[])]);
}
