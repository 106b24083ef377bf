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
}

#[test]
fn targets() {
    check_targets(&LANGUAGE, 40);
}
