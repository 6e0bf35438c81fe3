//! The MCP clients that can be configured: where their configuration is, and what belongs in it.
//!
//! A key is written only where the client has no way to name a variable for it.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use flowmaster_kernel::{Error, Result};
use serde_json::{Map, Value, json};
use toml_edit::{DocumentMut, Item, Table, value};

use crate::config::Secret;

/// The name of the server in every client.
pub(super) const NAME: &str = "flowmaster";

/// An MCP client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Client {
    /// Claude Code.
    ClaudeCode,
    /// Claude Desktop (through stdio).
    ClaudeDesktop,
    /// Codex CLI.
    Codex,
    /// Visual Studio Code.
    Vscode,
    /// Cursor.
    Cursor,
}

/// What is to be written.
pub(super) struct Facts<'a> {
    /// The address of the server.
    pub(super) base: &'a str,
    /// The key, if it is known.
    pub(super) key: Option<&'a Secret>,
    /// The path of this program.
    pub(super) program: &'a Path,
}

impl Client {
    /// The file that holds the configuration, below the home folder.
    pub(super) fn file(self, home: &Path) -> PathBuf {
        let application = |name: &str| {
            if cfg!(target_os = "macos") {
                home.join("Library/Application Support").join(name)
            } else if cfg!(windows) {
                home.join("AppData/Roaming").join(name)
            } else {
                home.join(".config").join(name)
            }
        };
        match self {
            Self::ClaudeCode => home.join(".claude.json"),
            Self::ClaudeDesktop => application("Claude").join("claude_desktop_config.json"),
            Self::Codex => home.join(".codex/config.toml"),
            Self::Vscode => application("Code").join("User/mcp.json"),
            Self::Cursor => home.join(".cursor/mcp.json"),
        }
    }

    /// The configuration with our server in it; everything else stays as it is.
    ///
    /// # Errors
    /// `unreadable_config` when `before` is not what the client writes.
    pub(super) fn configure(self, before: &str, facts: &Facts<'_>) -> Result<String> {
        match self {
            Self::Codex => codex(before, facts),
            Self::ClaudeCode => in_json(before, "mcpServers", claude_code_entry(facts), None),
            Self::ClaudeDesktop => in_json(before, "mcpServers", claude_desktop_entry(facts), None),
            Self::Cursor => in_json(before, "mcpServers", cursor_entry(facts.base), None),
            Self::Vscode => {
                in_json(before, "servers", vscode_entry(facts.base), Some(vscode_inputs()))
            }
        }
    }
}

fn claude_code_entry(facts: &Facts<'_>) -> Value {
    let key = facts.key.map_or("${FLOWMASTER_KEY}", Secret::expose);
    json!({
        "type": "http",
        "url": format!("{}/mcp", facts.base),
        "headers": { "Authorization": format!("Bearer {key}") }
    })
}

pub(super) fn claude_desktop_entry(facts: &Facts<'_>) -> Value {
    let mut entry = json!({ "command": facts.program.display().to_string(), "args": ["mcp", "--url", facts.base] });
    if let (Some(fields), Some(key)) = (entry.as_object_mut(), facts.key) {
        fields.insert("env".to_owned(), json!({ "FLOWMASTER_KEY": key.expose() }));
    }
    entry
}

pub(super) fn cursor_entry(base: &str) -> Value {
    json!({
        "url": format!("{base}/mcp"),
        "headers": { "Authorization": "Bearer ${env:FLOWMASTER_KEY}" }
    })
}

pub(super) fn vscode_entry(base: &str) -> Value {
    json!({
        "type": "http",
        "url": format!("{base}/mcp"),
        "headers": { "Authorization": "Bearer ${input:flowmaster_key}" }
    })
}

pub(super) fn vscode_inputs() -> Value {
    json!([{
        "type": "promptString",
        "id": "flowmaster_key",
        "description": "Key of the FlowMaster server",
        "password": true
    }])
}

fn in_json(before: &str, list: &str, entry: Value, inputs: Option<Value>) -> Result<String> {
    let unreadable = |why: &str| {
        Error::invalid("unreadable_config", "the configuration of the client cannot be changed")
            .why(why)
            .fix("add the server by hand, with the lines that flowmaster connect --links prints")
    };
    let mut root: Value = if before.trim().is_empty() {
        Value::Object(Map::new())
    } else {
        serde_json::from_str(before).map_err(|error| unreadable(&error.to_string()))?
    };
    let fields = root.as_object_mut().ok_or_else(|| unreadable("it is not a JSON object"))?;
    fields
        .entry(list)
        .or_insert_with(|| json!({}))
        .as_object_mut()
        .ok_or_else(|| unreadable(&format!("{list} is not an object")))?
        .insert(NAME.to_owned(), entry);
    if let Some(Value::Array(wanted)) = inputs {
        let present = fields
            .entry("inputs")
            .or_insert_with(|| json!([]))
            .as_array_mut()
            .ok_or_else(|| unreadable("inputs is not a list"))?;
        for input in wanted {
            if !present.iter().any(|known| known.get("id") == input.get("id")) {
                present.push(input);
            }
        }
    }
    let text = serde_json::to_string_pretty(&root)
        .map_err(|error| Error::internal("config_encoding", error))?;
    Ok(text + "\n")
}

fn codex(before: &str, facts: &Facts<'_>) -> Result<String> {
    let unreadable = |why: String| {
        Error::invalid("unreadable_config", "the configuration of Codex cannot be changed").why(why)
    };
    let mut document: DocumentMut =
        before.parse().map_err(|error: toml_edit::TomlError| unreadable(error.to_string()))?;
    let servers = document
        .entry("mcp_servers")
        .or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        })
        .as_table_mut()
        .ok_or_else(|| unreadable("mcp_servers is not a table".to_owned()))?;
    let mut entry = Table::new();
    entry.insert("url", value(format!("{}/mcp", facts.base)));
    entry.insert("bearer_token_env_var", value("FLOWMASTER_KEY"));
    servers.insert(NAME, Item::Table(entry));
    Ok(document.to_string())
}
