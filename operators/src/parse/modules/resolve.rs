//! What imports may mean, for languages where a few lines say it.

use gristmill_pipeline::port::Import;

use super::names::Names;
use super::relative::{below, directory, from, stem};
use crate::language;

/// The name that is taken from a module; `None` if all of it is.
pub(super) fn taken(import: &Import) -> Option<&str> {
    Some(&*import.name).filter(|name| !name.is_empty() && *name != "*")
}

/// Adds `module` and `name` in it: whole, then ever shorter ends, down to two parts. A
/// single part is added only if the import has no more.
pub(super) fn absolute(module: &str, name: Option<&str>, names: &mut Names) {
    let mut rest = Some(module);
    while let Some(end) = rest {
        if let Some(name) = name {
            names.push(&below(end, name));
        }
        if end.contains('/') || end.len() == module.len() {
            names.push(end);
        }
        rest = end.split_once('/').map(|(_, rest)| rest);
    }
}

/// Adds `module`, which has several parts, with ever shorter ends, as a package.
fn package(module: &str, names: &mut Names) {
    let mut rest = Some(module);
    while let Some(end) = rest.filter(|end| end.contains('/') || end.len() == module.len()) {
        names.push(&format!("{end}/*"));
        rest = end.split_once('/').map(|(_, rest)| rest);
    }
}

/// A package is a folder. One in the root of its repository is named by a single part,
/// behind the repository's host, owner and name.
pub(super) fn go(path: &str, import: &Import, names: &mut Names) {
    let module = &*import.module;
    if module.starts_with('.') {
        if let Some(base) = from(directory(path), module) {
            names.exact(&base);
        }
        return;
    }
    absolute(module, None, names);
    let hosted = module.split('/').next().is_some_and(|host| host.contains('.'));
    if let Some((_, last)) = module.rsplit_once('/').filter(|(before, _)| hosted && before.contains('/')) {
        names.push(last);
    }
}

pub(super) fn jvm(path: &str, import: &Import, names: &mut Names) {
    let module = import.module.replace('.', "/");
    if matches!(module.split('/').next(), Some("java" | "javax")) {
        return;
    }
    if &*import.name != "*" {
        absolute(&module, taken(import), names);
    } else if module.contains('/') {
        // All members of a class, rather than of a package.
        absolute(&module, None, names);
    }
    // Elsewhere than in Java a file may hold functions and classes of any name.
    let java = language::of_path(&path.into()).is_some_and(|language| language.name == "java");
    if !java || &*import.name == "*" {
        package(&module, names);
    }
}

/// What stands in quotes is looked for beside the file first, and then as what stands in
/// `<…>` in the folders for headers.
pub(super) fn c(path: &str, import: &Import, names: &mut Names) {
    let quoted = &*import.name == "*";
    let file = import.module.trim_start_matches("./");
    if let Some(exact) = from(directory(path), file).filter(|_| quoted) {
        names.exact(&exact);
    }
    let inward = file.trim_start_matches("../");
    if inward.len() == file.len() {
        for base in ["", "include", "src"] {
            names.exact(&below(base, file));
        }
    }
    if quoted {
        absolute(inward, None, names);
    } else if file.contains('/') {
        names.push(file);
    }
}

/// A namespace is a folder of that name. A type lies in a file of its name.
pub(super) fn csharp(_path: &str, import: &Import, names: &mut Names) {
    let module = import.module.replace('.', "/");
    if module.split('/').next() == Some("System") {
        return;
    }
    if let Some(name) = taken(import) {
        names.push(&below(&module, name));
        package(&below(&module, name), names);
    } else if module.contains('/') {
        names.push(&module);
    }
    package(&module, names);
}

pub(super) fn php(path: &str, import: &Import, names: &mut Names) {
    // A file, not a name.
    if stem(&import.module).len() < import.module.len() || import.module.contains('/') {
        return included(path, import, names);
    }
    let module = import.module.replace('\\', "/");
    absolute(&module, taken(import), names);
    // The first part of a name stands for the folder of the sources.
    if let Some(name) = taken(import) {
        let inner = module.split_once('/').map_or("", |(_, inner)| inner);
        for sources in ["src", "app", "lib"] {
            names.exact(&below(&below(sources, inner), name));
        }
    }
}

pub(super) fn ruby(path: &str, import: &Import, names: &mut Names) {
    let module = import.module.strip_suffix(".rb").unwrap_or(&import.module);
    if module.starts_with('.') {
        if let Some(base) = from(directory(path), module) {
            names.exact(&base);
        }
        return;
    }
    names.push(&below("lib", module));
    absolute(module, None, names);
}

pub(super) fn swift(_path: &str, import: &Import, names: &mut Names) {
    names.push(import.module.split('.').next().unwrap_or(&import.module));
}

/// A module's name is the whole path below the folder of the sources.
pub(super) fn haskell(_path: &str, import: &Import, names: &mut Names) {
    names.push(&import.module.replace('.', "/"));
}

/// `MyApp.UserData` lies in `my_app/user_data`.
pub(super) fn elixir(_path: &str, import: &Import, names: &mut Names) {
    let mut module = String::with_capacity(import.module.len() + 8);
    for part in import.module.split('.') {
        if !module.is_empty() {
            module.push('/');
        }
        let mut before: Option<char> = None;
        let mut letters = part.chars().peekable();
        while let Some(c) = letters.next() {
            // A word begins at a capital after a small letter, and before one.
            let begins = before.is_some_and(|before| {
                before.is_lowercase() || before.is_numeric() || letters.peek().is_some_and(|next| next.is_lowercase())
            });
            if c.is_uppercase() && begins {
                module.push('_');
            }
            module.extend(c.to_lowercase());
            before = Some(c);
        }
    }
    absolute(&module, None, names);
}

pub(super) fn lua(_path: &str, import: &Import, names: &mut Names) {
    absolute(&import.module.replace('.', "/"), None, names);
}

/// A path names a file; anything else is a package that the build names.
pub(super) fn zig(path: &str, import: &Import, names: &mut Names) {
    let module = &*import.module;
    match module.strip_suffix(".zig") {
        Some(file) => {
            if let Some(base) = from(directory(path), file) {
                names.exact(&base);
            }
        }
        None if matches!(module, "std" | "builtin" | "root") => {}
        None => {
            for folder in ["src", "lib"] {
                names.push(&below(folder, module));
            }
            names.push(&below(module, "src"));
            names.push(module);
        }
    }
}

/// A file named by its path: beside the importing one, in the root, or anywhere.
pub(super) fn included(path: &str, import: &Import, names: &mut Names) {
    let file = stem(&import.module);
    if let Some(base) = from(directory(path), file.trim_start_matches('/')) {
        names.exact(&base);
    }
    let inward = file.trim_start_matches("./").trim_start_matches('/');
    if !inward.starts_with("..") {
        names.exact(inward);
        if inward.contains('/') {
            absolute(inward, None, names);
        }
    }
}
