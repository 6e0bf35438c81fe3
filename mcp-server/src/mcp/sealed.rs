//! What a call that waits for answers has heard so far, carried by the client (`requestState`).
//!
//! The client could send back anything, so it is signed, and bound to the principal, the method, the
//! name, the arguments and the time (MCP 2026-07-28, Multi Round-Trip Requests, "Security"). It is
//! not encrypted: it holds only what the client itself has said.

use std::collections::BTreeMap;
use std::time::Duration;

use flowmaster_kernel::{Error, Result};
use rmcp::model::{RequestStateCodec, SealOptions};
use serde_json::{Value, json};

use crate::ports::Caller;

/// How long a person may think.
const TTL: Duration = Duration::from_secs(600);

/// The answers so far, as they came.
pub(super) type Heard = BTreeMap<String, Value>;

/// Seals and opens.
#[derive(Clone)]
pub struct Seal(RequestStateCodec);

impl Seal {
    /// With a secret that every node of an installation has; at least 32 bytes.
    ///
    /// # Errors
    /// `seal_key_short`.
    pub fn new(key: &str) -> Result<Self> {
        let codec = RequestStateCodec::try_new(key.as_bytes()).map_err(|error| {
            Error::invalid("seal_key_short", "the signing key cannot be used")
                .why(error.to_string())
                .fix("give a signing_key of 32 characters or more")
        })?;
        Ok(Self(codec))
    }

    pub(super) fn close(&self, heard: &Heard, request: &Request<'_>) -> Result<String> {
        let binding = request.binding();
        let options = SealOptions::new().associated_data(binding.as_bytes()).ttl(TTL);
        Ok(self.0.seal_with(json!(heard).to_string().as_bytes(), &options))
    }

    /// # Errors
    /// `request_state_refused`, for another request, another principal, a changed or an old one.
    pub(super) fn open(&self, sealed: &str, request: &Request<'_>) -> Result<Heard> {
        let refuse = |why: String| {
            Error::invalid("request_state_refused", "the requestState is not one of this request")
                .why(why)
                .fix("call again without requestState and inputResponses")
        };
        let opened = self.0.open_with(sealed, request.binding().as_bytes());
        let opened = opened.map_err(|error| refuse(error.to_string()))?;
        serde_json::from_slice(&opened).map_err(|error| refuse(error.to_string()))
    }
}

/// What a state belongs to.
pub(super) struct Request<'a> {
    pub(super) caller: &'a Caller,
    pub(super) method: &'static str,
    pub(super) name: &'a str,
    pub(super) arguments: Value,
}

impl Request<'_> {
    fn binding(&self) -> String {
        let Self { caller, method, name, arguments } = self;
        let mut arguments = arguments.clone();
        arguments.sort_all_objects();
        json!([caller.tenant.as_str(), caller.principal.id, method, name, arguments]).to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use flowmaster_kernel::{Principal, PrincipalKind, Role, Scopes, TenantId};

    use super::*;

    fn caller(tenant: &str, id: &str) -> Caller {
        Caller {
            tenant: TenantId::from_text(tenant),
            principal: Arc::new(Principal::new(id, PrincipalKind::Person, &[Role::Admin], &[])),
            scopes: Arc::new(Scopes::all()),
        }
    }

    #[test]
    fn a_state_is_opened_by_its_own_request_alone() {
        let key = "k".repeat(32);
        let seal = Seal::new(&key).unwrap();
        let anna = caller("ten_a", "anna");
        let request =
            |caller, name, arguments| Request { caller, method: "tools/call", name, arguments };
        let own = request(&anna, "note_add", json!({ "a": 1, "b": 2 }));
        let heard = Heard::from([("who".to_owned(), json!({ "action": "decline" }))]);
        let sealed = seal.close(&heard, &own).unwrap();
        let same = request(&anna, "note_add", json!({ "b": 2, "a": 1 }));
        assert_eq!(seal.open(&sealed, &same).unwrap(), heard);

        let check = |sealed: &str, request: &Request<'_>| {
            assert_eq!(seal.open(sealed, request).unwrap_err().code(), "request_state_refused");
        };
        check(&format!("{sealed}x"), &own);
        check("", &own);
        let (other, elsewhere) = (caller("ten_a", "eve"), caller("ten_b", "anna"));
        check(&sealed, &request(&other, "note_add", json!({ "a": 1, "b": 2 })));
        check(&sealed, &request(&elsewhere, "note_add", json!({ "a": 1, "b": 2 })));
        check(&sealed, &request(&anna, "note_delete", json!({ "a": 1, "b": 2 })));
        check(&sealed, &request(&anna, "note_add", json!({ "a": 1, "b": 3 })));
        check(&sealed, &Request { method: "prompts/get", ..own });
        let foreign = Seal::new(&"x".repeat(32)).unwrap().close(&heard, &same).unwrap();
        check(&foreign, &same);
        assert!(Seal::new("short").is_err());
    }
}
