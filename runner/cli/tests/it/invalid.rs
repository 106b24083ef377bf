//! `configs/invalid` has a job file for each kind of error; snapshots have the printed errors.

use std::collections::BTreeSet;

use gristmill::Style;

use crate::config::{configs, load_file};

#[test]
fn invalid_jobs_are_rejected_with_these_errors() {
    let folder = configs().join("invalid");
    let mut kinds = BTreeSet::new();
    let mut count = 0;
    for (name, path) in crate::config::job_files(&folder) {
        let errors = load_file(&path, &[]).err().unwrap_or_else(|| panic!("{name} must be rejected"));
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
            // Only errors of the whole job have no location.
            assert!(error.location().is_some() || error.kind() == "no-sink", "{name}: {error}");
        }
        count += 1;
    }
    assert!(count >= 25, "{count} files");
    assert!(kinds.len() >= 25, "the files should cover the kinds of error: {kinds:?}");
}

#[test]
fn errors_are_in_textual_order() {
    for (name, path) in crate::config::job_files(&configs().join("invalid")) {
        let errors = load_file(&path, &[]).err().unwrap_or_else(|| panic!("{name} must be rejected"));
        let lines: Vec<usize> =
            errors.errors().iter().filter_map(|error| error.location().map(|(_, line, _)| line)).collect();
        assert!(lines.is_sorted(), "{name}: {lines:?}");
    }
}
