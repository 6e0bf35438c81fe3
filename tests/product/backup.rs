//! Backups of the embedded database, made while it is in use, and what they are good for.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use crate::program::{Running, program};
use crate::told::{Flag, Told, publish};

const BACKUPS: usize = 3;
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_everything_acknowledged_before_it_began() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Running::start(&data, None);
    let key = server.new_key.clone().unwrap();
    publish(&server.caller(&key)).await;
    let stop = Arc::new(Flag::default());
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        let (caller, stop) = (server.caller(&key), Arc::clone(&stop));
        clients.push(tokio::spawn(async move {
            let mut told = Told::default();
            for number in 0.. {
                if stop.is_set() || !told.work(&caller, &format!("load-{client}-{number}")).await {
                    break;
                }
            }
            told
        }));
    }
    let mut before = Told::default();
    for number in 0..BACKUPS {
        for piece in 0..10 {
            assert!(before.work(&server.caller(&key), &format!("{number}-{piece}")).await);
        }
        let copy = folder.path().join(format!("copy-{number}"));
        succeeds(&flowmaster(&["backup", path(&copy)], &data));
        let restored = folder.path().join(format!("restored-{number}"));
        succeeds(&flowmaster(&["restore", path(&copy)], &restored));
        let other = Running::start(&restored, None);
        before.hold(&other.caller(&key)).await;
        other.kill();
    }
    stop.set();
    let mut told = Told::default();
    for client in clients {
        told.add(client.await.unwrap());
    }
    assert!(told.started() > BACKUPS * CLIENTS, "{} beside the backups", told.started());
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    fails(&flowmaster(&["backup", path(&copy)], &data), "no_database");
    Running::start(&data, None).kill();
    succeeds(&flowmaster(&["backup", path(&copy)], &data));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    }
    let before = std::fs::read(&copy).unwrap();
    fails(&flowmaster(&["backup", path(&copy)], &data), "file_exists");
    assert!(std::fs::read(&copy).unwrap() == before);
    fails(&flowmaster(&["restore", path(&copy)], &data), "data_folder_not_empty");
    let mut on_a_server = command(&["backup", path(&copy)], &data);
    on_a_server.env("FLOWMASTER_DATABASE_URL", "postgres://user@127.0.0.1:1/none");
    fails(&on_a_server.output().unwrap(), "pg_dump");
}

#[tokio::test]
async fn damage_is_found_by_the_doctor_and_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("data"), folder.path().join("copy"));
    Running::start(&data, None).kill();
    succeeds(&flowmaster(&["backup", path(&copy)], &data));
    let restored = folder.path().join("restored");
    succeeds(&flowmaster(&["restore", path(&copy)], &restored));
    let doctor = ["doctor", "--bind", "127.0.0.1:0"];
    let healthy = flowmaster(&doctor, &restored);
    succeeds(&healthy);
    assert!(shown(&healthy).contains("undamaged"), "{}", shown(&healthy));
    for file in [copy.clone(), restored.join("flowmaster.db")] {
        let mut file = std::fs::File::options().write(true).open(file).unwrap();
        file.seek(SeekFrom::Start(40 * 4096)).unwrap();
        file.write_all(&[0x5A; 4096]).unwrap();
    }
    fails(&flowmaster(&doctor, &restored), "is damaged");
    fails(&flowmaster(&["restore", path(&copy)], &folder.path().join("new")), "database_damaged");
}

fn command(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).arg("--data-dir").arg(data);
    command.env_remove("FLOWMASTER_TEST_DATABASE").env_remove("FLOWMASTER_TEST_POSTGRES");
    command
}

pub(crate) fn flowmaster(arguments: &[&str], data: &Path) -> Output {
    command(arguments, data).output().unwrap()
}

pub(crate) fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", shown(output));
}

pub(crate) fn fails(output: &Output, part: &str) {
    assert!(!output.status.success() && shown(output).contains(part), "{part}: {}", shown(output));
}

pub(crate) fn shown(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
