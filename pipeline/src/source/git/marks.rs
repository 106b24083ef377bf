//! What the `.gitattributes` files of a tree mark.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gix::ObjectId;
use gix::objs::TreeRefIter;
use gix_attributes::glob::pattern::Case;

use super::objects::{Objects, reason};
use crate::path::{RelPath, unescape_path};
use crate::source::attributes::{GIT_ATTRIBUTES, Marks, mark_of};
use crate::source::{ScanOptions, SourceError};

/// The marks of each folder that has some, by its path with a slash at the end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TreeMarks(BTreeMap<String, Marks>);

impl TreeMarks {
    /// Reads all `.gitattributes` files of a tree.
    pub(super) fn of(objects: &Objects, tree: ObjectId, options: &ScanOptions) -> Result<Self, SourceError> {
        let mut marks = BTreeMap::new();
        let mut waiting = vec![(Vec::new(), tree)];
        let mut data = Vec::new();
        while let Some((path, tree)) = waiting.pop() {
            options.interrupt.check()?;
            if tree.is_empty_tree() {
                continue;
            }
            objects.with(|handle| objects.read_tree(handle, tree, &mut data))?;
            for entry in TreeRefIter::from_bytes(&data, tree.kind()) {
                let entry = entry.map_err(|error| objects.unreadable_tree(tree, reason(&error)))?;
                if entry.mode.is_tree() {
                    let mut below = path.clone();
                    below.extend_from_slice(entry.filename);
                    below.push(b'/');
                    waiting.push((below, entry.oid.to_owned()));
                } else if entry.mode.is_blob() && *entry.filename == *GIT_ATTRIBUTES.as_bytes() {
                    let found = Marks::parse(&objects.read_blob(entry.oid.to_owned())?);
                    if !found.is_empty() {
                        let folder = match path.strip_suffix(b"/") {
                            Some(folder) => format!("{}/", RelPath::from_bytes(folder).as_str()),
                            None => String::new(),
                        };
                        marks.insert(folder, found);
                    }
                }
            }
        }
        Ok(Self(marks))
    }

    /// The attribute that marks the file at a path, if one does.
    pub(super) fn mark(&self, path: &str, case: Case) -> Option<&'static str> {
        if self.0.is_empty() {
            return None;
        }
        let folders = path.rmatch_indices('/').map(|(slash, _)| slash + 1).chain([0]);
        let files = folders.filter_map(|end| {
            let (folder, rest) = path.split_at(end);
            let rest = unescape_path(rest).map_or(Cow::Borrowed(rest.as_bytes()), Cow::Owned);
            Some((self.0.get(folder)?, rest))
        });
        let files: Vec<(&Marks, Cow<'_, [u8]>)> = files.collect();
        mark_of(files.iter().map(|(marks, path)| (*marks, &**path)), case)
    }
}
