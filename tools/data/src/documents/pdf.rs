//! PDF: the text of each page, read where a hostile file can do no harm.
//!
//! PDF parsers abort, overflow the stack and never end on files made for that (RUSTSEC-2026-0187
//! is one of many). So an untrusted file is read in a process of its own: with a limit of memory,
//! of processor time and of wall-clock time, without our environment, unable to write anything into a file.

mod read;

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use flowmaster_kernel::{Error, ErrorKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

pub use read::read_pdf;
use read::{Answer, Problem};

/// Where PDFs are read.
#[derive(Clone, Debug)]
pub enum PdfReader {
    /// In a child process: a program that does what [`read_pdf`] does from its standard input to
    /// its standard output.
    ChildProcess {
        /// The program, our own binary as a rule.
        program: PathBuf,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// In this process, without limits: for files that we made ourselves, such as those of tests.
    InProcess,
}

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub(super) enum PdfError {
    /// Not a PDF, or a broken one.
    #[error("the PDF cannot be read: {0}")]
    Unreadable(String),
    /// It needs a password.
    #[error("the PDF is encrypted")]
    Encrypted,
    /// Over a limit that was reached in good order.
    #[error("the PDF is too large: {0}")]
    TooLarge(String),
    /// The process was ended from outside.
    #[error("the PDF takes too much time or memory to read")]
    TooCostly(#[source] Stopped),
    /// Nothing to do with the file.
    #[error("the reader of PDFs does not work")]
    Reader(#[source] std::io::Error),
}

/// How the process was ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    #[error("it was not done after {0:?}")]
    Time(Duration),
    #[error("it ended with {0}")]
    Status(ExitStatus),
    #[error("its answer has more than {0} bytes")]
    Answer(u64),
}

impl From<PdfError> for Error {
    fn from(error: PdfError) -> Self {
        let what = error.to_string();
        match error {
            PdfError::Unreadable(_) => Self::invalid("pdf_unreadable", what)
                .fix("open it in a PDF viewer and export it anew, or add its text as text/plain"),
            PdfError::Encrypted => {
                Self::invalid("pdf_encrypted", what).fix("remove the password and add it again")
            }
            PdfError::TooLarge(_) => Self::new(ErrorKind::TooLarge, "pdf_too_large", what)
                .fix("split it into parts and add them one by one"),
            PdfError::TooCostly(stopped) => Self::new(ErrorKind::TooLarge, "pdf_too_costly", what)
                .why("it is damaged, or made to keep its reader busy")
                .fix("export it anew or split it, or add its text as text/plain")
                .because(stopped),
            PdfError::Reader(source) => Self::internal("pdf_reader_failed", source),
        }
    }
}

/// What a child process may use.
#[derive(Clone, Copy, Debug)]
struct Limits {
    memory_kib: u64,
    processor_seconds: u64,
    wall_clock: Duration,
    answer_bytes: u64,
}

const LIMITS: Limits = Limits {
    memory_kib: 1024 * 1024,
    processor_seconds: 20,
    wall_clock: Duration::from_secs(30),
    // Escaping at most doubles the text, from which control characters were taken out.
    answer_bytes: 2 * super::parse::MAX_TEXT as u64 + 1024 * 1024,
};

impl PdfReader {
    /// The text of each page.
    pub(super) async fn read(&self, bytes: Vec<u8>) -> Result<Vec<String>, PdfError> {
        match self {
            Self::ChildProcess { program, arguments } => {
                let mut command = limited(program, arguments, LIMITS);
                run(&mut command, &bytes, LIMITS).await
            }
            Self::InProcess => match tokio::task::spawn_blocking(move || read::pages(&bytes)).await
            {
                Ok(pages) => pages.map_err(PdfError::from),
                Err(_) => Err(PdfError::Unreadable("the parser failed on it".to_owned())),
            },
        }
    }
}

impl From<Problem> for PdfError {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Unreadable(reason) => Self::Unreadable(reason),
            Problem::Encrypted => Self::Encrypted,
            Problem::TooLarge(reason) => Self::TooLarge(reason),
        }
    }
}

/// The program under limits. They are set by the shell (POSIX `ulimit`), which then becomes the
/// program; where the shell cannot set one of them, nothing is read.
fn limited(program: &PathBuf, arguments: &[String], limits: Limits) -> Command {
    let script = format!(
        "ulimit -v {} && ulimit -t {} && ulimit -f 0 && ulimit -c 0 && exec \"$0\" \"$@\"",
        limits.memory_kib, limits.processor_seconds
    );
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script).arg(program).args(arguments);
    command.env_clear().current_dir("/").kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

async fn run(command: &mut Command, bytes: &[u8], limits: Limits) -> Result<Vec<String>, PdfError> {
    let mut child = command.spawn().map_err(PdfError::Reader)?;
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(PdfError::Reader(std::io::ErrorKind::BrokenPipe.into()));
    };
    let send = async move {
        // A child that stops listening has its reasons: its answer or its end tells them.
        let _ = stdin.write_all(bytes).await;
        drop(stdin);
    };
    let receive = async move {
        let mut answer = Vec::new();
        stdout.take(limits.answer_bytes + 1).read_to_end(&mut answer).await.map(|_| answer)
    };
    let done = async {
        let ((), answer) = tokio::join!(send, receive);
        let answer = answer.map_err(PdfError::Reader)?;
        if answer.len() as u64 > limits.answer_bytes {
            return Err(PdfError::TooCostly(Stopped::Answer(limits.answer_bytes)));
        }
        let status = child.wait().await.map_err(PdfError::Reader)?;
        understand(status, &answer)
    };
    match tokio::time::timeout(limits.wall_clock, done).await {
        Ok(result) => result,
        Err(_) => Err(PdfError::TooCostly(Stopped::Time(limits.wall_clock))),
    }
}

fn understand(status: ExitStatus, answer: &[u8]) -> Result<Vec<String>, PdfError> {
    match status.code() {
        Some(0) => match serde_json::from_slice(answer) {
            Ok(Answer::Pages(pages)) => Ok(pages),
            Ok(Answer::Problem(problem)) => Err(problem.into()),
            Err(error) => Err(PdfError::Reader(error.into())),
        },
        // What a panic of the parser ends with.
        Some(101) => Err(PdfError::Unreadable("the parser failed on it".to_owned())),
        Some(code) => {
            Err(PdfError::Reader(std::io::Error::other(format!("it ended with code {code}"))))
        }
        None => Err(PdfError::TooCostly(Stopped::Status(status))),
    }
}

#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
mod tests;
