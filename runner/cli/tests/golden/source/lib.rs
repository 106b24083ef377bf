//! A cache.

/// Finds the entry of a key.
pub fn find_entry(key: &str) -> Option<u32> {
    key.parse().ok()
}
