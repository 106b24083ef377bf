//! Paths of names: how a parse operator says what a use of a name is bound to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a [`NamePath`] begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anchor {
    /// What the file binds itself: the names of its imports.
    File,
    /// What the files of one unit define together: a module's file, or the files of a package.
    Unit,
    /// What all units of a package share, such as the methods that an `impl` adds to a type of
    /// another file.
    Package,
    /// A name that the file does not bind: its unit may define it, or what the file imports whole.
    Free,
}

impl Anchor {
    /// Every anchor.
    pub const ALL: [Self; 4] = [Self::File, Self::Unit, Self::Package, Self::Free];

    /// The word that begins a written path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Unit => "unit",
            Self::Package => "package",
            Self::Free => "free",
        }
    }
}

/// A path of names that leads to a definition: an [`Anchor`], and names to look up, each in what
/// the ones before lead to. Written `unit Foo bar`.
///
/// Some names stand for no definition: `()` is what a call of the path before gives, `[]` an
/// element of it, `?` what it holds if it holds something. `.` is what code in the class before it
/// sees ([`NamePath::SEEN`]): `unit Foo . bar` is the member `bar` of `Foo`, else of a class around
/// it, else `free bar`. `:` is the same for a value with extensions ([`NamePath::EXTENDED`]).
///
/// Two paths are special: the empty one says that it is not known what is meant, and `local`
/// that it is a local variable, a parameter or a type parameter, which no definition stands for.
///
/// ```
/// use gristmill_pipeline::port::{Anchor, NamePath};
///
/// let path = NamePath::new(Anchor::Unit, ["Foo", "()", "bar"]);
/// assert_eq!(path.as_str(), "unit Foo () bar");
/// assert_eq!(path.anchor(), Some(Anchor::Unit));
/// assert_eq!(path.names().collect::<Vec<_>>(), ["Foo", "()", "bar"]);
/// assert!(NamePath::LOCAL.anchor().is_none() && NamePath::default().is_unknown());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NamePath(std::borrow::Cow<'static, str>);

impl NamePath {
    /// What is bound to something local.
    pub const LOCAL: Self = Self(std::borrow::Cow::Borrowed("local"));
    /// What is not known.
    pub const UNKNOWN: Self = Self(std::borrow::Cow::Borrowed(""));
    /// The name that stands for what code in a class sees.
    pub const SEEN: &'static str = ".";
    /// The separator of a name that is a member of a value, or an extension of its type: `unit Foo : bar`
    /// is the member `bar` of `Foo`, else `free bar`.
    pub const EXTENDED: &'static str = ":";

    /// The path of these names; unknown if one of them is empty or holds white space.
    #[must_use]
    pub fn new<'n>(anchor: Anchor, names: impl IntoIterator<Item = &'n str>) -> Self {
        Self(anchor.as_str().into()).with(names)
    }

    /// The path as it is written in tables.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it begins; `None` for one that leads nowhere.
    #[must_use]
    pub fn anchor(&self) -> Option<Anchor> {
        let word = self.0.split(' ').next()?;
        Anchor::ALL.into_iter().find(|anchor| anchor.as_str() == word)
    }

    /// Its names.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.split(' ').skip(1)
    }

    /// Splits a path at its last [`NamePath::SEEN`] or [`NamePath::EXTENDED`]: what is before it, which
    /// of the two it is, and the names to look up there, as a free path. `None` for a path without one.
    #[must_use]
    pub fn seen(&self) -> Option<(Self, &str, Self)> {
        let separators = [Self::SEEN, Self::EXTENDED];
        let (at, separator) = self.names().enumerate().filter(|(_, name)| separators.contains(name)).last()?;
        let before = Self::new(self.anchor()?, self.names().take(at));
        Some((before, separator, Self::new(Anchor::Free, self.names().skip(at + 1))))
    }

    /// The path and those above it, down to one name.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        let longest = self.anchor().map_or(0, |_| self.names().count());
        (1..=longest).rev().filter_map(|length| Some(Self::new(self.anchor()?, self.names().take(length))))
    }

    /// Whether it is not known what is meant.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    /// This path with more names.
    #[must_use]
    pub fn with<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        if self.anchor().is_none() {
            return self.clone();
        }
        let mut path = String::from(self.as_str());
        for name in names {
            if name.is_empty() || name.contains(char::is_whitespace) {
                return Self::UNKNOWN;
            }
            path.push(' ');
            path.push_str(name);
        }
        Self(path.into())
    }
}

/// What the key of a definition says of other files, as its last name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    /// `{}`: other files of the package may mean it by declaring it.
    Body,
    /// `;`: it declares what another file of the package may define.
    Declaration,
    /// `^`: it is a scope, and a name that it lacks is looked up in the scope around it. A name
    /// that is looked up so stands below it with a `^` between, as in `unit Foo ^ bar`.
    Scope,
}

impl Linkage {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Body, Self::Declaration, Self::Scope];

    /// The name that ends a key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "{}",
            Self::Declaration => ";",
            Self::Scope => "^",
        }
    }
}

impl NamePath {
    /// Splits the key of a definition into the path that leads to it and its linkage.
    #[must_use]
    pub fn linked(&self) -> (Self, Option<Linkage>) {
        let ending = |linkage: &Linkage| self.0.strip_suffix(linkage.as_str()).and_then(|path| path.strip_suffix(' '));
        let found = Linkage::ALL.into_iter().find_map(|linkage| Some((ending(&linkage)?, linkage)));
        match found {
            Some((path, linkage)) if path.contains(' ') => (path.into(), Some(linkage)),
            _ => (self.clone(), None),
        }
    }
}

impl Default for NamePath {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl From<&str> for NamePath {
    fn from(written: &str) -> Self {
        match written {
            "" => Self::UNKNOWN,
            "local" => Self::LOCAL,
            written => Self(written.to_owned().into()),
        }
    }
}

impl fmt::Display for NamePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a [`Lead`] continues a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum LeadKind {
    /// It is another name of the same thing.
    Alias,
    /// It is of that type: members are looked up there.
    Type,
    /// It inherits from that type: members that it lacks are looked up there.
    Base,
}

impl LeadKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Alias, Self::Type, Self::Base];

    /// The name stored in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alias => "alias",
            Self::Type => "type",
            Self::Base => "base",
        }
    }
}

/// What a use of a name says of another path: that one continues where the use leads, as the
/// type of a variable or the base of a class. Written `type unit Foo bar > ()`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Lead {
    /// How it continues.
    pub kind: LeadKind,
    /// The path that continues.
    pub from: NamePath,
    /// Names behind the target of the use.
    pub then: Box<str>,
}

impl fmt::Display for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.from)?;
        if self.then.is_empty() { Ok(()) } else { write!(f, " > {}", self.then) }
    }
}

/// A text that is no [`Lead`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no lead; expected `KIND PATH` or `KIND PATH > NAMES`, such as `base unit Foo`")]
pub struct InvalidLead(Box<str>);

impl FromStr for Lead {
    type Err = InvalidLead;

    fn from_str(written: &str) -> Result<Self, InvalidLead> {
        let invalid = || InvalidLead(written.into());
        let (path, then) = written.split_once(" > ").unwrap_or((written, ""));
        let (kind, from) = path.split_once(' ').ok_or_else(invalid)?;
        let kind = LeadKind::ALL.into_iter().find(|known| known.as_str() == kind).ok_or_else(invalid)?;
        Ok(Self { kind, from: from.into(), then: then.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_leads_are_read_as_they_are_written() {
        for written in ["", "local", "unit A b", "free f", "package T m ()"] {
            assert_eq!(NamePath::from(written).as_str(), written);
        }
        assert!(NamePath::new(Anchor::Unit, ["a b"]).is_unknown());
        for linkage in Linkage::ALL {
            let path = NamePath::from("unit A f");
            assert_eq!(path.with([linkage.as_str()]).linked(), (path, Some(linkage)));
        }
        assert_eq!(NamePath::from("unit operator^").linked().1, None);
        for written in ["base unit A", "type unit f () > () [] x"] {
            assert_eq!(written.parse::<Lead>().map(|lead| lead.to_string()).ok().as_deref(), Some(written));
        }
        for (path, expected) in [
            ("unit A B . f () g", ("unit A B", ".", "free f () g")),
            ("free A : f () : g", ("free A : f ()", ":", "free g")),
        ] {
            let path = NamePath::from(path);
            let (before, separator, names) = path.seen().expect("a separator");
            assert_eq!((before.as_str(), separator, names.as_str()), expected);
        }
        assert!(NamePath::from("unit A f").seen().is_none());
        let above: Vec<String> = NamePath::from("unit A B").ancestors().map(|path| path.to_string()).collect();
        assert_eq!(above, ["unit A B", "unit A"]);
        assert!("unit A".parse::<Lead>().is_err() && "base".parse::<Lead>().is_err());
    }
}
