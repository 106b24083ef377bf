//! A grain store.

use std::fmt;

/// The most grains a silo holds.
pub const CAPACITY: usize = 64;

static mut OPENED: u32 = 0;

/// A place for grain.
///
/// It keeps count.
#[derive(Debug, Clone)]
pub struct Silo<T> {
    /// What lies in it.
    grains: Vec<T>,
    open: bool,
}

/* How a silo fails. */
#[derive(Debug)]
pub enum Failure {
    /// No room.
    Full,
    Shut { since: u64 },
}

/// What can be milled.
pub trait Mill {
    /// What comes out.
    type Flour;
    /// How often to turn.
    const TURNS: u32 = 3;
    /// Mills it.
    fn mill(self) -> Self::Flour;
    fn idle(&self) {}
}

impl<T> Silo<T>
where
    T: Clone,
{
    // Not a doc comment of a rule, but it stands right above.
    #[must_use]
    pub fn new() -> Self {
        Self { grains: Vec::new(), open: true }
    }

    /** Adds one grain. */
    pub async fn add(
        &mut self,
        grain: T,
    ) -> Result<(), Failure> {
        fn check(len: usize) -> bool {
            len < CAPACITY
        }
        if !check(self.grains.len()) { return Err(Failure::Full) }
        self.grains.push(grain);
        Ok(())
    }
}

impl<T: fmt::Debug> fmt::Display for Silo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.grains)
    }
}

pub type Pair = (u8, u8);

union Bits { int: u32, float: f32 }

/// Makes a list.
#[macro_export]
macro_rules! grains {
    ($($x:expr),*) => { vec![$($x),*] };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert!(Silo::<u8>::new().open);
    }
}

extern "C" {
    fn abs(x: i32) -> i32;
}
