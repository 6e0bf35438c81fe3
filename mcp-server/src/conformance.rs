//! What the official MCP conformance suite expects a server to offer: its tools, prompts and resources.
//!
//! They exist only in a build with the feature `conformance`, which no release has. They are offered
//! through the same ports as what tenants publish, so they pass the same doors as everything else:
//! HTTP, credentials, sessions, dispatch and its limits. `cargo xtask conformance mcp` runs the suite.
//!
//! Not here: anything of the protocol. What the suite needs of that is built into `mcp`.

mod asking;
mod prompts;
mod resources;
mod tasks;
mod tools;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flowmaster_reach::handles::Handles;

use crate::compose::Ports;

/// A picture of one red pixel, as PNG in base64.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";

/// What fixtures change, so that there is something to tell.
#[derive(Default)]
struct Switches {
    more_tools: AtomicBool,
    more_prompts: AtomicBool,
}

fn flip(switch: &AtomicBool) {
    switch.fetch_xor(true, Ordering::AcqRel);
}

/// The ports, with the fixtures in front of what is there.
#[must_use]
pub fn mounted(ports: Ports, handles: &Arc<Handles>) -> Ports {
    let switches = Arc::new(Switches::default());
    Ports {
        processes: Some(Arc::new(tools::Tools {
            switches: Arc::clone(&switches),
            handles: Arc::clone(handles),
            behind: ports.processes,
        })),
        prompts: Some(Arc::new(prompts::Prompts { switches, behind: ports.prompts })),
        resources: Some(Arc::new(resources::Resources { behind: ports.resources })),
        continuations: Some(Arc::new(tasks::Begun {
            handles: Arc::clone(handles),
            behind: ports.continuations,
        })),
        ..ports
    }
}
