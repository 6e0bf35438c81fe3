//! Seals: how entries are put in order and kept from being changed. Pure functions; the format is
//! described in `docs/runtime-record.md`.

use flowmaster_kernel::{Cursor, Timestamp, hex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name of the format, which every seal covers.
const FORMAT: &str = "flowmaster-record-1";

/// SHA-256 of `text`, in hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// An entry in a seal: its id, and the SHA-256 of its line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Link(pub(super) String, pub(super) String);

/// A seal: the entries that it covers, in order, behind the seal before it. As JSON it is a line of an
/// export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    /// Its number in the tenant, from 1.
    pub(super) seal: i64,
    pub(super) tenant: String,
    /// The hash of the seal before; empty for the first.
    pub(super) previous: String,
    /// When it was made.
    pub(super) at: Timestamp,
    pub(super) count: usize,
    /// Ids of the first and the last entry.
    pub(super) first: String,
    pub(super) last: String,
    pub(super) entries: Vec<Link>,
    pub(super) hash: String,
}

impl Seal {
    /// The seal number `seal` over `entries`.
    pub(super) fn over(
        tenant: &str,
        seal: i64,
        previous: &str,
        at: Timestamp,
        entries: Vec<Link>,
    ) -> Self {
        let mut seal = Self {
            seal,
            tenant: tenant.to_owned(),
            previous: previous.to_owned(),
            at,
            count: entries.len(),
            first: entries.first().map(|Link(id, _)| id.clone()).unwrap_or_default(),
            last: entries.last().map(|Link(id, _)| id.clone()).unwrap_or_default(),
            entries,
            hash: String::new(),
        };
        seal.hash = seal.hashed();
        seal
    }

    /// What the hash must be: over the lines of the format, the tenant, the number, the hash before,
    /// the moment, and each entry's hash.
    fn hashed(&self) -> String {
        let head = [
            FORMAT.to_owned(),
            self.tenant.clone(),
            self.seal.to_string(),
            self.previous.clone(),
            self.at.to_string(),
        ];
        let entries = self.entries.iter().map(|Link(_, hash)| hash);
        let digest = head.iter().chain(entries).fold(Sha256::new(), |digest, line| {
            digest.chain_update(line.as_bytes()).chain_update(b"\n")
        });
        hex(&digest.finalize())
    }

    /// Checks that the seal follows `before`, covers exactly the entries that were `found` in their
    /// order, and is as it was made.
    pub(super) fn check(&self, before: &KnownSeal, found: &[Link]) -> Result<(), Fault> {
        let fault = |entry: Option<&String>, what: String| Fault {
            seal: self.seal,
            entry: entry.cloned(),
            what,
        };
        if self.seal != before.seal + 1 {
            let missing = Fault { seal: before.seal + 1, entry: None, what: String::new() };
            return Err(Fault { what: "the seal is missing".to_owned(), ..missing });
        }
        compare(&self.entries, found)
            .map_err(|(entry, what)| fault(Some(entry), format!("the entry {what}")))?;
        let again =
            Self::over(&self.tenant, self.seal, &before.hash, self.at, self.entries.clone());
        if again != *self {
            return Err(fault(None, "the seal was changed".to_owned()));
        }
        Ok(())
    }

    /// What is noted of it.
    pub(super) fn known(&self) -> KnownSeal {
        KnownSeal { seal: self.seal, hash: self.hash.clone() }
    }
}

/// The first entry that is not where the seal has it, and what happened to it.
fn compare<'a>(sealed: &'a [Link], found: &'a [Link]) -> Result<(), (&'a String, &'static str)> {
    let among = |links: &[Link], id: &String| links.iter().any(|Link(other, _)| other == id);
    for place in 0..sealed.len().max(found.len()) {
        match (sealed.get(place), found.get(place)) {
            (Some(expected), Some(there)) if expected == there => {}
            (Some(Link(id, _)), Some(Link(other, _))) if id == other => {
                return Err((id, "was changed"));
            }
            (Some(Link(id, _)), Some(Link(other, _))) => {
                let is_known = among(sealed, other);
                return Err(match (is_known, among(found, id)) {
                    (false, _) => (other, "was added"),
                    (true, true) => (other, "is in another place"),
                    (true, false) => (id, "is missing"),
                });
            }
            (Some(Link(id, _)), None) => return Err((id, "is missing")),
            (None, Some(Link(id, _))) => return Err((id, "was added")),
            (None, None) => {}
        }
    }
    Ok(())
}

/// A seal as it is noted outside of the database, to be compared with later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
pub struct KnownSeal {
    /// Its number, from 1.
    pub seal: i64,
    /// Its hash.
    pub hash: String,
}

/// The first place at which the record is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Fault {
    /// The number of the seal; 0 for an entry that no seal covers yet.
    pub seal: i64,
    /// Id of the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// What is wrong there.
    pub what: String,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// Whether everything that was checked is as it was written.
    pub intact: bool,
    /// How many seals were checked.
    pub seals: usize,
    /// How many entries were checked.
    pub entries: usize,
    /// How many entries are not sealed yet; they were checked by themselves.
    pub unsealed: usize,
    /// The newest seal that was checked. Note it outside, and pass it as `known` next time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<KnownSeal>,
    /// The first place at which it is not as it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Pass it as `cursor` to check the next seals; absent when everything was checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<Cursor>,
}

/// A check on its way through the seals.
#[derive(Debug)]
pub(super) struct Check<'a> {
    known: Option<&'a KnownSeal>,
    before: KnownSeal,
    pub(super) verified: Verified,
}

impl<'a> Check<'a> {
    /// A check that begins behind `before`, and has to come across `known`.
    pub(super) fn behind(before: KnownSeal, known: Option<&'a KnownSeal>) -> Self {
        Self { known, before, verified: Verified::default() }
    }

    /// The last seal that was checked.
    pub(super) fn last(&self) -> &KnownSeal {
        &self.before
    }

    /// Checks the next seal with the entries that were found for it.
    pub(super) fn take(&mut self, seal: &Seal, found: &[Link]) -> Result<(), Fault> {
        seal.check(&self.before, found)?;
        self.before = seal.known();
        if self.known.is_some_and(|it| it.seal == seal.seal && it.hash != seal.hash) {
            let what = "it is another seal than the one that was noted".to_owned();
            return Err(Fault { seal: seal.seal, entry: None, what });
        }
        self.verified.seals += 1;
        self.verified.entries += found.len();
        Ok(())
    }

    /// Ends the check where no seal follows.
    pub(super) fn end(&self) -> Result<(), Fault> {
        match self.known {
            Some(known) if known.seal > self.before.seal => Err(Fault {
                seal: self.before.seal + 1,
                entry: None,
                what: format!("the seals up to {} are cut off", known.seal),
            }),
            _ => Ok(()),
        }
    }

    /// What was found.
    pub(super) fn close(mut self, found: Result<(), Fault>) -> Verified {
        self.verified.newest = (self.before.seal > 0).then_some(self.before);
        self.verified.fault = found.err();
        self.verified.intact = self.verified.fault.is_none();
        self.verified
    }
}
