//! Prompts as versioned objects: `*.prompt.md` files, an immutable version for every content, and
//! a strict renderer.
//!
//! A prompt file is YAML front matter and a minijinja body. Rendering is pure: strict about
//! undefined variables, bounded in time by fuel, without access to files or the clock. Roles are
//! split before rendering, so data can never open a message of another role.
//!
//! This crate does not call models, does not decide which version is used where beyond "the
//! newest", and does not know MCP.

mod file;
mod library;
mod registry;
mod render;

pub use file::{Demo, FrontMatter, PromptError, PromptFile, Schemas};
pub use library::{LibraryPrompt, library};
pub use registry::{MIGRATIONS, Registry, Saved, Version, VersionInfo};
pub use render::{Message, Rendered, Role};
