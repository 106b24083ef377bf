//! The commands, one module each.

pub mod ask;
pub mod bench;
pub mod check;
pub mod clear;
pub mod digest;
pub mod eval;
pub mod gc;
pub mod history;
pub mod init;
pub mod inspect;
pub mod job;
pub mod mcp;
pub mod model;
pub mod plan;
pub mod replay;
pub mod run;
pub mod schema;
pub mod serve;
pub mod status;
pub mod watch;
