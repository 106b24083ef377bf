//! Generated and vendored files, as `.gitattributes` marks them with `linguist-generated` and `linguist-vendored`. Only
//! `.gitattributes` files of the tree count, as for GitHub Linguist, so that a revision and a checkout of it are equal.

use std::collections::HashMap;

use gix::bstr::{BStr, ByteSlice as _};
use gix_attributes::glob::pattern::Case;
use gix_attributes::glob::{Pattern, wildmatch};
use gix_attributes::parse::Kind;
use gix_attributes::{AssignmentRef, StateRef};

/// The name of the file.
pub(super) const GIT_ATTRIBUTES: &str = ".gitattributes";

/// The attributes.
const ATTRIBUTES: [&str; 2] = ["linguist-generated", "linguist-vendored"];

/// The lines of one `.gitattributes` file that mark files, or say that they are not marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(Vec<Mark>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    pattern: Pattern,
    attribute: &'static str,
    /// Nothing if the line takes back what files above say.
    is_set: Option<bool>,
}

/// An attribute, and whether it is set, as in [`Mark`].
type Said = (&'static str, Option<bool>);

impl Marks {
    /// Reads the text of a file. Lines that git would not understand say nothing.
    pub(super) fn parse(text: &[u8]) -> Self {
        let (mut marks, mut macros) = (Vec::new(), HashMap::<String, Vec<Said>>::new());
        for (kind, assignments, _) in gix_attributes::parse(text).filter_map(Result::ok) {
            let Ok(assignments) = assignments.collect::<Result<Vec<_>, _>>() else { continue };
            let mut said: Vec<Said> = Vec::new();
            for AssignmentRef { name, state } in assignments {
                let is_set = match state {
                    StateRef::Set => Some(true),
                    StateRef::Unset => Some(false),
                    StateRef::Value(value) => Some(value.as_bstr() != "false"),
                    StateRef::Unspecified => None,
                };
                if let Some(attribute) = ATTRIBUTES.iter().find(|attribute| **attribute == name.as_str()) {
                    said.push((attribute, is_set));
                } else if let Some(meant) = macros.get(name.as_str()).filter(|_| state == StateRef::Set) {
                    said.extend_from_slice(meant);
                }
            }
            match kind {
                Kind::Macro(name) => {
                    macros.insert(name.as_str().to_owned(), said);
                }
                Kind::Pattern(pattern) => marks.extend(said.into_iter().map(|(attribute, is_set)| Mark {
                    pattern: pattern.clone(),
                    attribute,
                    is_set,
                })),
            }
        }
        Self(marks)
    }

    /// Whether no line says anything of a mark.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the last line that matches a path in the file's folder says of an attribute, if one does.
    fn of(&self, attribute: &str, path: &BStr, case: Case) -> Option<Option<bool>> {
        let name = path.rfind_byte(b'/').map(|slash| slash + 1);
        let mode = wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
        let is_match = |mark: &&Mark| {
            mark.attribute == attribute && mark.pattern.matches_repo_relative_path(path, name, Some(false), case, mode)
        };
        self.0.iter().rev().find(is_match).map(|mark| mark.is_set)
    }
}

/// The attribute that marks a file, if one does: `files` gives what the innermost `.gitattributes` file says first,
/// each with the path from its folder.
pub(super) fn mark_of<'a>(
    files: impl Iterator<Item = (&'a Marks, &'a [u8])> + Clone,
    case: Case,
) -> Option<&'static str> {
    let is_marked = |attribute: &&&str| {
        let mut said = files.clone().filter_map(|(marks, path)| marks.of(attribute, BStr::new(path), case));
        said.next().flatten() == Some(true)
    };
    ATTRIBUTES.iter().find(is_marked).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_the_innermost_file_decides() {
        let outer = Marks::parse(
            b"# comment\n*.pb.go linguist-generated\nvendor/** linguist-vendored=true\n\
              /gen/*.ts text linguist-generated=false\n*.ts -linguist-generated\n!odd linguist-generated\n\
              [attr]made linguist-generated -linguist-vendored\nfolder/ linguist-generated\n\
              mine.pb.go linguist-generated=false\n*.made made text\n*.c linguist-generated # by hand\n",
        );
        let inner = Marks::parse(b"*.ts linguist-generated=yes\n*.pb.go !linguist-generated\n");
        assert!(Marks::parse(b"* text=auto eol=lf\n").is_empty());
        let mark = |path: &'static str| {
            let within = path.strip_prefix("gen/").map(|path| (&inner, path.as_bytes()));
            let files: Vec<_> = within.into_iter().chain([(&outer, path.as_bytes())]).collect();
            mark_of(files.into_iter(), Case::Sensitive)
        };
        assert_eq!(mark("a/b.pb.go"), Some("linguist-generated"));
        assert_eq!(mark("mine.pb.go"), None);
        assert_eq!(mark("gen/b.pb.go"), None);
        assert_eq!(mark("gen/a.ts"), Some("linguist-generated"));
        assert_eq!(mark("a.ts"), None);
        assert_eq!(mark("vendor/deep/a.c"), Some("linguist-vendored"));
        // As in git, a pattern of a folder does not reach the files in it.
        assert_eq!(mark("folder/a.c"), None);
        assert_eq!(mark("odd"), None);
        assert_eq!(mark("vendor/a.made"), Some("linguist-generated"));
        // Git takes nothing of a line with what is no name of an attribute.
        assert_eq!(mark("a.c"), None);
    }
}
