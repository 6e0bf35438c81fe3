//! Install links and ready-to-paste lines. Never a secret inside a link: links end up in histories
//! and chats, so they name the variable or the input that holds the key.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::clients::{
    Facts, NAME, claude_desktop_entry, cursor_entry, vscode_entry, vscode_inputs,
};
use crate::config::Secret;

/// A link that adds the server to a client.
pub(super) struct Link {
    pub(super) client: &'static str,
    pub(super) address: String,
}

/// The links of the clients that have them.
pub(super) fn links(base: &str) -> Vec<Link> {
    let cursor = STANDARD.encode(cursor_entry(base).to_string());
    let mut vscode = json!({ "name": NAME });
    if let (Some(fields), Some(entry)) = (vscode.as_object_mut(), vscode_entry(base).as_object()) {
        fields.extend(entry.clone());
        fields.insert("inputs".to_owned(), vscode_inputs());
    }
    let vscode = format!("vscode:mcp/install?{}", escaped(&vscode.to_string()));
    let lmstudio = STANDARD.encode(json!({ "url": format!("{base}/mcp") }).to_string());
    vec![
        Link {
            client: "Cursor",
            address: format!(
                "cursor://anysphere.cursor-deeplink/mcp/install?name={NAME}&config={}",
                escaped(&cursor)
            ),
        },
        Link {
            client: "VS Code (web)",
            address: format!("https://insiders.vscode.dev/redirect?url={}", escaped(&vscode)),
        },
        Link { client: "VS Code", address: vscode },
        Link {
            client: "LM Studio",
            address: format!("lmstudio://add_mcp?name={NAME}&config={}", escaped(&lmstudio)),
        },
    ]
}

/// What a person reads when the server has started.
pub(super) fn invitation(base: &str, new_key: Option<&Secret>, program: &Path) -> String {
    let own_key = Secret::new("YOUR_KEY".to_owned());
    let facts = Facts { base, key: Some(new_key.unwrap_or(&own_key)), program };
    let desktop = json!({ "mcpServers": { NAME: claude_desktop_entry(&facts) } });
    let mut lines = vec![
        format!("FlowMaster {} is up", env!("CARGO_PKG_VERSION")),
        format!("  MCP   {base}/mcp"),
        format!("  REST  {base}/api/v1   (described at {base}/openapi.json)"),
    ];
    if let Some(key) = new_key {
        lines.push(format!("  Key   {}   (shown once; keep it)", key.expose()));
        lines.push(String::new());
        lines.push(format!("  export FLOWMASTER_KEY={}", key.expose()));
    }
    lines.extend([
        String::new(),
        "Connect a client (each line is complete):".to_owned(),
        format!(
            "  claude mcp add --transport http {NAME} {base}/mcp --header \"Authorization: Bearer \
             $FLOWMASTER_KEY\""
        ),
        format!("  codex mcp add {NAME} --url {base}/mcp --bearer-token-env-var FLOWMASTER_KEY"),
        format!("  Claude Desktop, into claude_desktop_config.json: {desktop}"),
        "  flowmaster connect claude-code | claude-desktop | codex | vscode | cursor".to_owned(),
        String::new(),
        "Install links:".to_owned(),
    ]);
    lines.extend(links(base).iter().map(|link| format!("  {}: {}", link.client, link.address)));
    lines.join("\n")
}

/// Percent-encoding of everything that is not unreserved (RFC 3986 §2.3).
fn escaped(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len() * 2), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
