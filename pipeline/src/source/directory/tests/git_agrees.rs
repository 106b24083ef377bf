//! In a work tree a scan takes what `git ls-files --cached --others --exclude-standard` lists.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::*;
use crate::source::ScanOptions;

/// What `git` prints in a folder; nothing where there is no git.
fn git(folder: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]);
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1");
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: git is not installed");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// The files that git lists in a work tree, without links and without what is gone.
fn listed(root: &Path) -> Option<BTreeSet<String>> {
    let listed = git(root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
    let paths = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty() && !path.ends_with(b"/"));
    let is_file =
        |path: &&[u8]| fs::symlink_metadata(root.join(OsStr::from_bytes(path))).is_ok_and(|found| found.is_file());
    Some(paths.filter(is_file).map(|path| RelPath::from_bytes(path).to_string()).collect())
}

fn scanned(root: &Path, threads: usize) -> BTreeSet<String> {
    let source = DirectorySource { hidden: true, skip: Vec::new(), ..source(root) };
    paths(&source.scan(None, &ScanOptions::threads(threads)).expect("scans").tree).into_iter().collect()
}

/// What a line of rules is made of: names that there are, and all that has a meaning in it.
fn rule() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "a",
        "b",
        "c.x",
        "*",
        "**",
        "?",
        "*.x",
        "[ab]",
        "[!a]",
        "[^a]",
        "{a,b}",
        "\\a",
        "\\*",
        "a*",
        "*b",
        "[a",
        "é",
        "[[:alpha:]]",
        ".h",
        "a b",
        "\\#x",
        "\\!x",
    ]);
    let ends = prop::sample::select(vec!["", "", "", "/", "/*", "/**", " ", "\\ ", "\r", "  \r", "/ "]);
    let begins = prop::sample::select(vec!["", "", "", "/", "!", "!/", "**/", "#", " ", "\\"]);
    (begins, prop::collection::vec(part, 1..3), ends)
        .prop_map(|(begin, parts, end)| begin.to_owned() + &parts.join("/") + end)
}

fn rules() -> impl Strategy<Value = Vec<u8>> {
    let end = prop::sample::select(vec![&b"\n"[..], b"\r\n", b"\n\n", b"\n\xff\n"]);
    let mark = prop::sample::select(vec![&b""[..], b"", b"", b"\xef\xbb\xbf"]);
    (mark, prop::collection::vec((rule(), end), 0..5), any::<bool>()).prop_map(|(mark, lines, is_open)| {
        let mut text = mark.to_vec();
        for (line, end) in &lines {
            text.extend_from_slice(line.as_bytes());
            text.extend_from_slice(end);
        }
        if is_open && text.ends_with(b"\n") {
            text.pop();
        }
        text
    })
}

fn path() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(vec!["a", "b", "ab", "é", ".h", "a b", "#x", "!x"]);
    let file = prop::sample::select(vec!["a", "b", "c.x", "d.x", ".h", "é.x", "a b", "b ", "#x", "!x", "{a,b}", "*"]);
    (prop::collection::vec(name(), 0..3), file).prop_map(|(mut folders, file)| {
        folders.push(file);
        folders.join("/")
    })
}

/// Writes a file unless a folder or a file is in its way.
fn write_if_free(root: &Path, path: &str, content: &[u8]) -> bool {
    let path = root.join(path);
    let is_free = path.parent().is_some_and(|folder| fs::create_dir_all(folder).is_ok()) && !path.is_dir();
    is_free && fs::write(path, content).is_ok()
}

#[derive(Clone, Debug)]
struct World {
    files: Vec<(String, bool)>,
    rules: Vec<(String, Vec<u8>)>,
    exclude: Vec<u8>,
    excludes_file: Vec<u8>,
    ignore_case: bool,
}

fn world() -> impl Strategy<Value = World> {
    let folder = prop::sample::select(vec!["", "", "a/", "b/", "a/b/", ".h/", "é/"]);
    let rule_file = (folder, rules()).prop_map(|(folder, rules)| (format!("{folder}.gitignore"), rules));
    (
        prop::collection::vec((path(), any::<bool>()), 1..24),
        prop::collection::vec(rule_file, 0..4),
        prop_oneof![Just(Vec::new()), rules()],
        prop_oneof![2 => Just(Vec::new()), 1 => rules()],
        prop::bool::weighted(0.2),
    )
        .prop_map(|(files, rules, exclude, excludes_file, ignore_case)| World {
            files,
            rules,
            exclude,
            excludes_file,
            ignore_case,
        })
}

fn check(world: &World) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().expect("creates");
    let root = &folder.path().canonicalize().expect("resolves").join("work");
    fs::create_dir(root).expect("creates");
    if git(root, &["init", "--quiet"]).is_none() {
        return Ok(());
    }
    fs::create_dir_all(root.join(".git/info")).expect("creates");
    fs::write(root.join(".git/info/exclude"), &world.exclude).expect("writes");
    // Always set, so that no configuration of the user's has a say.
    let excludes_file = folder.path().join("excludes");
    fs::write(&excludes_file, &world.excludes_file).expect("writes");
    git(root, &["config", "core.excludesFile", excludes_file.to_str().expect("is text")]);
    git(root, &["config", "core.ignoreCase", if world.ignore_case { "true" } else { "false" }]);
    for (path, is_tracked) in &world.files {
        if write_if_free(root, path, b"x") && *is_tracked {
            git(root, &["--literal-pathspecs", "add", "--force", "--", path]);
        }
    }
    for (path, rules) in &world.rules {
        write_if_free(root, path, rules);
    }
    let expected = listed(root).expect("git was there");
    for threads in [1, 2] {
        prop_assert_eq!(&scanned(root, threads), &expected);
    }
    // A folder in the work tree holds what git lists there, unless it is ignored as a whole.
    let below = root.join("a");
    let is_ignored = || Command::new("git").args(["check-ignore", "-q", "a"]).current_dir(root).status();
    if below.is_dir() && !is_ignored().expect("runs").success() {
        prop_assert_eq!(scanned(&below, 1), listed(&below).expect("git was there"));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn on_random_rules(world in world()) {
        check(&world)?;
    }
}

/// A repository in which a file is committed.
fn repository(root: &Path, path: &str) -> bool {
    fs::create_dir_all(root).expect("creates");
    write(root, path, "x");
    let is_there = git(root, &["init", "--quiet"]).is_some();
    is_there && git(root, &["add", "."]).is_some() && git(root, &["commit", "--quiet", "--message", "one"]).is_some()
}

fn scan(root: &Path) -> Scan {
    source(root).scan(None, &ScanOptions::threads(1)).expect("scans")
}

#[test]
fn rules_end_at_a_repository() {
    let folder = tempfile::tempdir().expect("creates");
    let outer = folder.path();
    write(outer, ".gitignore", "*\n");
    write(outer, ".ignore", "*\n");
    let root = &outer.join("project");
    if !repository(root, "src/main.rs") {
        return;
    }
    write(root, ".gitignore", "vendored/\nclone/secret.rs\n");
    if !repository(&root.join("clone"), "vendored/inner.rs") {
        return;
    }
    write(root, "clone/secret.rs", "not for the outer one to ignore");
    write(root, "vendored/x.rs", "");
    let found = scan(root);
    assert_eq!(paths(&found.tree), ["clone/secret.rs", "clone/vendored/inner.rs", "src/main.rs"]);
    assert!(found.notices.iter().any(|notice| notice.starts_with("clone is a repository of its own")));
    assert_eq!(found.measures.ignored, 1, "a folder counts once");

    // Outside of a repository, rules hold below the source only.
    let plain = tempfile::tempdir().expect("creates");
    write(plain.path(), ".gitignore", "*\n");
    write(plain.path(), "source/a.rs", "");
    write(plain.path(), "source/b.rs", "");
    write(plain.path(), "source/.gitignore", "b.rs\n");
    assert_eq!(paths(&scan(&plain.path().join("source")).tree), ["a.rs"]);

    // A folder that is named is wanted, whatever the repository around it ignores.
    let found = scan(&root.join("vendored"));
    assert_eq!(paths(&found.tree), ["x.rs"]);
    assert!(found.notices.iter().any(|notice| notice.contains("is ignored by the repository")));
}

#[test]
fn other_checkouts_are_left_out_and_noted() {
    let folder = tempfile::tempdir().expect("creates");
    let all = &folder.path().canonicalize().expect("resolves");
    let root = &all.join("main");
    if !repository(root, "mill.rs") {
        return;
    }
    git(root, &["worktree", "add", "--quiet", "trees/one", "-b", "one"]);
    git(root, &["worktree", "add", "--quiet", "../beside", "-b", "two"]);
    assert_eq!(paths(&scan(root).tree), ["mill.rs", "trees/one (linked_worktree)"]);
    // A worktree as the source is a source like any other; beside its main checkout it is not.
    assert_eq!(paths(&scan(&all.join("beside")).tree), ["mill.rs"]);
    assert_eq!(
        paths(&scan(all).tree),
        ["beside (linked_worktree)", "main/mill.rs", "main/trees/one (linked_worktree)"]
    );
    let both = DirectorySource { linked_worktrees: true, ..source(root) };
    assert_eq!(
        paths(&both.scan(None, &ScanOptions::threads(1)).expect("scans").tree),
        ["mill.rs", "trees/one/mill.rs"]
    );
    // Its rules are those of its own folder and of the repository.
    write(root, ".git/info/exclude", "*.log\n");
    write(&all.join("beside"), "x.log", "");
    assert_eq!(paths(&scan(&all.join("beside")).tree), ["mill.rs"]);

    // Worktrees of a bare repository: one of them stands for all.
    let bare = &all.join("bare");
    fs::create_dir(bare).expect("creates");
    git(bare, &["clone", "--quiet", "--bare", root.to_str().expect("is text"), ".bare"]);
    git(&bare.join(".bare"), &["worktree", "add", "--quiet", "../a-feature", "one"]);
    git(&bare.join(".bare"), &["worktree", "add", "--quiet", "../main", "main"]);
    assert_eq!(paths(&scan(bare).tree), ["a-feature (linked_worktree)", "main/mill.rs"]);
}

#[test]
fn a_submodule_is_entered_by_its_own_rules() {
    let folder = tempfile::tempdir().expect("creates");
    let (root, other) = (&folder.path().join("main"), &folder.path().join("other"));
    if !repository(root, "main.rs") || !repository(other, "lib.rs") {
        return;
    }
    let other = other.to_str().expect("is text");
    git(root, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other, "deps/other"]);
    write(root, ".git/modules/deps/other/info/exclude", "*.log\n");
    write(root, "deps/other/x.log", "");
    write(root, "deps/other/y.rs", "");
    // Ignored, but tracked.
    write(root, ".gitignore", "deps/\n");
    assert_eq!(paths(&scan(root).tree), ["deps/other/lib.rs", "deps/other/y.rs", "main.rs"]);
}

#[test]
fn what_cannot_be_read_is_noted() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    if !repository(root, "a.rs") {
        return;
    }
    write(root, "b.rs", "");
    std::os::unix::fs::symlink("elsewhere", root.join(".gitignore")).expect("links");
    assert_eq!(paths(&scan(root).tree), [".gitignore (ignore_rules)", "a.rs", "b.rs"]);
    fs::remove_file(root.join(".gitignore")).expect("removes");
    write(root, ".gitignore", "a.rs\n");
    fs::write(root.join(".git/index"), "damaged").expect("writes");
    let found = scan(root);
    assert_eq!(paths(&found.tree), ["b.rs"]);
    assert!(found.notices.iter().any(|notice| notice.contains("tracked but ignored")), "{:?}", found.notices);
}

#[test]
fn a_rescan_follows_the_index() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    if !repository(root, "a.rs") {
        return;
    }
    write(root, ".gitignore", "bin/\n");
    write(root, "bin/tool.rs", "");
    write(root, "bin/other.rs", "");
    let first = scan(root).tree;
    assert_eq!(paths(&first), ["a.rs"]);
    let rescan = |known: &Tree| {
        let record = crate::index::tests::record(1, known);
        let changed = [root.join(".git/index.lock"), root.join(".git/index")];
        source(root).rescan(&record.last_scan(known), &changed, &ScanOptions::threads(1)).expect("scans").tree
    };
    git(root, &["add", "--force", "bin/tool.rs"]);
    let second = rescan(&first);
    assert_eq!(paths(&second), ["a.rs", "bin/tool.rs"]);
    git(root, &["rm", "--quiet", "--cached", "bin/tool.rs"]);
    assert_eq!(paths(&rescan(&second)), ["a.rs"]);
}

#[test]
fn an_index_in_the_source_is_left_out() {
    let folder = tempfile::tempdir().expect("creates");
    let root = folder.path();
    write(root, "a.rs", "");
    let other = root.join("deep/other");
    let _writer = crate::index::IndexWriter::open(&other).expect("opens");
    write(&other, "lance/data", "x");
    write(root, "commits/LOCK", "a folder of that name is not one");
    assert_eq!(paths(&scan(root).tree), ["a.rs", "commits/LOCK"]);
}
