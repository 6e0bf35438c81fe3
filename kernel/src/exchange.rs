//! What a verb and its caller say to each other while a call runs, besides arguments and answer.
//!
//! An entrance that can carry it puts an [`Exchange`] into the context; what is told where there is
//! none is lost, and a question has nobody to answer it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{BoxFuture, Ctx, Error, ErrorKind, Result};

/// The code of the error with which a verb stops until its questions are answered.
pub const INPUT_REQUIRED: &str = "input_required";
/// The code of the error for questions that the caller's program does not take.
pub const CANNOT_ASK: &str = "cannot_ask";

/// The code of the error of a verb that only answers those who can follow what it begins.
pub const CANNOT_FOLLOW: &str = "cannot_follow";

/// The other end of a running call.
pub trait Exchange: Send + Sync {
    /// Says how much of the call is done, in any unit.
    fn progress(&self, done: usize, total: usize);

    /// Says something to whoever watches the call. Never anything secret.
    fn note(&self, level: NoteLevel, text: &str);

    /// Shows something in place of the text that is made from the answer.
    fn show(&self, content: Content);

    /// Whether the caller can follow what goes on after the answer, so that there is no need to wait.
    fn follows(&self) -> bool;

    /// Whether the caller's program takes such a question.
    fn takes(&self, question: &Question) -> bool;

    /// Answers to `questions`, by their keys. A key stands for one question for as long as the
    /// call and its repetitions last.
    ///
    /// # Errors
    /// [`INPUT_REQUIRED`], which the verb passes on before it has changed anything: it is called
    /// again, with the answers. [`CANNOT_ASK`].
    fn ask(&self, questions: BTreeMap<String, Question>) -> BoxFuture<'_, Result<Answers>>;
}

/// How much a note matters, from the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteLevel {
    /// For who looks for a defect.
    Debug,
    /// What happens as it should.
    Info,
    /// What somebody should look at.
    Warning,
    /// What failed.
    Error,
}

/// Something to show, also where there is no text for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// A picture.
    Image {
        /// Its bytes in base64.
        data: String,
        /// Its media type.
        mime_type: String,
    },
    /// Something to hear.
    Audio {
        /// Its bytes in base64.
        data: String,
        /// Its media type.
        mime_type: String,
    },
    /// What stands behind a URI.
    Resource {
        /// The URI.
        uri: String,
        /// Its media type.
        mime_type: String,
        /// What it says.
        text: String,
    },
}

/// A question to the caller.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// To the person: a form to fill in. Never for secrets.
    Form {
        /// What is asked.
        message: String,
        /// JSON Schema of the answer: an object of plain fields.
        schema: Value,
    },
    /// To the model of the caller.
    Model {
        /// What is asked.
        prompt: String,
        /// How long the answer may be.
        max_tokens: u32,
    },
    /// Which folders the caller works in.
    Folders,
}

/// Answers by the keys of their questions.
pub type Answers = BTreeMap<String, Answer>;

/// The answer to a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The form, filled in as its schema wants it.
    Form(Map<String, Value>),
    /// The person said no.
    Declined,
    /// The person closed the form.
    Cancelled,
    /// What the model said.
    Model(String),
    /// The folders, as URIs.
    Folders(Vec<String>),
}

impl Ctx {
    /// As [`Exchange::progress`].
    pub fn progress(&self, done: usize, total: usize) {
        if let Some(exchange) = &self.exchange {
            exchange.progress(done, total);
        }
    }

    /// As [`Exchange::note`].
    pub fn note(&self, level: NoteLevel, text: &str) {
        if let Some(exchange) = &self.exchange {
            exchange.note(level, text);
        }
    }

    /// As [`Exchange::show`].
    pub fn show(&self, content: Content) {
        if let Some(exchange) = &self.exchange {
            exchange.show(content);
        }
    }

    /// As [`Exchange::follows`].
    #[must_use]
    pub fn follows(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.follows())
    }

    /// As [`Exchange::takes`].
    #[must_use]
    pub fn takes(&self, question: &Question) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.takes(question))
    }

    /// As [`Exchange::ask`].
    ///
    /// # Errors
    /// Those of [`Exchange::ask`].
    pub async fn ask(&self, questions: BTreeMap<String, Question>) -> Result<Answers> {
        match &self.exchange {
            Some(exchange) => exchange.ask(questions).await,
            None => Err(Error::new(
                ErrorKind::Conflict,
                CANNOT_ASK,
                "the call has a question, and nobody to ask",
            )
            .fix("call it from an MCP client that takes questions (elicitation)")),
        }
    }
}
