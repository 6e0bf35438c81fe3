//! The database server is killed under load, again and again: what was acknowledged is there once,
//! and the nodes go on by themselves when it is back.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::harness::database_on;
use crate::program::Running;
use crate::proof::Proof;
use crate::told::{Flag, Told, publish};

const CLIENTS: usize = 6;
/// How long nodes may take to work again.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_database_loses_nothing_and_its_nodes_go_on() {
    let proof = Proof::of("R8 killed databases", 5, 200);
    let own = Server::start();
    let database = database_on(&own.url()).await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let nodes = folders.each_ref().map(|folder| Running::start(folder.path(), Some(&database)));
    let key = nodes[0].new_key.clone().unwrap();
    publish(&nodes[0].caller(&key)).await;
    let mut all = Told::default();
    for round in 0..proof.size() {
        let stop = Arc::new(Flag::default());
        let mut clients = Vec::new();
        for client in 0..CLIENTS {
            let caller = nodes[client % 2].caller(&key);
            let (stop, name) = (Arc::clone(&stop), format!("{round}-{client}"));
            clients.push(tokio::spawn(async move {
                let (mut told, mut tried, mut done) = (Told::default(), 0, 0);
                // Each goes on until it was refused after the kill.
                while tried < 2_000 {
                    tried += 1;
                    let worked = told.work(&caller, &format!("{name}-{tried}")).await;
                    done += u64::from(worked);
                    if stop.is_set() && !worked {
                        break;
                    }
                }
                (told, tried, done)
            }));
        }
        let before = Instant::now();
        let caller = nodes[round % 2].caller(&key);
        for piece in 0..5 + round * 7 % 20 {
            assert!(all.work(&caller, &format!("{round}-before-{piece}")).await);
            assert!(before.elapsed() < PATIENCE);
        }
        stop.set();
        own.kill();
        proof.faults(1);
        for client in clients {
            let (told, tried, done) = client.await.unwrap();
            proof.operations(tried, done);
            all.add(told);
        }
        own.start_again();
        for node in &nodes {
            let since = Instant::now();
            let mut turn = 0;
            while !all.work(&node.caller(&key), &format!("{round}-{}-{turn}", node.pid())).await {
                turn += 1;
                assert!(since.elapsed() < PATIENCE, "a node does not work again");
            }
        }
    }
    all.hold(&nodes[0].caller(&key)).await;
    let size = proof.size();
    proof.ends(size);
}

/// A PostgreSQL server of this test alone. It ends with this process, however that ends.
struct Server {
    programs: PathBuf,
    folder: String,
    keeper: Child,
}

const KEEPER: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
"$1/pg_ctl" stop --pgdata "$2/data" --mode immediate >/dev/null 2>&1
rm -rf "$2"
"#;

impl Server {
    fn start() -> Self {
        let programs = programs();
        let folder = run("mktemp", &["-d", "/tmp/flowmaster-killed-XXXXXX"]).trim().to_owned();
        let keeper = as_postgres("sh")
            .args(["-c", KEEPER, "sh"])
            .args([programs.as_os_str(), folder.as_ref()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let server = Self { programs, folder, keeper };
        let data = server.data();
        let initdb = server.program("initdb");
        run(&initdb, &["--pgdata", &data, "-U", "postgres", "-A", "trust", "--no-sync"]);
        server.start_again();
        server
    }

    fn start_again(&self) {
        let options = format!("-c listen_addresses= -c unix_socket_directories={}", self.folder);
        let log = format!("{}/log", self.folder);
        let place = ["--pgdata", &self.data(), "--log", &log, "--options", &options];
        let start = ["--wait", "--timeout", "60", "start"];
        let since = Instant::now();
        // What is left of a killed one has to end first.
        while !as_postgres(&self.program("pg_ctl"))
            .args([&place[..], &start].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
        {
            assert!(since.elapsed() < PATIENCE, "the server does not start again");
        }
    }

    /// SIGKILL to the first of its processes: the others end with it.
    fn kill(&self) {
        let file = std::fs::read_to_string(format!("{}/postmaster.pid", self.data())).unwrap();
        let pid = file.lines().next().unwrap();
        assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
    }

    fn data(&self) -> String {
        format!("{}/data", self.folder)
    }

    fn program(&self, name: &str) -> String {
        self.programs.join(name).display().to_string()
    }

    fn url(&self) -> String {
        format!("postgres://postgres@{}:5432/postgres", self.folder.replace('/', "%2F"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // It ends by itself.
        let _ = self.keeper.wait();
    }
}

/// Where Debian has the programs of the newest version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").unwrap();
    let folders = versions.map(|it| it.unwrap().path().join("bin"));
    folders.filter(|folder| folder.join("initdb").exists()).max().unwrap()
}

/// PostgreSQL refuses to run as root.
fn as_postgres(program: &str) -> Command {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = if root { Command::new("runuser") } else { Command::new(program) };
    if root {
        command.args(["-u", "postgres", "--", program]);
    }
    command.current_dir(Path::new("/"));
    command
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = as_postgres(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
