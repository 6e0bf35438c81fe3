//! Who may look across tenants: the store itself, and the few files that find out a tenant.

use super::rust_source::has_word;
use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "system access",
    remedy: "take the Ctx of the caller; crossing tenants is for the files listed in \
             xtask/src/tidy/system_access.rs alone",
    find,
};

const WORDS: [&str; 2] = ["begin_system", "read_system"];

/// Files (or folders, with `/`), and why.
const ALLOWED: &[&str] = &[
    // It offers it, and its workers claim the jobs, timers and messages of all tenants.
    "store/src/",
    // A key says which tenant its bearer belongs to: before that, there is none.
    "tools/trust/src/identity/service.rs",
    // The agents of all tenants are served by one driver, which then acts as a tenant's own.
    "tools/mind/src/agents/driver.rs",
    "tools/mind/src/agents/driver/left.rs",
    // Expired messages of all tenants are purged, and missed ones looked for, by one driver.
    "tools/run/src/execution/store/mail.rs",
    // One driver sends the events of all tenants, and forgets the old ones; as a tenant's own otherwise.
    "tools/reach/src/webhooks/store/due.rs",
    // The upkeep goes from one tenant with instances that ended to the next, as each tenant's own.
    "tools/run/src/execution/store/archived.rs",
    // The same where there is something to seal in the runtime record.
    "tools/run/src/record/store/tenants.rs",
];

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| !file.only_tests) {
        if ALLOWED.iter().any(|allowed| file.path.starts_with(allowed)) {
            continue;
        }
        for (number, line) in rust.lines() {
            for word in WORDS.iter().filter(|word| has_word(line, word)) {
                findings.push(Finding::new(&file.path, number, format!("calls {word}")));
            }
        }
    }
    for allowed in ALLOWED.iter().filter(|it| it.ends_with(".rs")) {
        let used = |file: &super::tree::File| WORDS.iter().any(|word| has_word(&file.text, word));
        if tree.file(allowed).is_some_and(|file| !used(file)) {
            findings.push(Finding::new(allowed, 0, "is on the list, but needs it no more"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::tidy::tests::check;

    #[test]
    fn few_files_cross_tenants() {
        check(&CHECK, &[("store/src/jobs.rs", "db.begin_system()")], &[]);
        let room = "tools/run/src/links/store.rs";
        check(&CHECK, &[(room, "//! No.\ndb.read_system()")], &["tools/run/src/links/store.rs:2"]);
        check(&CHECK, &[(room, "//! Not read_system.")], &[]);
        let listed = "tools/trust/src/identity/service.rs";
        check(&CHECK, &[(listed, "db.read_system()")], &[]);
        check(&CHECK, &[(listed, "db.read(ctx)")], &["tools/trust/src/identity/service.rs:0"]);
    }
}
