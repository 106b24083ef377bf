//! What gristmill does about the memory of its process: an allocator that counts what each thread allocates,
//! a bound on what Lance reads ahead, and what can be done when memory runs short.
//!
//! This crate is the only one with unsafe code. `GlobalAlloc` is an unsafe trait, and no operation in it does
//! more than call the underlying allocator; while counting is off, each allocation costs one extra relaxed atomic
//! load. Setting an environment variable is unsafe in a process with several threads, so it is done while there
//! is only one. Calls into mimalloc and the C library are unsafe because they are foreign functions.
//!
//! ```
//! use gristmill_memory::{Counting, count};
//! use std::alloc::System;
//!
//! #[global_allocator]
//! static ALLOCATOR: Counting<System> = Counting::new(System);
//!
//! let (text, allocated) = count(|| String::from("one allocation of fourteen bytes").len());
//! assert_eq!((text, allocated.times), (32, 1));
//! ```

mod exhausted;
mod read_ahead;
mod relief;

pub use exhausted::exit_when_exhausted;
pub use read_ahead::read_less_ahead;
pub use relief::return_freed_memory;

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use exhausted::checked;

/// How many calls of [`count`] are under way, on all threads.
static COUNTING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static ALLOCATED: Cell<Allocated> = const { Cell::new(Allocated { times: 0, bytes: 0 }) };
}

/// What was allocated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// Allocations, and reallocations to a larger size.
    pub times: u64,
    /// Bytes asked for.
    pub bytes: u64,
}

/// Runs `work` and gives what the calling thread allocated in it. Nothing if the program's global allocator
/// is not [`Counting`].
pub fn count<R>(work: impl FnOnce() -> R) -> (R, Allocated) {
    /// Stops counting even if `work` panics.
    struct Counts;
    impl Drop for Counts {
        fn drop(&mut self) {
            COUNTING.fetch_sub(1, Ordering::Relaxed);
        }
    }
    COUNTING.fetch_add(1, Ordering::Relaxed);
    let _counts = Counts;
    let before = ALLOCATED.get();
    let result = work();
    let after = ALLOCATED.get();
    (result, Allocated { times: after.times - before.times, bytes: after.bytes - before.bytes })
}

/// A global allocator over another one.
#[derive(Debug)]
pub struct Counting<A>(A);

impl<A> Counting<A> {
    /// Counts what `allocator` allocates.
    pub const fn new(allocator: A) -> Self {
        Self(allocator)
    }
}

fn note(bytes: usize) {
    if COUNTING.load(Ordering::Relaxed) > 0 {
        // A thread that ends may allocate after its counter is gone.
        let _ = ALLOCATED.try_with(|allocated| {
            let Allocated { times, bytes: before } = allocated.get();
            allocated.set(Allocated { times: times + 1, bytes: before + bytes as u64 });
        });
    }
}

// SAFETY: every method passes its arguments on to the allocator beneath and returns what that returns, or ends the
// process;
// `note` neither allocates nor unwinds: the counter is a `Cell` of integers without a destructor.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        checked(unsafe { self.0.alloc(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from the allocator beneath, with this layout.
        unsafe { self.0.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`, which is the same.
        checked(unsafe { self.0.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if new_size > layout.size() {
            note(new_size);
        }
        // SAFETY: `pointer` came from the allocator beneath, with this layout; the caller keeps the rest of
        // the contract of `realloc`, which is the same.
        checked(unsafe { self.0.realloc(pointer, layout, new_size) }, new_size)
    }
}
