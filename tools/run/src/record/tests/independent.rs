//! A second implementation of the check of an export, written from `docs/runtime-record.md`. It shares no
//! code with the first.

use serde_json::Value;
use sha2::{Digest, Sha256};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the file is an export that nobody changed, and holds the seal that was noted.
pub(super) fn is_intact(file: &[u8], noted: Option<(i64, &str)>) -> bool {
    follow(file, noted).is_some()
}

fn follow(file: &[u8], noted: Option<(i64, &str)>) -> Option<()> {
    let file = std::str::from_utf8(file).ok()?.strip_suffix('\n')?;
    let mut lines = file.split('\n');
    (lines.next()? == r#"{"flowmaster_record":1}"#).then_some(())?;
    let (mut number, mut previous) = (0, String::new());
    let mut pending: Vec<(String, String)> = Vec::new();
    let mut was_seen = noted.is_none();
    for line in lines.by_ref() {
        if line.starts_with(r#"{"end":"#) {
            let expected = format!(r#"{{"end":{number},"hash":"{previous}"}}"#);
            let is_end = line == expected && pending.is_empty() && lines.next().is_none();
            return (is_end && was_seen).then_some(());
        }
        let value: Value = serde_json::from_str(line).ok()?;
        if !line.starts_with(r#"{"seal":"#) {
            pending.push((value["id"].as_str()?.to_owned(), sha256(line.as_bytes())));
            continue;
        }
        number += 1;
        let (tenant, at) = (value["tenant"].as_str()?, value["at"].as_str()?);
        let mut hashed = format!("flowmaster-record-1\n{tenant}\n{number}\n{previous}\n{at}\n");
        let mut listed = Vec::new();
        for (id, hash) in &pending {
            hashed.push_str(hash);
            hashed.push('\n');
            listed.push(format!(r#"["{id}","{hash}"]"#));
        }
        let hash = sha256(hashed.as_bytes());
        let expected = format!(
            r#"{{"seal":{number},"tenant":"{tenant}","previous":"{previous}","at":"{at}","count":{},"first":"{}","last":"{}","entries":[{}],"hash":"{hash}"}}"#,
            pending.len(),
            pending.first()?.0,
            pending.last()?.0,
            listed.join(","),
        );
        (line == expected).then_some(())?;
        was_seen |= noted.is_some_and(|noted| noted == (number, hash.as_str()));
        pending.clear();
        previous = hash;
    }
    None
}
