use super::LANGUAGE;
use crate::testing::{check_definitions, parse};

#[test]
fn definitions() {
    check_definitions(&LANGUAGE);
}

#[test]
fn marks_at_the_end_of_a_heading_are_not_in_its_title() {
    let text = "# A ##\n\n## C# #\n\n## B#\n\n### F #2 \t\n\n## #\n\n#No\n";
    let names: Vec<String> = parse("a.md", text).definitions.iter().map(|found| found.name.to_string()).collect();
    assert_eq!(names, ["A", "C#", "B#", "F #2"]);
}
