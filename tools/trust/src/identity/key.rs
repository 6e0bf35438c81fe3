//! API keys: how they are made, hashed and shown.

use std::fmt;

use flowmaster_kernel::{IdSource, hex};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A secret on its way to its owner. It prints as stars everywhere but in the one answer.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Makes a key: `fm_` and 64 hexadecimal digits (256 bits).
    pub(super) fn generate(ids: &dyn IdSource) -> Self {
        let mut hasher = Sha256::new();
        // Four draws of 80 unpredictable bits, condensed to 256.
        for _ in 0..4 {
            hasher.update(ids.entropy().to_be_bytes());
        }
        Self(format!("fm_{}", hex(&hasher.finalize())))
    }

    /// The key in the clear, for its owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What is stored of a key.
pub(super) fn hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

/// What people recognise a key by.
pub(super) fn hint(key: &str) -> String {
    key.chars().take(9).collect()
}
