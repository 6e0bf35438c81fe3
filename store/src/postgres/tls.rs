//! When the connection to the server is encrypted, and whom it believes (docs/adr/0002).
//!
//! Invariants: TLS always verifies the certificate and the name of the host; without TLS there are
//! only connections of this machine, and those whose URL says `sslmode=disable`.

use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::OpenError;

/// What a URL says about TLS.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    mode: Option<String>,
    /// PEM file of the certificates to believe, instead of those of the system.
    roots: Option<PathBuf>,
}

/// Takes `sslmode` and `sslrootcert` out of a URL: the driver does not know all that they may be.
pub(super) fn split(url: &str) -> (String, Asked) {
    let Some((address, query)) = url.split_once('?') else {
        return (url.to_owned(), Asked::default());
    };
    let mut asked = Asked::default();
    let mut others = Vec::new();
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = || percent_decode_str(value).decode_utf8_lossy().into_owned();
        match name {
            "sslmode" => asked.mode = Some(value()),
            "sslrootcert" => asked.roots = Some(value().into()),
            _ => others.push(parameter),
        }
    }
    let rest = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    (format!("{address}{rest}"), asked)
}

/// Sets the mode of `server`; what to connect with, or `None` for no TLS.
pub(super) fn decide(
    server: &mut Config,
    asked: &Asked,
) -> Result<Option<MakeRustlsConnect>, OpenError> {
    let wanted = match asked.mode.as_deref() {
        Some("disable") => false,
        Some("require" | "verify-ca" | "verify-full") => true,
        Some(_) => return Err(OpenError::TlsMode),
        None => asked.roots.is_some() || !server.get_hosts().iter().all(is_local),
    };
    if !wanted {
        server.ssl_mode(SslMode::Disable);
        return Ok(None);
    }
    server.ssl_mode(SslMode::Require);
    let roots = roots(asked)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|problem| OpenError::TlsRoots(problem.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}

fn is_local(host: &Host) -> bool {
    match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let address = name.trim_start_matches('[').trim_end_matches(']');
            name == "localhost"
                || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn roots(asked: &Asked) -> Result<RootCertStore, OpenError> {
    let mut store = RootCertStore::empty();
    if let Some(file) = &asked.roots {
        let wrong = |problem: &dyn std::fmt::Display| {
            OpenError::TlsRoots(format!("{}: {problem}", file.display()))
        };
        let certificates =
            CertificateDer::pem_file_iter(file).map_err(|problem| wrong(&problem))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|problem| wrong(&problem))?;
            store.add(certificate).map_err(|problem| wrong(&problem))?;
        }
    } else {
        // Some systems keep certificates among others that cannot be used.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if store.is_empty() {
        return Err(OpenError::TlsRoots("there is no certificate".to_owned()));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tls_there_are_only_local_connections_and_those_that_ask_for_it() {
        let check = |url: &str, encrypted: Option<bool>| {
            let (plain, asked) = split(url);
            let mut server: Config = plain.parse().unwrap();
            let decided = decide(&mut server, &asked).map(|tls| tls.is_some());
            assert_eq!(decided.ok(), encrypted, "{url}");
        };
        check("postgres://u@localhost/db", Some(false));
        check("postgres://u@127.0.0.9/db", Some(false));
        check("postgres://u@%2Frun%2Fpostgresql/db", Some(false));
        check("postgres://u@db.example/db?sslmode=disable", Some(false));
        check("postgres://u@db.example/db?sslmode=prefer", None);
        check("postgres://u@db.example/db?sslmode=allow&connect_timeout=3", None);
        check("postgres://u@db.example/db?sslmode=verify-full&sslrootcert=%2Fnone", None);
        // Encrypted, so that certificates are looked for, which are not there.
        check("postgres://u@db.example/db?sslrootcert=/none", None);
        check("postgres://u@localhost/db?sslrootcert=/none", None);
        check("postgres://u@localhost/db?sslrootcert=/none&sslmode=disable", Some(false));
    }

    #[test]
    fn what_a_url_says_of_tls_is_taken_out_of_it() {
        let check = |url: &str, rest: &str, mode: Option<&str>, roots: Option<&str>| {
            let asked = Asked { mode: mode.map(str::to_owned), roots: roots.map(PathBuf::from) };
            assert_eq!(split(url), (rest.to_owned(), asked), "{url}");
        };
        check("postgres://u@h/db", "postgres://u@h/db", None, None);
        check("postgres://u@h/db?a=b", "postgres://u@h/db?a=b", None, None);
        check("postgres://u@h/db?sslmode=require", "postgres://u@h/db", Some("require"), None);
        check(
            "postgres://u@h/db?a=b&sslrootcert=%2Fetc%2Fca%20x.pem&sslmode=verify-full&c=d",
            "postgres://u@h/db?a=b&c=d",
            Some("verify-full"),
            Some("/etc/ca x.pem"),
        );
    }
}
