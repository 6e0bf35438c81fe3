//! Notes of a running call as log messages of the protocol, and the level that a session asked for.

#![expect(deprecated, reason = "clients that listen to it are told")]

use flowmaster_kernel::NoteLevel;
use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam};
use rmcp::service::{Peer, RoleServer, ServiceError};
use serde_json::Value;

/// The logger that notes name.
const LOGGER: &str = "flowmaster";

/// The least level of ours that is at least as grave.
pub(super) fn level(wanted: LoggingLevel) -> NoteLevel {
    match wanted {
        LoggingLevel::Debug => NoteLevel::Debug,
        LoggingLevel::Info => NoteLevel::Info,
        LoggingLevel::Notice | LoggingLevel::Warning => NoteLevel::Warning,
        _ => NoteLevel::Error,
    }
}

pub(super) async fn send(
    peer: &Peer<RoleServer>,
    level: NoteLevel,
    text: String,
) -> Result<(), ServiceError> {
    let level = match level {
        NoteLevel::Debug => LoggingLevel::Debug,
        NoteLevel::Info => LoggingLevel::Info,
        NoteLevel::Warning => LoggingLevel::Warning,
        NoteLevel::Error => LoggingLevel::Error,
    };
    let mut note = LoggingMessageNotificationParam::new(level, Value::String(text));
    note.logger = Some(LOGGER.to_owned());
    peer.notify_logging_message(note).await
}
