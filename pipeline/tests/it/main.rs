//! The pipeline with small operators and a sink in memory: what the laws say, without
//! any language, model or store.

mod agreement;
mod faults;
mod graph;
mod toys;
