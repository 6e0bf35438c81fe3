use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use clap::CommandFactory as _;
use parking_lot::Mutex;
use serde_json::Value;

use super::clients::Client;
use super::connect::{ConnectArgs, connect};
use super::links::{invitation, links};
use super::*;
use crate::config::Secret;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn terminal() -> (Terminal, Page) {
    let page = Page::default();
    (Terminal::to(Box::new(page.clone()), Box::new(page.clone())), page)
}

fn with_key() -> Config {
    Config { key: Some(Secret::new("fm_hunter2")), ..Config::default() }
}

#[test]
fn the_command_line_is_well_formed() {
    Cli::command().debug_assert();
    let check = |line: &str, passes: bool| {
        assert_eq!(Cli::try_parse_from(line.split(' ')).is_ok(), passes, "{line}");
    };
    check("flowmaster", true);
    check("flowmaster up --bind 127.0.0.1:0", true);
    check("flowmaster mcp --toolsets all --read-only", true);
    check("flowmaster call process_search {}", true);
    check("flowmaster connect --links", true);
    check("flowmaster connect claude-code --yes", true);
    check("flowmaster backup copy.db --data-dir data", true);
    check("flowmaster restore copy.db", true);
    check("flowmaster backup", false);
    check("flowmaster connect", false);
    check("flowmaster connect emacs", false);
}

#[test]
fn definitions_are_imported_into_files() {
    let folder = tempfile::tempdir().unwrap();
    let stored = |name: &str, kind: &str| {
        let path = folder.path().join(name);
        let graph = serde_json::json!({
            "_key": "9", "name": "Lend",
            "nodes": [{ "id": "b", "type": "start" }, { "id": "w", "type": kind, "title": "Work" }],
            "edges": [{ "source": "b", "target": "w" }, { "source": "b", "target": "gone" }],
        });
        std::fs::write(&path, graph.to_string()).unwrap();
        path.display().to_string()
    };
    let into = folder.path().join("out");
    let run_on = |path: &str| {
        let into = into.display().to_string();
        let cli = Cli::try_parse_from(["flowmaster", "bpmn", "import", path, "--into", &into]);
        let Some(Command::Bpmn(BpmnCommand::Import(args))) = cli.unwrap().command else { panic!() };
        let (mut terminal, page) = terminal();
        let result = import::import(&args, &mut terminal);
        (result, String::from_utf8(page.0.lock().clone()).unwrap())
    };
    let (result, page) = run_on(&stored("good.json", "human"));
    assert!(result.is_ok() && page.contains("executable after repairs: p_9"), "{page}");
    assert!(
        page.contains("repaired dangling_edge at b") && page.ends_with("1 passed, 0 failed\n"),
        "{page}"
    );
    let written = std::fs::read(into.join("p_9.bpmn")).unwrap();
    assert!(flowmaster_engine::bpmn::read(&written).is_ok());
    let (result, page) = run_on(&stored("bad.json", "teleport"));
    assert_eq!(result.unwrap_err().code(), "definitions_rejected");
    assert!(page.contains("unknown_node_type at w"), "{page}");
}

#[test]
fn test_cases_of_decisions_run_beside_their_models() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "m.dmn",
        "<definitions xmlns='https://www.omg.org/spec/DMN/20230324/MODEL/' name='m' namespace='urn:m'>\
         <decision id='d' name='d'><variable name='d'/><literalExpression><text>1 + 1</text></literalExpression></decision></definitions>",
    );
    let case = |expected: u8| {
        format!(
            "<testCases xmlns='http://www.omg.org/spec/DMN/20160719/testcase' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>\
             <modelName>m.dmn</modelName><testCase id='one'><resultNode name='d'><expected><value xsi:type='decimal'>{expected}</value>\
             </expected></resultNode></testCase></testCases>"
        )
    };
    let check = || {
        let path = folder.path().display().to_string();
        let cli = Cli::try_parse_from(["flowmaster", "dmn", "check", &path]);
        let Some(Command::Dmn(DmnCommand::Check(args))) = cli.unwrap().command else { panic!() };
        let (mut terminal, page) = terminal();
        let result = dmn::check(&args, &mut terminal);
        (result, String::from_utf8(page.0.lock().clone()).unwrap())
    };
    assert_eq!(check().0.unwrap_err().code(), "nothing_found");
    write("right.xml", &case(2));
    let (result, page) = check();
    assert!(result.is_ok() && page.ends_with("1 passed, 0 failed\n"), "{page}");
    write("wrong.xml", &case(3));
    let (result, page) = check();
    assert_eq!(result.unwrap_err().code(), "cases_failed");
    assert!(page.contains("wrong.xml one: d: 2, and 3 is expected"), "{page}");
}

#[test]
fn flags_become_settings() {
    let cli = Cli::try_parse_from(["flowmaster", "mcp", "--toolsets", "all", "--read-only"]);
    let flags = cli.unwrap().flags();
    let config = Config::merge(None, std::iter::empty(), flags).unwrap();
    assert_eq!((config.toolsets.as_str(), config.read_only), ("all", true));
}

#[test]
fn each_client_gets_our_server_and_keeps_everything_else() {
    let check = |client: Client, before: &str, pointer: &str, expected: &str| {
        let home = tempfile::tempdir().unwrap();
        let file = client.file(home.path());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, before).unwrap();
        let (mut terminal, page) = terminal();
        let args = ConnectArgs::unattended(client, home.path());
        connect(&with_key(), &args, &mut terminal).unwrap();

        let after = std::fs::read_to_string(&file).unwrap();
        let parsed: Value = match client {
            Client::Codex => serde_json::to_value(after.parse::<Table>().unwrap()).unwrap(),
            _ => serde_json::from_str(&after).unwrap(),
        };
        assert_eq!(parsed.pointer(pointer).and_then(Value::as_str), Some(expected), "{after}");
        assert_eq!(parsed.pointer("/theme").and_then(Value::as_str), Some("dark"));
        let backup = file.with_file_name(format!(
            "{}.flowmaster-backup-1",
            file.file_name().unwrap().to_str().unwrap()
        ));
        assert_eq!(std::fs::read_to_string(backup).unwrap(), before);
        let shown = String::from_utf8(page.0.lock().clone()).unwrap();
        assert!(shown.contains("+") && !shown.contains("hunter2"), "{shown}");

        connect(&with_key(), &args, &mut terminal).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), after, "a second time changes nothing");
    };
    let json = r#"{"theme":"dark","mcpServers":{"other":{"url":"x"}}}"#;
    let url = "http://127.0.0.1:9000/mcp";
    check(Client::ClaudeCode, json, "/mcpServers/flowmaster/url", url);
    check(
        Client::ClaudeCode,
        json,
        "/mcpServers/flowmaster/headers/Authorization",
        "Bearer fm_hunter2",
    );
    check(Client::ClaudeDesktop, json, "/mcpServers/flowmaster/args/0", "mcp");
    check(Client::Cursor, json, "/mcpServers/flowmaster/url", url);
    check(Client::Cursor, json, "/mcpServers/other/url", "x");
    check(Client::Vscode, r#"{"theme":"dark"}"#, "/servers/flowmaster/url", url);
    check(Client::Vscode, r#"{"theme":"dark"}"#, "/inputs/0/id", "flowmaster_key");
    let toml = "# mine\ntheme = \"dark\"\n\n[mcp_servers.other]\nurl = \"x\"\n";
    check(Client::Codex, toml, "/mcp_servers/flowmaster/url", url);
    check(Client::Codex, toml, "/mcp_servers/flowmaster/bearer_token_env_var", "FLOWMASTER_KEY");
    check(Client::Codex, toml, "/mcp_servers/other/url", "x");
}

#[test]
fn a_file_that_is_not_understood_is_left_alone() {
    let check = |client: Client, before: &str| {
        let home = tempfile::tempdir().unwrap();
        let file = client.file(home.path());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, before).unwrap();
        let args = ConnectArgs::unattended(client, home.path());
        let error = connect(&with_key(), &args, &mut terminal().0).unwrap_err();
        assert_eq!(error.code(), "unreadable_config");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    };
    check(Client::Vscode, "{ // comments\n}");
    check(Client::Cursor, "[]");
    check(Client::Cursor, r#"{"mcpServers": []}"#);
    check(Client::Codex, "mcp_servers = 1");
}

#[test]
fn links_work_without_a_secret() {
    let all = links("http://127.0.0.1:9000");
    assert!(all.iter().any(|link| link.address.starts_with("cursor://anysphere.cursor-deeplink/")));
    assert!(all.iter().any(|link| link.address.starts_with("vscode:mcp/install?%7B%22name%22")));
    let key = Secret::new("fm_hunter2");
    let shown = invitation("http://127.0.0.1:9000", Some(&key), Path::new("/bin/flowmaster"));
    let (desktop, others): (Vec<_>, Vec<_>) =
        shown.lines().partition(|line| line.trim().starts_with("Claude Desktop"));
    for line in others.iter().filter(|line| line.contains("://")) {
        assert!(!line.contains("hunter2"), "{line}");
    }
    assert_eq!(others.join(" ").matches("hunter2").count(), 2, "the key and the line to paste");
    let (_, pasted) = desktop[0].split_once(".json: ").unwrap();
    let pasted: Value = serde_json::from_str(pasted).unwrap();
    let server = &pasted["mcpServers"]["flowmaster"];
    assert_eq!(server["command"], "/bin/flowmaster");
    assert_eq!(server["env"]["FLOWMASTER_KEY"], "fm_hunter2");
    let later = invitation("http://127.0.0.1:9000", None, Path::new("/bin/flowmaster"));
    assert!(later.contains(r#""FLOWMASTER_KEY":"YOUR_KEY""#), "{later}");
}
