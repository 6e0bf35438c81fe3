//! Which tools a client asks for: by path (`/mcp/x/design,rules/readonly`), by query
//! (`?toolsets=design&read_only=true`) or by header (`X-MCP-Toolsets`, `X-MCP-Readonly`).
//!
//! A selection narrows what is listed, it never widens what is allowed. Read-only is a hard filter
//! and wins wherever it is set.

use flowmaster_kernel::{Effect, Error, Result, Toolset};

use crate::dispatch::Tool;

const NAMES: [(&str, Toolset); 7] = [
    ("core", Toolset::Core),
    ("design", Toolset::Design),
    ("rules", Toolset::Rules),
    ("documents", Toolset::Documents),
    ("agents", Toolset::Agents),
    ("integrations", Toolset::Integrations),
    ("admin", Toolset::Admin),
];

/// The tools that are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selection {
    /// One bit for each toolset.
    toolsets: u8,
    read_only: bool,
}

impl Default for Selection {
    fn default() -> Self {
        Self { toolsets: bit(Toolset::Core), read_only: false }
    }
}

const fn bit(toolset: Toolset) -> u8 {
    1 << toolset as u8
}

impl Selection {
    /// Reads a list such as `design,rules`; `all` is every toolset.
    ///
    /// # Errors
    /// `unknown_toolset`.
    pub fn of(toolsets: &str, read_only: bool) -> Result<Self> {
        let mut chosen = 0;
        for name in names_in(toolsets) {
            match NAMES.iter().find(|(known, _)| *known == name) {
                Some((_, toolset)) => chosen |= bit(*toolset),
                None if name == "all" => {
                    chosen = NAMES.iter().fold(0, |all, (_, toolset)| all | bit(*toolset));
                }
                None => return Err(unknown(name)),
            }
        }
        if chosen == 0 {
            return Ok(Self { read_only, ..Self::default() });
        }
        Ok(Self { toolsets: chosen, read_only })
    }

    /// Reads the parts of a request. For the toolsets the path comes before the query, and the
    /// query before the headers.
    ///
    /// # Errors
    /// `unknown_toolset`, `invalid_read_only`.
    pub fn of_request(path: &str, query: Option<&str>, headers: Headers<'_>) -> Result<Self> {
        let mut toolsets = headers.toolsets.unwrap_or_default();
        let mut read_only = match headers.read_only {
            Some(text) => flag(text)?,
            None => false,
        };
        for pair in query.unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, "true"));
            match name {
                "toolsets" => toolsets = value,
                "read_only" => read_only |= flag(value)?,
                _ => {}
            }
        }
        let path = path.strip_prefix("/mcp").unwrap_or_default();
        let path = match path.strip_suffix("/readonly") {
            Some(rest) => {
                read_only = true;
                rest
            }
            None => path,
        };
        if let Some(named) = path.strip_prefix("/x/") {
            toolsets = named;
        }
        Self::of(toolsets, read_only)
    }

    /// Whether writes are refused.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether `tool` is in the list.
    #[must_use]
    pub fn lists(&self, tool: &Tool) -> bool {
        self.toolsets & bit(tool.toolset) != 0 && self.permits(tool)
    }

    /// Whether `tool` may be called at all, listed or not.
    #[must_use]
    pub fn permits(&self, tool: &Tool) -> bool {
        !self.read_only || tool.effect == Effect::Read
    }
}

/// The headers that take part in a selection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers<'a> {
    /// `X-MCP-Toolsets`
    pub toolsets: Option<&'a str>,
    /// `X-MCP-Readonly`
    pub read_only: Option<&'a str>,
}

/// The names of a list whose commas may be percent-encoded, as some clients send them.
fn names_in(list: &str) -> impl Iterator<Item = &str> {
    let names =
        list.split(',').flat_map(|part| part.split("%2C")).flat_map(|part| part.split("%2c"));
    names.map(str::trim).filter(|name| !name.is_empty())
}

/// The name of a toolset, as in URLs.
pub(super) fn name_of(toolset: Toolset) -> &'static str {
    NAMES.iter().find(|(_, known)| *known == toolset).map_or("core", |(name, _)| name)
}

fn flag(text: &str) -> Result<bool> {
    match text {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(Error::invalid("invalid_read_only", "read_only is neither true nor false")),
    }
}

fn unknown(name: &str) -> Error {
    let known: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
    let shown: String = name.chars().take(40).collect();
    Error::invalid("unknown_toolset", format!("no toolset is called {shown:?}"))
        .fix(format!("use all, or some of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_comes_before_query_and_query_before_headers() {
        let check = |path, query, toolsets, read_only, expected: Result<(&str, bool), &str>| {
            let headers = Headers { toolsets, read_only };
            let got = Selection::of_request(path, query, headers);
            match expected {
                Ok((names, read_only)) => {
                    assert_eq!(
                        got.unwrap(),
                        Selection::of(names, read_only).unwrap(),
                        "{path} {query:?}"
                    );
                }
                Err(code) => assert_eq!(got.unwrap_err().code(), code, "{path} {query:?}"),
            }
        };
        check("/mcp", None, None, None, Ok(("core", false)));
        check(
            "/mcp",
            Some("toolsets=design,rules"),
            Some("admin"),
            None,
            Ok(("design,rules", false)),
        );
        check("/mcp", Some("toolsets=design%2Crules"), None, None, Ok(("design,rules", false)));
        check("/mcp", Some("read_only=false"), None, Some("true"), Ok(("core", true)));
        check("/mcp", Some("read_only"), None, None, Ok(("core", true)));
        check("/mcp", None, Some("all"), None, Ok(("all", false)));
        check("/mcp/x/design", Some("toolsets=rules"), None, None, Ok(("design", false)));
        check("/mcp/x/design/readonly", None, None, None, Ok(("design", true)));
        check("/mcp/readonly", None, None, None, Ok(("core", true)));
        check("/mcp", Some("toolsets=desing"), None, None, Err("unknown_toolset"));
        check("/mcp", Some("read_only=maybe"), None, None, Err("invalid_read_only"));
    }
}
