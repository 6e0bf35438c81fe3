//! Signatures of Standard Webhooks 1.0, and where their secrets come from.
//!
//! The secret of a subscription is derived from the signing key of the server: HMAC-SHA256 over tenant,
//! subscription and the number of the secret. So nothing that is stored, backed up or answered holds
//! one, and a copy of the database signs nothing.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flowmaster_kernel::{TenantId, Timestamp, hex};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What all secrets of a server are made from. It prints as stars.
#[derive(Clone)]
pub struct SigningKey {
    key: Hmac<Sha256>,
    id: String,
}

impl SigningKey {
    /// A key from a text with enough chance in it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let key = mac(&Sha256::digest(text.as_bytes()).into());
        let print = Sha256::new().chain_update(b"flowmaster webhooks ").chain_update(text);
        let id = hex(&print.finalize()).chars().take(16).collect();
        Self { key, id }
    }

    /// What the key is recognised by. It does not lead back to the key.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The secret with this number of a subscription.
    pub(super) fn secret(&self, tenant: &TenantId, subscription: &str, number: i64) -> Secret {
        let mut key = self.key.clone();
        for part in [tenant.as_str(), subscription, &number.to_string()] {
            key.update(&(part.len() as u64).to_be_bytes());
            key.update(part.as_bytes());
        }
        Secret(key.finalize().into_bytes().into())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What the requests of a subscription are signed with.
pub(super) struct Secret([u8; 32]);

impl Secret {
    /// As its owner is shown it, once.
    pub(super) fn reveal(&self) -> String {
        format!("whsec_{}", BASE64.encode(self.0))
    }

    /// The header `webhook-signature` of a request.
    pub(super) fn sign(&self, id: &str, at: Timestamp, body: &str) -> String {
        let mut mac = mac(&self.0);
        mac.update(format!("{id}.{}.", seconds(at)).as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    }
}

/// Whether a receiver that was given `secret` takes `signature` for that of `content`.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn is_signed(secret: &str, content: &str, signature: &str) -> bool {
    let key = secret.strip_prefix("whsec_").and_then(|key| BASE64.decode(key).ok());
    let Some(key) = key.and_then(|key| <[u8; 32]>::try_from(key).ok()) else { return false };
    let mut mac = mac(&key);
    mac.update(content.as_bytes());
    signature == format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
}

/// The header `webhook-timestamp`.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1_000)
}

fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    // Shorter keys are filled up to the block with zeros (RFC 2104 §2).
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    Hmac::new(&block.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the reference libraries of Standard Webhooks.
    #[test]
    fn a_request_is_signed_as_standard_webhooks_does() {
        let key = BASE64.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut secret = [0; 32];
        secret[..key.len()].copy_from_slice(&key);
        let at = Timestamp::from_millis(1_614_265_330_999);
        let signature =
            Secret(secret).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_secret_is_another_and_the_key_is_not_shown() {
        let key = SigningKey::new("one");
        let (ours, theirs) = (TenantId::from_text("ten_a"), TenantId::from_text("ten_b"));
        let shown = [
            key.secret(&ours, "sub_1", 1).reveal(),
            key.secret(&ours, "sub_1", 2).reveal(),
            key.secret(&ours, "sub_2", 1).reveal(),
            key.secret(&theirs, "sub_1", 1).reveal(),
            SigningKey::new("two").secret(&ours, "sub_1", 1).reveal(),
        ];
        let different: std::collections::BTreeSet<&String> = shown.iter().collect();
        assert_eq!(different.len(), shown.len());
        assert_eq!(key.secret(&ours, "sub_1", 1).reveal(), shown[0]);
        assert!(shown[0].starts_with("whsec_") && shown[0].len() == 50, "{}", shown[0]);
        assert_eq!(format!("{key:?}"), "***");
        assert_ne!(key.id(), SigningKey::new("two").id());
    }
}
