//! The refusal among what happened.

use super::Event;
use crate::governance::Refusal;

impl Event {
    /// The refusal, if the event is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::ActionRefused(refusal) => Some(refusal),
            _ => None,
        }
    }
}

/// The refusal among decided events. Where there is one, it is the first event, and nothing follows it
/// but the proposal that is kept of a completion.
#[must_use]
pub fn refusal(events: &[Event]) -> Option<&Refusal> {
    events.iter().find_map(Event::refusal)
}
