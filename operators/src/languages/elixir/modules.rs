//! How Elixir's modules name files.

use gristmill_pipeline::port::Import;

use crate::spec::resolution::{ModuleSystem, Names, absolute};

pub(super) static MODULES: ModuleSystem = ModuleSystem::new("ex:", resolve);

/// Adds `my_app/user_data` for `MyApp.UserData`.
fn resolve(_path: &str, import: &Import, names: &mut Names) {
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
