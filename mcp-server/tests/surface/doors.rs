//! Who gets in at all: hosts, origins, credentials, media types, sizes, spellings of paths.

use flowmaster_mcp_server::config::Config;
use serde_json::json;

use crate::harness::Server;

type Headers<'a> = &'a [(&'a str, &'a str)];

const ROUTES: [(&str, &str); 9] = [
    ("POST", "/mcp"),
    ("GET", "/mcp"),
    ("POST", "/mcp/x/design"),
    ("POST", "/api/v1/note_search"),
    ("GET", "/sse"),
    ("POST", "/messages?session_id=x"),
    ("GET", "/healthz"),
    ("GET", "/openapi.json"),
    ("GET", "/nowhere"),
];

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused_on_every_route() {
    let config = Config {
        allowed_hosts: vec!["flow.example".to_owned()],
        allowed_origins: vec!["https://app.example".to_owned()],
        ..Config::default()
    };
    let server = Server::start_with(config).await;
    let own = server.address.to_string();
    let own_origin = format!("http://{own}");
    let local = format!("localhost:{}", server.address.port());
    let cases: [(Headers<'_>, Option<&str>); 14] = [
        (&[("Host", &own)], None),
        (&[("Host", &local)], None),
        (&[("Host", "LOCALHOST")], None),
        (&[("Host", "flow.example")], None),
        (&[("Host", "flow.example:443"), ("Origin", "https://app.example")], None),
        (&[("Host", &own), ("Origin", &own_origin)], None),
        (&[("Host", "evil.example")], Some("host_not_allowed")),
        (&[("Host", "localhost.evil.example")], Some("host_not_allowed")),
        (&[("Host", &own), ("Host", &own)], Some("invalid_host")),
        (&[("Host", &own), ("Origin", "https://evil.example")], Some("origin_not_allowed")),
        (&[("Host", &own), ("Origin", "null")], Some("origin_not_allowed")),
        (&[("Host", &own), ("Origin", "https://app.example.evil")], Some("origin_not_allowed")),
        (&[("Host", &own), ("Origin", "http://localhost:1")], Some("origin_not_allowed")),
        (
            &[("Host", &own), ("Origin", &own_origin), ("Origin", "https://evil.example")],
            Some("origin_not_allowed"),
        ),
    ];
    for (method, path) in ROUTES {
        for (headers, refused) in &cases {
            let mut headers = headers.to_vec();
            // Without a credential nothing streams, and every answer ends.
            headers.push(("Content-Type", "application/json"));
            let answer = server.raw(&format!("{method} {path}"), &headers, b"{}").await;
            match refused {
                Some(code) => {
                    assert_eq!(answer.code(), *code, "{method} {path} {headers:?}");
                    assert!(matches!(answer.status, 400 | 403), "{answer:?}");
                }
                None => assert!(
                    matches!(answer.status, 200 | 401),
                    "{method} {path} {headers:?} {answer:?}"
                ),
            }
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
}

#[tokio::test]
async fn every_host_with_every_origin_is_decided_alike_on_every_route() {
    let config = Config {
        allowed_hosts: vec!["flow.example".to_owned()],
        allowed_origins: vec!["https://app.example".to_owned()],
        ..Config::default()
    };
    let server = Server::start_with(config).await;
    let own = server.address.to_string();
    let own_origin = format!("http://{own}");
    let hosts = [
        (own.as_str(), true),
        ("LocalHost:80", true),
        ("[::1]", true),
        ("flow.example", true),
        ("evil.example", false),
        ("flow.example.evil", false),
        ("127.0.0.1.evil.example", false),
    ];
    // The own origin is that of the host that is asked for.
    let origins = [
        (None, true),
        (Some("https://app.example"), true),
        (Some(own_origin.as_str()), false),
        (Some("https://evil.example"), false),
        (Some("https://app.example.evil"), false),
        (Some("http://app.example"), false),
        (Some("null"), false),
    ];
    let mut cells = 0;
    for (method, path) in ROUTES {
        for (host, is_served) in hosts {
            for (origin, is_allowed) in origins {
                let mut headers = vec![("Host", host), ("Content-Type", "application/json")];
                headers.extend(origin.map(|origin| ("Origin", origin)));
                let answer = server.raw(&format!("{method} {path}"), &headers, b"{}").await;
                let is_own = host == own && origin == Some(own_origin.as_str());
                let expected = match (is_served, is_allowed || is_own) {
                    (false, _) => Some("host_not_allowed"),
                    (true, false) => Some("origin_not_allowed"),
                    (true, true) => None,
                };
                let refused = (answer.status == 403).then(|| answer.code());
                assert_eq!(refused.as_deref(), expected, "{method} {path} {host} {origin:?}");
                cells += 1;
            }
        }
    }
    assert!(cells >= 400, "{cells}");
}

#[tokio::test]
async fn no_spelling_of_a_path_opens_it() {
    let server = Server::start().await;
    let paths = [
        "/mcp",
        "//mcp",
        "/MCP",
        "/mcp/",
        "/%6dcp",
        "/mcp%2f",
        "/./mcp",
        "/x/../mcp",
        "/mcp;a=b",
        "/healthz/../mcp",
        "/healthz/",
        "//healthz",
        "/healthz%2f..%2fmcp",
        "/HEALTHZ",
        "/api/v1/note_search",
        "/api//v1/note_search",
        "/API/v1/note_search",
        "/sse",
        "/messages",
        "/nowhere",
        "/",
    ];
    for path in paths {
        for method in ["GET", "POST", "DELETE", "PUT", "OPTIONS"] {
            let headers = [("Content-Type", "application/json")];
            let answer = server.raw(&format!("{method} {path}"), &headers, b"{}").await;
            assert_eq!(answer.status, 401, "{method} {path} {answer:?}");
        }
    }
    for method in ["POST", "PUT", "DELETE"] {
        let headers = [("Content-Type", "application/json")];
        let answer = server.raw(&format!("{method} /healthz"), &headers, b"{}").await;
        assert_eq!(answer.status, 401, "only reading is public: {answer:?}");
    }
}

#[tokio::test]
async fn a_missing_or_wrong_credential_is_challenged() {
    let server = Server::start().await;
    let base = server.url("");
    let check = async |headers: &[(&str, &str)], code: &str, failure: &str| {
        let answer = server.raw("POST /mcp", headers, b"{}").await;
        assert_eq!((answer.status, answer.code().as_str()), (401, code), "{headers:?}");
        let expected = format!(
            "Bearer resource_metadata=\"{base}/.well-known/oauth-protected-resource/mcp\"{failure}"
        );
        assert_eq!(answer.header("www-authenticate"), Some(expected.as_str()));
    };
    let json = ("Content-Type", "application/json");
    check(&[json], "credential_missing", "").await;
    check(&[json, ("Authorization", "Basic YTpi")], "credential_missing", "").await;
    check(&[json, ("Authorization", "Bearer ")], "credential_missing", "").await;
    let twice = ("Authorization", "Bearer anna");
    check(&[json, twice, twice], "credential_missing", "").await;
    let wrong = ("Authorization", "Bearer nobody");
    check(&[json, wrong], "invalid_key", ", error=\"invalid_token\"").await;
    let in_address = server.raw("GET /nowhere?access_token=anna", &[], b"").await;
    assert_eq!(in_address.status, 401);
}

#[tokio::test]
async fn the_metadata_of_the_resource_is_public() {
    let config = Config {
        public_url: Some("https://flow.example".to_owned()),
        authorization_servers: vec!["https://id.example".to_owned()],
        ..Config::default()
    };
    let server = Server::start_with(config).await;
    for path in ["", "/mcp"] {
        let line = format!("GET /.well-known/oauth-protected-resource{path}");
        let document = server.raw(&line, &[("Host", "flow.example")], b"").await.json();
        assert_eq!(
            document,
            json!({
                "resource": "https://flow.example/mcp",
                "resource_name": "FlowMaster",
                "bearer_methods_supported": ["header"],
                "authorization_servers": ["https://id.example"]
            })
        );
    }
}

#[tokio::test]
async fn bodies_must_be_json_and_not_too_large() {
    let server = Server::start().await;
    let check = async |path: &str, headers: &[(&str, &str)], body: &[u8], status, code: &str| {
        let mut headers = headers.to_vec();
        headers.push(("Authorization", "Bearer anna"));
        headers.push(("Accept", "application/json, text/event-stream"));
        let answer = server.raw(&format!("POST {path}"), &headers, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path} {headers:?}");
    };
    let json = ("Content-Type", "application/json; charset=utf-8");
    for path in ["/mcp", "/api/v1/note_search", "/messages?session_id=x"] {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
            check(path, &[("Content-Type", kind)], b"{}", 415, "unsupported_media_type").await;
        }
        check(path, &[], b"{}", 415, "unsupported_media_type").await;
        check(path, &[json, ("Content-Length", "100000000")], b"", 413, "body_too_large").await;
    }
    // Without an announced length the limit holds while the body arrives.
    let client = reqwest::Client::new();
    let stream =
        futures::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1 << 20])));
    let answer = client
        .post(server.url("/api/v1/note_add"))
        .header("Authorization", "Bearer anna")
        .header("Content-Type", "application/json")
        .body(reqwest::Body::wrap_stream(stream))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 413);
    check("/api/v1/note_search", &[json], b"{", 400, "invalid_json").await;
}

#[tokio::test]
async fn answers_are_hardened_and_errors_are_ours() {
    let server = Server::start().await;
    let answer = server.raw("GET /healthz", &[], b"").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    let auth = ("Authorization", "Bearer anna");
    let missing = server.raw("GET /nowhere", &[auth], b"").await;
    assert_eq!((missing.status, missing.code().as_str()), (404, "no_such_path"));
    let wrong = server.raw("GET /api/v1/note_search", &[auth], b"").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (405, "method_not_allowed"));
    assert_eq!(server.raw("GET /readyz", &[], b"").await.status, 200);
}

#[tokio::test]
async fn counters_are_open_to_this_machine_only() {
    let server = Server::start().await;
    server.rest("anna", "note_search", json!({})).await;
    let local = server.raw("GET /metrics", &[], b"").await;
    assert_eq!(local.status, 200);
    let line = "flowmaster_calls_total{operation=\"note_search\",outcome=\"ok\"}";
    assert!(local.body.contains(line), "{}", local.body);
    let proxied = server.raw("GET /metrics", &[("X-Forwarded-For", "203.0.113.9")], b"").await;
    assert_eq!(proxied.status, 401);
}
