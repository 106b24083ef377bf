use super::LANGUAGE;
use crate::testing::check_definitions;

#[test]
fn definitions() {
    check_definitions(&LANGUAGE);
}
