//! Requests to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What was going on was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// A request to stop, which any thread may make. The run abandons its epoch and ends
/// with [`RunError::Interrupted`](crate::run::RunError::Interrupted); an epoch that is being published is
/// finished first.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<Asked>);

#[derive(Debug, Default)]
struct Asked {
    itself: AtomicBool,
    /// A request to this one is a request to the child too.
    parent: Option<Interrupt>,
}

impl Interrupt {
    /// One that stops part of what this one stops.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(Arc::new(Asked { itself: AtomicBool::new(false), parent: Some(self.clone()) }))
    }

    /// Takes back a request to stop that was made to this one itself.
    pub fn rearm(&self) {
        self.0.itself.store(false, Ordering::Relaxed);
    }

    /// Asks the run to stop.
    pub fn request(&self) {
        self.0.itself.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.itself.load(Ordering::Relaxed) || self.0.parent.as_ref().is_some_and(Self::is_requested)
    }

    /// An error if it was asked to stop.
    ///
    /// # Errors
    /// [`Interrupted`].
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.is_requested() { Err(Interrupted) } else { Ok(()) }
    }
}
