use super::LANGUAGE;
use crate::testing::{check_definitions, check_scopes, check_uses};

#[test]
fn definitions() {
    check_definitions(&LANGUAGE);
}

#[test]
fn uses() {
    check_uses(&LANGUAGE);
}

#[test]
fn scopes() {
    check_scopes(&LANGUAGE, 40);
}
