//! Files for what is over: one line of JSON a record, each line a gzip member of its own (RFC 1952
//! §2.2), so that a file is read by any program that reads gzip, and one line of it without the rest.
//!
//! Invariants: a file is durable under its name before anybody is told where its lines are, and it
//! never changes after that; a tenant's files are in a folder of its own; they are for their owner
//! alone to read.
//!
//! Not here: what a record holds, when something is archived, and moving old files elsewhere.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::bufread::{GzDecoder, MultiGzDecoder};
use flate2::write::GzEncoder;
use flowmaster_kernel::{BoxFuture, Ctx, Error, ErrorKind, Id, Kind, Result, TenantId};
use serde::Serialize;
use serde_json::Value;

use crate::backup::new_file;
use crate::sqlite::{create_private, sync_folder};
use crate::{Session, WriteSet};

/// The longest line, in bytes of JSON.
pub const MAX_LINE_BYTES: usize = 128 * 1024 * 1024;
/// How the names of archive files end.
pub const ENDING: &str = "jsonl.gz";

/// What a room keeps about a process instance, on its way into the archive.
#[derive(Debug, Default)]
pub struct Belongings {
    /// What goes into the record of the instance; `null` if there is nothing.
    pub record: Value,
    /// What removes exactly that, or is refused as a whole.
    pub removal: WriteSet,
}

/// A room with rows about process instances, which go where these go.
pub trait Keeper: Send + Sync {
    /// The room.
    fn room(&self) -> &'static str;

    /// What there is about an instance that ended. A conflict keeps the instance where it is until
    /// the next attempt.
    fn belongings<'a>(
        &'a self,
        session: &'a mut Session,
        instance: &'a str,
    ) -> BoxFuture<'a, Result<Belongings>>;
}

/// Marks the id of an archive file.
enum ArchiveFile {}

impl Kind for ArchiveFile {
    const PREFIX: &'static str = "arc";
}

/// A record as it will lie in a file.
#[derive(Debug)]
pub struct Line(Vec<u8>);

impl Line {
    /// The line of `record`.
    ///
    /// # Errors
    /// `too_large` if it could not be read again.
    pub fn of(record: &impl Serialize) -> Result<Self> {
        let mut json =
            serde_json::to_vec(record).map_err(|source| Error::internal("not_json", source))?;
        if json.len() > MAX_LINE_BYTES {
            let what = format!("a record of {} bytes is over {MAX_LINE_BYTES} bytes", json.len());
            return Err(Error::conflict("record_too_large", what));
        }
        json.push(b'\n');
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(&json).and_then(|()| encoder.finish());
        packed.map(Self).map_err(|source| Error::internal("not_packed", source))
    }

    /// How many bytes it takes in the file.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.len()
    }
}

/// Where a record lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, from the folder of the archive.
    pub file: Arc<str>,
    /// Where the line begins in it.
    pub start: u64,
    /// How many bytes it takes.
    pub bytes: u64,
}

/// A folder of archive files. Nodes that share a database share it too.
#[derive(Clone, Debug)]
pub struct Archive {
    folder: Arc<Path>,
}

impl Archive {
    /// The archive in `folder`, which is made when there is something to keep.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: Arc::from(folder) }
    }

    /// Writes a new file of the tenant; says where each line lies once that is durable.
    ///
    /// # Errors
    /// `archive_unwritable`.
    pub async fn write(&self, ctx: &Ctx, lines: Vec<Line>) -> Result<Vec<Place>> {
        let name: Id<ArchiveFile> = ctx.fresh_id();
        let now = ctx.now().to_string();
        let month = now.get(..7).unwrap_or("undated");
        let file = format!("{}/{month}/{name}.{ENDING}", folder_name(&ctx.tenant)?);
        let mut places = Vec::with_capacity(lines.len());
        let (file, mut start) = (Arc::<str>::from(file), 0);
        for Line(packed) in &lines {
            let bytes = packed.len() as u64;
            places.push(Place { file: Arc::clone(&file), start, bytes });
            start += bytes;
        }
        let folder = Arc::clone(&self.folder);
        let written = off_thread(move || write_file(&folder, &file, &lines)).await?;
        written.map(|()| places).map_err(|problem| {
            let what = format!("the archive in {} cannot be written", self.folder.display());
            Error::new(ErrorKind::Unavailable, "archive_unwritable", what)
                .why(problem.to_string())
                .fix("check the disk space and the permissions there")
        })
    }

    /// The line that lies at `place`.
    ///
    /// # Errors
    /// `archive_unreadable`: the file was moved away, cut or changed.
    pub async fn read(&self, place: &Place) -> Result<String> {
        let (folder, at) = (Arc::clone(&self.folder), place.clone());
        off_thread(move || read_line(&folder, &at)).await?.map_err(|problem| {
            let what = format!("{} cannot be read", self.folder.join(&*place.file).display());
            Error::new(ErrorKind::Unavailable, "archive_unreadable", what)
                .why(problem.to_string())
                .fix("put the file back as it was written")
        })
    }

    /// Removes the file of `places`, nothing of which counts.
    pub async fn discard(&self, places: &[Place]) {
        let Some(place) = places.first() else { return };
        let path = self.folder.join(&*place.file);
        if let Ok(Err(problem)) = off_thread(move || fs::remove_file(path)).await {
            tracing::warn!(%problem, file = &*place.file, "an unused archive file is left behind");
        }
    }
}

/// The archive files under `path`, or the file itself, by name.
///
/// # Errors
/// What the file system reports.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let inner = entry?.path();
        let name = inner.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if inner.is_dir() || name.ends_with(ENDING) {
            found.extend(files(&inner)?);
        }
    }
    found.sort();
    Ok(found)
}

/// The lines of an archive file, one after the other.
///
/// # Errors
/// What the file system reports, or a file that is damaged.
pub fn lines(file: &Path) -> io::Result<impl Iterator<Item = io::Result<String>>> {
    let mut reader = BufReader::new(MultiGzDecoder::new(BufReader::new(File::open(file)?)));
    let mut is_over = false;
    Ok(std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let mut line = String::new();
        let read = (&mut reader).take(MAX_LINE_BYTES as u64 + 1).read_line(&mut line);
        match read {
            Ok(0) => None,
            Ok(_) => Some(Ok(line)),
            Err(problem) => {
                // A damaged file would tell the same for ever.
                is_over = true;
                Some(Err(problem))
            }
        }
    }))
}

/// The tenant as the name of a folder: ids of ours, and nothing that leads elsewhere.
fn folder_name(tenant: &TenantId) -> Result<&str> {
    let name = tenant.as_str();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if name.is_empty() || !name.bytes().all(is_plain) {
        return Err(Error::internal("tenant_no_folder", name.to_owned()));
    }
    Ok(name)
}

fn write_file(folder: &Path, name: &str, lines: &[Line]) -> io::Result<()> {
    let path = folder.join(name);
    let within = path.parent().unwrap_or(folder);
    create_private(within)?;
    // Under its name only once it is complete.
    let partial = path.with_extension("partial");
    let mut file = new_file(&partial).map_err(io::Error::other)?;
    let written = lines.iter().try_for_each(|Line(packed)| file.write_all(packed)).and_then(|()| {
        file.sync_all()?;
        fs::rename(&partial, &path)
    });
    if written.is_err() {
        // The first problem is the one to be told.
        let _ = fs::remove_file(&partial);
    }
    written?;
    let made = within.ancestors().take_while(|it| it.starts_with(folder));
    made.chain(folder.parent().filter(|it| it.is_dir())).try_for_each(sync_folder)
}

fn read_line(folder: &Path, place: &Place) -> io::Result<String> {
    let mut file = File::open(folder.join(&*place.file))?;
    file.seek(SeekFrom::Start(place.start))?;
    let packed = BufReader::new(file.take(place.bytes));
    let mut line = String::new();
    GzDecoder::new(packed).take(MAX_LINE_BYTES as u64 + 1).read_to_string(&mut line)?;
    Ok(line)
}

/// Files are read and written where nobody else waits.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|source| Error::internal("archive_interrupted", source))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use flowmaster_kernel::{ManualClock, SequenceIds, Timestamp};
    use serde_json::json;

    use super::*;

    fn ctx(tenant: &str) -> Ctx {
        let clock: Arc<dyn flowmaster_kernel::Clock> =
            Arc::new(ManualClock::at(Timestamp::parse("2026-07-10T08:00:00Z").unwrap()));
        let ids: Arc<dyn flowmaster_kernel::IdSource> = Arc::new(SequenceIds::default());
        Ctx::system(TenantId::from_text(tenant), &clock, &ids)
    }

    fn numbered(count: u8) -> Vec<Line> {
        (0..count).map(|n| Line::of(&json!({ "n": n })).unwrap()).collect()
    }

    #[tokio::test]
    async fn each_line_is_read_by_itself_and_all_as_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::in_folder(&folder.path().join("archive"));
        let places = archive.write(&ctx("ten_a"), numbered(3)).await.unwrap();
        for (n, place) in places.iter().enumerate() {
            assert!(place.file.starts_with("ten_a/2026-07/arc_"), "{place:?}");
            assert_eq!(archive.read(place).await.unwrap(), format!("{{\"n\":{n}}}\n"));
        }
        let found = files(folder.path()).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        let all: Vec<String> = lines(&found[0]).unwrap().collect::<io::Result<_>>().unwrap();
        assert_eq!(all, ["{\"n\":0}\n", "{\"n\":1}\n", "{\"n\":2}\n"]);
        archive.discard(&places).await;
        assert_eq!(files(folder.path()).unwrap(), Vec::<PathBuf>::new());
    }

    #[tokio::test]
    async fn what_was_changed_moved_or_leads_elsewhere_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::in_folder(folder.path());
        let place = archive.write(&ctx("ten_a"), numbered(1)).await.unwrap().remove(0);
        let path = folder.path().join(&*place.file);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xFF;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(archive.read(&place).await.unwrap_err().code(), "archive_unreadable");
        fs::remove_file(&path).unwrap();
        assert_eq!(archive.read(&place).await.unwrap_err().code(), "archive_unreadable");
        let elsewhere = archive.write(&ctx("../up"), numbered(1)).await.unwrap_err();
        assert_eq!(elsewhere.code(), "tenant_no_folder");
    }

    #[tokio::test]
    async fn whatever_byte_is_damaged_the_lines_come_to_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::in_folder(folder.path());
        let place = archive.write(&ctx("ten_a"), numbered(3)).await.unwrap().remove(0);
        let path = folder.path().join(&*place.file);
        let sound = fs::read(&path).unwrap();
        for at in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= 0xFF;
            fs::write(&path, &bytes).unwrap();
            let told = lines(&path).unwrap().take(100).filter(Result::is_err).count();
            assert!(told <= 1, "a damage at {at} is told {told} times");
        }
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("archive"), "a file").unwrap();
        let archive = Archive::in_folder(&folder.path().join("archive"));
        let refused = archive.write(&ctx("ten_a"), numbered(1)).await.unwrap_err();
        assert_eq!(refused.code(), "archive_unwritable");
    }
}
