//! One byte of the database is not what was written: it is said, or it is in a place that means
//! nothing. Never is another answer given, and never does the server panic.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flowmaster_kernel::Role;
use flowmaster_mcp_server::compose::compose;
use flowmaster_mcp_server::config::Config;
use flowmaster_mcp_server::mcp::Observer;
use flowmaster_mcp_server::system::SystemClock;
use flowmaster_store::backup;
use serde_json::{Value, json};

use crate::harness::{Answer, Caller, TestServer};
use crate::program::Running;
use crate::proof::{Dice, Proof};
use crate::told::{Told, publish};

const DATABASE: &str = "flowmaster.db";
const RESERVE: &str = "reserve";
/// So many instances are completed, and as many are not.
const INSTANCES: usize = 10;

/// Of so many bytes one is in the text of a definition, which is a small part of the whole.
const DIRECTED: usize = 4;
/// How a place in the text of a definition is known.
const IN_DEFINITION: &[u8] = b"sequenceFlow ";

/// What one byte did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Harm {
    /// The check of the whole file finds it.
    FoundByCheck,
    /// The server does not start, and says why.
    NoStart,
    /// A call is answered with an error.
    Told,
    None,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_that_the_disk_changed_never_changes_an_answer() {
    let proof = Proof::of("R17 corrupt bytes", 100, 5_000);
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let (data, origin) = (folder.path().join("data"), folder.path().join("origin"));
    let key = fill(&data, &proof).await;
    std::fs::create_dir(&origin).unwrap();
    std::fs::rename(data.join(RESERVE), origin.join(RESERVE)).unwrap();
    backup::create(&format!("sqlite:{}", data.display()), &origin.join(DATABASE)).unwrap();
    let first = answers(&origin, folder.path(), &key, 0, |_| ()).await.unwrap();
    let second = answers(&origin, folder.path(), &key, 1, |_| ()).await.unwrap();
    // Some tell the time.
    let same: BTreeMap<_, _> =
        first.into_iter().filter(|(call, answer)| second.get(call) == Some(answer)).collect();
    assert!(same.len() > INSTANCES * 4, "{}", same.len());
    let mut harms: BTreeMap<Harm, usize> = BTreeMap::new();
    let mut silent = Vec::new();
    for number in 0..proof.size() {
        let mut dice = Dice::of(proof.seed(), number as u64);
        let change = |bytes: &mut Vec<u8>| {
            let place = match number % DIRECTED {
                0 => of_a_definition(bytes, &mut dice),
                _ => dice.under(bytes.len()),
            };
            bytes[place] ^= u8::try_from(1 + dice.under(255)).unwrap();
        };
        let harm = match answers(&origin, folder.path(), &key, 2 + number, change).await {
            Err(harm) => harm,
            Ok(found) => {
                let mut harm = Harm::None;
                for (call, answer) in &same {
                    match &found.get(call) {
                        Some(now) if *now == answer => {}
                        None | Some(Err(_)) => harm = Harm::Told,
                        Some(Ok(now)) => silent.push(format!("{number}: {call}: {now}")),
                    }
                }
                harm
            }
        };
        *harms.entry(harm).or_default() += 1;
    }
    println!("proof: {harms:?}");
    // Where content is hit, it is told.
    assert!(
        harms.get(&Harm::Told).is_some_and(|told| *told * DIRECTED * 5 > proof.size()),
        "{harms:?}"
    );
    proof.faults(proof.size());
    assert!(silent.is_empty(), "{} other answers: {silent:#?}", silent.len());
    let size = proof.size();
    proof.ends(size);
}

/// A place in the text of a process definition.
fn of_a_definition(bytes: &[u8], dice: &mut Dice) -> usize {
    let found = bytes.windows(IN_DEFINITION.len()).enumerate();
    let places: Vec<usize> =
        found.filter(|(_, text)| *text == IN_DEFINITION).map(|(at, _)| at).collect();
    (dice.one_of(&places) + dice.under(IN_DEFINITION.len())).min(bytes.len() - 1)
}

/// A database with something of everything.
async fn fill(folder: &Path, proof: &Proof) -> String {
    let server = Running::start(folder, None);
    let key = server.new_key.clone().unwrap();
    let admin = server.caller(&key);
    publish(&admin).await;
    for person in 0..5 {
        let user = json!({ "id": format!("person-{person}"), "roles": [Role::Employee], "groups": ["clerks"] });
        admin.call("user_save", user).await.unwrap();
    }
    let mut told = Told::default();
    for number in 0..INSTANCES {
        proof.operation(told.work(&admin, &format!("done-{number}")).await);
        let variables = json!({ "amount": number, "text": "a text of some length ".repeat(20) });
        let start = json!({ "process": "load", "variables": variables, "business_key": format!("open-{number}") });
        proof.operation(admin.call("process_start", start).await.is_ok());
    }
    server.stop();
    key
}

/// What a server answers on a copy of the database with `change`.
async fn answers(
    origin: &Path,
    folder: &Path,
    key: &str,
    number: usize,
    mut change: impl FnMut(&mut Vec<u8>),
) -> Result<BTreeMap<String, Answer>, Harm> {
    let copy = folder.join(number.to_string());
    std::fs::create_dir(&copy).unwrap();
    std::fs::hard_link(origin.join(RESERVE), copy.join(RESERVE)).unwrap();
    let mut bytes = std::fs::read(origin.join(DATABASE)).unwrap();
    change(&mut bytes);
    std::fs::write(copy.join(DATABASE), bytes).unwrap();
    let found = match backup::check_data(&format!("sqlite:{}", copy.display())) {
        Ok(_) => asked(&copy, key).await,
        Err(_) => Err(Harm::FoundByCheck),
    };
    std::fs::remove_dir_all(&copy).unwrap();
    found
}

async fn asked(folder: &Path, key: &str) -> Result<BTreeMap<String, Answer>, Harm> {
    let config = Config { data_dir: folder.to_owned(), ..Config::default() };
    let started = compose(config, Observer::default()).await.map_err(|_| Harm::NoStart)?;
    started.background.stop().await;
    started.rooms.db.close().await;
    let server = TestServer::on(folder, None, Arc::new(SystemClock)).await;
    let caller = server.with_key(key);
    let reads = server.server.app.surface.dispatcher.offers().filter(|it| !it.tool.is_mutating());
    let mut calls: Vec<(String, Value)> =
        reads.map(|offer| (offer.tool.name.to_string(), json!({}))).collect();
    let detailed = json!({ "response_format": "detailed" });
    for (list, one, how) in [
        ("instance_search", "instance_get", &detailed),
        ("instance_search", "instance_timeline", &detailed),
        ("process_search", "process_get", &json!({ "format": "xml" })),
        ("rule_search", "rule_get", &detailed),
    ] {
        for id in ids(&caller, list).await {
            let mut arguments = how.clone();
            arguments["id"] = id;
            calls.push((one.to_owned(), arguments));
        }
    }
    let mut answers = BTreeMap::new();
    for (operation, arguments) in calls {
        let answer = caller.call(&operation, arguments.clone()).await;
        let answer = answer.map_err(|(status, body)| (status, body["code"].clone()));
        answers.insert(format!("{operation} {arguments}"), answer);
    }
    let TestServer { server, .. } = server;
    server.background.stop().await;
    server.rooms.db.close().await;
    Ok(answers)
}

async fn ids(caller: &Caller, list: &str) -> Vec<Value> {
    let page = caller.call(list, json!({ "limit": 50 })).await;
    let items = page.ok().and_then(|page| page["items"].as_array().cloned()).unwrap_or_default();
    items.iter().map(|item| item["id"].clone()).collect()
}
