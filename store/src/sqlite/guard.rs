//! What protects a data folder: one process at a time, and space kept for the moment the disk is
//! full.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::OpenError;

/// Holds the data folder for this process; released by the operating system with it.
#[derive(Debug)]
pub(super) struct FolderLock {
    _file: File,
}

impl FolderLock {
    pub(super) fn take(folder: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Folder { folder: folder.to_owned(), source };
        create_private(folder).map_err(unusable)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("flowmaster.lock"))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

/// Makes a folder that its owner alone may use.
#[cfg(unix)]
pub(crate) fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes a folder.
#[cfg(not(unix))]
pub(crate) fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Makes new names in `folder` survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A file of real blocks that is given up when the disk is full: without it even the checkpoint
/// that would shrink the write-ahead log fails.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    held: AtomicBool,
}

impl Reserve {
    pub(super) fn new(folder: &Path, bytes: u64) -> Self {
        let path = folder.join("reserve");
        let held = fs::metadata(&path).is_ok_and(|found| found.len() == bytes);
        Self { path, bytes, held: AtomicBool::new(held) }
    }

    /// The bytes held back now.
    pub(super) fn held_bytes(&self) -> u64 {
        if self.held.load(Ordering::SeqCst) { self.bytes } else { 0 }
    }

    /// Takes the space, if there is that much. Written under another name first, so that a file
    /// of the right size is always a complete one.
    pub(super) fn hold(&self) -> io::Result<()> {
        if self.bytes == 0 || self.held.load(Ordering::SeqCst) {
            return Ok(());
        }
        let partial = self.path.with_extension("partial");
        let written = fill(&partial, self.bytes).and_then(|()| fs::rename(&partial, &self.path));
        if let Err(problem) = written {
            // What was written would take the very space that is missing.
            let _ = fs::remove_file(&partial);
            return Err(problem);
        }
        self.held.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Gives the space up.
    pub(super) fn release(&self) -> io::Result<()> {
        if !self.held.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        fs::remove_file(&self.path)
    }
}

/// Fills a file with bytes that no file system compresses away.
fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(64 * 1024, File::create(path)?);
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    for _ in 0..bytes.div_ceil(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes())?;
    }
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.set_len(bytes)?;
    file.sync_all()
}
