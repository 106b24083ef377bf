//! Embedders that wait for requests: full batches across files and rounds, and what every other
//! embedder gives.

use std::sync::atomic::Ordering;

use gristmill_pipeline::Mode;

use crate::job::Job;

const FILES: usize = 100;

/// What the embedder takes at once: no divisor of what a round of the plane gives it.
const BATCH: u64 = 7;

fn job(requests: usize) -> Job {
    let mut job = Job::new();
    job.requests = requests;
    for nth in 0..FILES {
        job.write(&format!("{}/{nth}.x", nth % 7), &format!("one {nth}\ntwo {nth}\nthree {nth}\n"));
    }
    job
}

#[test]
fn requests_are_filled_across_files_and_rounds() {
    for mode in [Mode::Parallel, Mode::Pipeline] {
        let job = job(2);
        job.run(mode);
        let (_, embedded) = job.counts.take();
        let calls = job.counts.embed_calls.swap(0, Ordering::Relaxed);
        assert_eq!((embedded, calls), (3 * FILES as u64, (3 * FILES as u64).div_ceil(BATCH)), "{mode}");
    }
}

#[test]
fn a_waiting_embedder_gives_the_rows_of_one_that_computes() {
    let expected = job(0);
    expected.write("bad.x", "good\nunembeddable\nbetter\n");
    expected.run(Mode::Sequential);
    for mode in Mode::ALL {
        let job = job(2);
        job.write("bad.x", "good\nunembeddable\nbetter\n");
        job.run(mode);
        assert!(job.rows() == expected.rows(), "{mode}");

        job.write("0/new.x", "one 3\nnew\n");
        job.counts.take();
        job.run(mode);
        assert_eq!(job.counts.take().1, 2, "{mode}: the header holds the path");
    }
}

/// What is let in waits for vectors, and nothing more is let in: calls that are not full must
/// go out then.
#[test]
fn little_memory_does_not_keep_requests_waiting() {
    for mode in [Mode::Parallel, Mode::Pipeline] {
        let mut job = job(2);
        job.memory_limit = 1;
        job.run(mode);
        assert_eq!(job.counts.take().1, 3 * FILES as u64, "{mode}");
    }
}
