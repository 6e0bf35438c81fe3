//! Whether a stored text is the one that was written. SQLite has no checksums of its pages: without
//! this a byte that the disk changed would be taken for content.

use flowmaster_kernel::{Error, Result, hex};
use sha2::{Digest, Sha256};

/// What is compared when the text is read: write it beside the text.
#[must_use]
pub fn fingerprint(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Checks that `text`, which is the `what` called `id`, still has the fingerprint that was written.
///
/// # Errors
/// `content_damaged`.
pub fn check(what: &str, id: &str, text: &str, written: &str) -> Result<()> {
    if fingerprint(text) == written {
        return Ok(());
    }
    Err(Error::conflict("content_damaged", format!("the stored {what} {id} is damaged"))
        .why("it was changed outside of FlowMaster, or by the disk")
        .fix("restore a backup; keep the database as evidence"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_letter_is_told() {
        let written = fingerprint("<definitions/>");
        check("process", "p", "<definitions/>", &written).unwrap();
        for (text, hash) in [("<definition5/>", &*written), ("<definitions/>", &written[1..])] {
            assert_eq!(check("process", "p", text, hash).unwrap_err().code(), "content_damaged");
        }
    }
}
