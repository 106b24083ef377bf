//! `configs/invalid` holds one job file for each kind of error; what is printed for it
//! is held by a snapshot.

use std::collections::BTreeSet;

use gristmill::Style;

use crate::config::{configs, load_file};

#[test]
fn every_invalid_job_is_refused_with_its_diagnosis() {
    let folder = configs().join("invalid");
    let mut kinds = BTreeSet::new();
    let mut count = 0;
    for (name, path) in crate::config::job_files(&folder) {
        let errors = load_file(&path, &[]).err().unwrap_or_else(|| panic!("{name} must be refused"));
        let here = folder.canonicalize().unwrap();
        let rendered = Style::Plain.render_job_errors(&errors);
        let rendered = rendered.replace(&format!("{}/", folder.display()), "");
        let rendered = rendered.replace(&here.display().to_string(), "<invalid>");
        let rendered = rendered.replace(&here.parent().unwrap().display().to_string(), "<configs>");
        insta::with_settings!({ snapshot_path => "snapshots/invalid", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.as_str(), rendered);
        });
        for error in errors.errors() {
            kinds.insert(error.kind());
            // Only what is about the whole job has no place in it.
            assert!(error.location().is_some() || error.kind() == "no-sink", "{name}: {error}");
        }
        count += 1;
    }
    assert!(count >= 25, "{count} files");
    assert!(kinds.len() >= 25, "the files should cover the kinds of error: {kinds:?}");
}

#[test]
fn errors_come_in_the_order_of_the_text() {
    for (name, path) in crate::config::job_files(&configs().join("invalid")) {
        let errors = load_file(&path, &[]).err().unwrap_or_else(|| panic!("{name} must be refused"));
        let lines: Vec<usize> =
            errors.errors().iter().filter_map(|error| error.location().map(|(_, line, _)| line)).collect();
        assert!(lines.is_sorted(), "{name}: {lines:?}");
    }
}
