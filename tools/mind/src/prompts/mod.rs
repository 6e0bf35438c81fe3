//! Prompts as versioned objects: the door to the prompt registry.
//!
//! Owns the operations `prompt_search`, `prompt_get`, `prompt_save`, `prompt_render`; the table and
//! the rules of a prompt file are those of the `flowmaster-prompts` crate.
//!
//! Invariants: a version never changes; what is saved can be rendered; rendering changes nothing
//! and calls no model.

mod service;
mod tools;
pub mod types;

pub use service::Prompts;
pub use tools::operations;

#[cfg(test)]
mod tests;
