//! Encrypted connections to a real server, and servers that are not believed.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowmaster_kernel::ManualClock;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::conformance::Bed;
use crate::{Db, DbConfig};

/// An authority that only these tests know.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn a_server_is_believed_by_its_certificate_and_its_name_alone() {
    let bed = Bed::postgres().await;
    let (trusted, other) = (authority(), authority());
    let folder = tempfile::tempdir().unwrap();
    let roots = |name: &str, pem: String| {
        let file = folder.path().join(name);
        std::fs::write(&file, pem).unwrap();
        file
    };
    let (ours, theirs) = (roots("ours.pem", trusted.pem()), roots("theirs.pem", other.pem()));
    let empty = roots("empty.pem", String::new());
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = names.signed_by(&key, &trusted).unwrap();
    let port = bed.serve_tls(&certificate.pem(), &key.serialize_pem()).await;

    let open = async |host: &str, parameters: String| {
        let url = bed.url_at(&format!("{host}:{port}"), &parameters);
        Db::open(&DbConfig::new(url), Arc::new(ManualClock::default())).await
    };
    let with = |mode: &str, file: &Path| format!("sslmode={mode}&sslrootcert={}", file.display());
    // The server reads its settings anew when it gets to it.
    let patience = Instant::now() + Duration::from_secs(20);
    while let Err(problem) = open("localhost", with("verify-full", &ours)).await {
        assert!(Instant::now() < patience, "{problem}: {:?}", std::error::Error::source(&problem));
        tokio::task::yield_now().await;
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        let db = open("localhost", with(mode, &ours)).await.unwrap();
        let mut session = db.read_system().await.unwrap();
        let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
        assert_eq!(session.query(encrypted, &[]).await.unwrap().len(), 1, "{mode}");

        let refused = |host, file| {
            let opening = open(host, with(mode, file));
            async move {
                let problem = opening.await.err().unwrap();
                assert_eq!(flowmaster_kernel::Error::from(problem).code(), "database_unreachable");
            }
        };
        refused("localhost", &theirs).await;
        refused("127.0.0.1", &ours).await;
        let problem = open("localhost", with(mode, &empty)).await.err().unwrap();
        assert_eq!(flowmaster_kernel::Error::from(problem).code(), "database_tls_roots");
    }
    // Nobody of the system vouches for an authority of these tests.
    open("localhost", "sslmode=require".to_owned()).await.err().unwrap();
    open("localhost", "sslmode=disable".to_owned()).await.unwrap();
}
