//! Tells somebody, such as the terminal, when a client connects and when it has seen its tools.
//!
//! Modern clients have no connection, so each client is reported once a stage; what is remembered
//! for that is bounded, at the price that a client may be reported again.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;

const MAX_REMEMBERED: usize = 1_024;

/// A client that was seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientSeen {
    /// The client's name, as it says.
    pub name: String,
    /// The client's version, as it says.
    pub version: String,
    /// The protocol revision it speaks.
    pub revision: String,
    /// The principal whose credential it uses.
    pub principal: String,
    /// How many tools it was offered, once it asked.
    pub tools: Option<usize>,
}

type Tell = dyn Fn(&ClientSeen) + Send + Sync;

/// Reports clients once.
#[derive(Clone, Default)]
pub struct Observer {
    tell: Option<Arc<Tell>>,
    seen: Arc<Mutex<BTreeSet<ClientSeen>>>,
}

impl Observer {
    /// Calls `tell` for every client; it must not block.
    pub fn new(tell: impl Fn(&ClientSeen) + Send + Sync + 'static) -> Self {
        Self { tell: Some(Arc::new(tell)), seen: Arc::default() }
    }

    pub(super) fn saw(&self, client: &ClientSeen) {
        let Some(tell) = &self.tell else { return };
        {
            let mut seen = self.seen.lock();
            if seen.len() >= MAX_REMEMBERED {
                seen.clear();
            }
            if !seen.insert(client.clone()) {
                return;
            }
        }
        tell(client);
    }
}

/// Text that came from outside, safe to print: no control characters and not too long.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}
