use super::LANGUAGE;
use crate::testing::{check_definitions, check_targets, check_uses};

#[test]
fn definitions() {
    check_definitions(&LANGUAGE);
}

#[test]
fn uses() {
    check_uses(&LANGUAGE);
}

#[test]
fn targets() {
    check_targets(&LANGUAGE, 40);
}
