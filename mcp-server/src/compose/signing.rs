//! What the secrets of webhooks, and the seals on what MCP clients carry, are made from: the setting,
//! or else a file in the data folder that is made at the first start and never changed.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use flowmaster_kernel::{Error, Result};

use crate::config::{Config, Secret};
use crate::system::secret;

/// The file, for its owner alone to read.
const FILE: &str = "signing.key";

/// The signing key of this server.
///
/// # Errors
/// A file that can be neither read nor made.
pub(super) fn key(config: &Config) -> Result<Secret> {
    if let Some(key) = &config.signing_key {
        return Ok(key.clone());
    }
    let path = config.data_dir.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => made(&config.data_dir, &path),
        found => found,
    };
    let text = text.map_err(|error| {
        Error::invalid("signing_key_unusable", format!("{} cannot be used", path.display()))
            .why(error.to_string())
            .fix("let the server read and write its data folder, or set signing_key")
    })?;
    Ok(Secret::new(text.trim().to_owned()))
}

/// Makes the file, whole or not at all; another process may have been faster.
fn made(folder: &Path, path: &Path) -> std::io::Result<String> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{}", secret())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(error.error),
        _ => std::fs::read_to_string(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data_dir: folder.path().join("data"), ..Config::default() };
        key(&config).unwrap();
        let path = config.data_dir.join(FILE);
        let made = std::fs::read_to_string(&path).unwrap();
        assert_eq!(made.trim().len(), 64);
        key(&config).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), made);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0);
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(key(&config).unwrap_err().code(), "signing_key_unusable");
    }
}
