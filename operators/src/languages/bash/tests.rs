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
        &["bin/lib/common.sh", "env.sh"],
        "bin/run.sh",
        "source ./lib/common.sh\n. env.sh\n. \"$HOME/x.sh\"\n",
        &[("./lib/common.sh *", &["bin/lib/common.sh"]), ("env.sh *", &["env.sh"])],
    );
}
