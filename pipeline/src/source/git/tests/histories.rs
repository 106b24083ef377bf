//! Laws over random histories.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::repo::{Repo, paths};
use crate::source::{GitSource, ScanOptions, Source};

/// The files of one commit.
type Files = BTreeMap<&'static str, &'static str>;

const ATTRIBUTES: &str = ".gitattributes";

fn files() -> impl Strategy<Value = Files> {
    // Names that sort differently in git, in the index and as bytes; a file of one commit
    // is a folder in the next.
    let names = vec!["a", "a/b", "a/c/d", "a-b", "a.c", "a0/b", ".h/x", "e.pem", "big", ATTRIBUTES, "a/.gitattributes"];
    let contents = vec!["", "one", "two", "three"];
    let marks = vec!["* linguist-generated", "b linguist-vendored\na* linguist-generated", "b !linguist-vendored"];
    let file = (prop::sample::select(names), prop::sample::select(contents), prop::sample::select(marks));
    let file = file.prop_map(|(path, content, marks)| (path, if path.ends_with(ATTRIBUTES) { marks } else { content }));
    prop::collection::vec(file, 0..7).prop_map(|files| {
        let mut sound = Files::new();
        for (path, content) in files {
            let clashes =
                |other: &&str| other.starts_with(&format!("{path}/")) || path.starts_with(&format!("{other}/"));
            if !sound.keys().any(clashes) {
                sound.insert(path, content);
            }
        }
        sound
    })
}

fn check_out(repo: &Repo, files: &Files) {
    repo.git(["rm", "-r", "-f", "--quiet", "--ignore-unmatch", "."]);
    for (path, content) in files {
        let content = if *path == "big" { content.repeat(40) } else { (*content).to_owned() };
        repo.write(path, &content);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn from_any_commit_to_any_other_a_patch_equals_a_full_walk(
        history in prop::collection::vec(files(), 2..5),
        hidden in any::<bool>(),
        generated in any::<bool>(),
        exclude in prop::sample::select(vec!["", "a/", "*.c", "a/b"]),
        packed in any::<bool>(),
    ) {
        let repo = Repo::new();
        let mut scans = Vec::new();
        for (number, files) in history.iter().enumerate() {
            check_out(&repo, files);
            let commit = repo.commit(&number.to_string());
            let mut config = repo.config(&commit);
            config.hidden = hidden;
            config.generated = generated;
            config.exclude.extend(Some(exclude.to_owned()).filter(|glob| !glob.is_empty()));
            let checkout = repo.directory(&config).scan(None, &ScanOptions::threads(1)).expect("scans");
            let source = GitSource::open(config).expect("opens");
            let scan = source.scan(None, &ScanOptions::threads(1)).expect("scans");
            prop_assert_eq!(paths(&scan.tree), paths(&checkout.tree));
            prop_assert_eq!(scan.tree.root_hash(), checkout.tree.root_hash());
            scans.push((source, scan));
        }
        if packed {
            repo.git(["gc", "--quiet"]);
        }
        for (source, full) in &scans {
            for (_, known) in &scans {
                let patched = source.scan(Some(&repo.record(known).last_scan(&known.tree)), &ScanOptions::threads(2)).expect("scans");
                prop_assert_eq!(&patched.tree, &full.tree);
                let mut changed = 0;
                full.tree.for_each(|path, leaf| {
                    changed += u64::from(leaf.note.is_none() && known.tree.get(path) != Some(leaf));
                });
                // Other marks may speak of any file, so all are read again.
                if generated {
                    prop_assert_eq!(patched.measures.files_read, changed, "each changed file is read, and no other");
                } else {
                    prop_assert!(patched.measures.files_read >= changed);
                }
            }
        }
    }
}
