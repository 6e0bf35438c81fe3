//! Clients that others wrote list and call the tools of a server, over every transport.
//!
//! What they check is in `tests/clients`: one script a client, which ends at the first difference.
//! Invariants: each client and transport is one result, also when the client cannot be installed;
//! the server is one of our own, on a free port and in a folder of its own.

use std::path::Path;
use std::process::Command;

use crate::install::{self, Programs};
use crate::program;
use crate::server::{self, Server};
use crate::tally::Tally;

/// Not over a network: the client starts the server itself.
const STDIO: &str = "stdio";

/// A client, and the transports that its script knows.
struct Client {
    name: &'static str,
    script: &'static str,
    transports: &'static [&'static str],
    /// Installs what runs the script; the script comes next.
    install: fn() -> anyhow::Result<Programs>,
}

fn fastmcp() -> anyhow::Result<Programs> {
    install::python(&["fastmcp==4.1.2"])
}

fn node_packages() -> anyhow::Result<Programs> {
    install::node(&["@modelcontextprotocol/sdk@1.32.2", "@modelcontextprotocol/inspector@2.12.0"])
}

const CLIENTS: [Client; 3] = [
    Client {
        name: "fastmcp",
        script: "fastmcp_client.py",
        transports: &["http-modern", "http-legacy", "sse", STDIO],
        install: fastmcp,
    },
    Client {
        name: "TypeScript SDK",
        script: "sdk_client.mjs",
        transports: &["http", "sse", STDIO],
        install: node_packages,
    },
    Client {
        name: "Inspector",
        script: "inspector_client.mjs",
        transports: &["http-modern", "http-legacy", "sse", STDIO],
        install: node_packages,
    },
];

/// Runs every client over each of its transports.
pub(crate) fn run(root: &Path) -> anyhow::Result<Tally> {
    let flowmaster = server::built(root, &[])?;
    let server = Server::start(&flowmaster, server::Program::InPlace)?;
    let mut tally = Tally::default();
    for client in &CLIENTS {
        match (client.install)() {
            Ok(programs) => {
                for transport in client.transports {
                    let check = client.check(root, &programs, &server, &flowmaster, transport);
                    tally += report(client, transport, check);
                }
            }
            Err(error) => {
                println!("{}: {error:#}", client.name);
                tally += Tally { passed: 0, failed: client.transports.len() };
            }
        }
    }
    Ok(tally)
}

impl Client {
    /// What the script printed.
    fn check(
        &self,
        root: &Path,
        programs: &Programs,
        server: &Server,
        flowmaster: &Path,
        transport: &str,
    ) -> anyhow::Result<String> {
        let mut script = Command::new(&programs.interpreter);
        server::without_settings(&mut script)
            .arg(root.join("tests/clients").join(self.script))
            .args(&programs.modules)
            .arg(transport);
        if transport == STDIO {
            script.arg(flowmaster).arg(server.folder().join(self.script));
        } else {
            script.arg(server.base()).env("FLOWMASTER_KEY", server.key());
        }
        program::quietly(&mut script)
    }
}

fn report(client: &Client, transport: &str, check: anyhow::Result<String>) -> Tally {
    match check {
        Ok(said) if said.contains("ok ") => {
            println!("{} over {transport}:\n{}", client.name, said.trim_end());
            Tally::PASS
        }
        Ok(_) => {
            println!("{} over {transport}: it checked nothing", client.name);
            Tally::FAIL
        }
        Err(error) => {
            println!("{} over {transport}: {error:#}", client.name);
            Tally::FAIL
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CLIENTS, report};
    use crate::tally::Tally;

    #[test]
    fn a_script_passes_only_when_it_checked_something() {
        let check = |said: anyhow::Result<&str>, tally: Tally| {
            let [client, ..] = &CLIENTS;
            assert_eq!(report(client, "sse", said.map(str::to_owned)), tally);
        };
        check(Ok("ok sse connect\nok sse tools/list\n"), Tally::PASS);
        check(Ok(""), Tally::FAIL);
        check(Err(anyhow::anyhow!("it failed")), Tally::FAIL);
    }

    #[test]
    fn every_client_has_its_script_and_names_its_transports() {
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/clients");
        for client in &CLIENTS {
            let script = std::fs::read_to_string(format!("{scripts}/{}", client.script)).unwrap();
            for transport in client.transports {
                let named = script.contains(&format!("\"{transport}\""));
                assert!(named, "{} does not know {transport}", client.script);
            }
        }
    }
}
