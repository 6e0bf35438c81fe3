//! The other end of a running call over MCP: progress, notes, and questions in both eras.
//!
//! A client of 2026-07-28 gets questions as the result of its request and repeats it with the answers;
//! an older one gets a request from the server, and the call waits. The verb sees no difference.
//!
//! Invariants: progress is told to those who gave a token, and only grows; notes go to those who
//! asked for their level; nothing is told after the result. What nobody takes in time is lost.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{
    Answers, BoxFuture, CANNOT_ASK, CANNOT_FOLLOW, Content, Error, ErrorKind, Exchange,
    INPUT_REQUIRED, NoteLevel, Question, Result,
};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use parking_lot::Mutex;
use rmcp::ErrorData;
use rmcp::model::{
    ClientCapabilities, InputRequest, InputRequiredResult, InputResponses,
    ProgressNotificationParam, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext, RoleServer};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::notes;
use super::sealed::{Heard, Request, Seal};
use super::{asking, content};

/// How many words may wait until the client takes them.
const QUEUE: usize = 64;
/// How long an older client may take to answer a question.
const THINKING_TIME: Duration = Duration::from_secs(600);
/// How many questions a call may have open.
const MAX_QUESTIONS: usize = 16;

type Context = RequestContext<RoleServer>;

/// What goes to the client while the call runs; a request of the server is large.
enum Word {
    Progress(usize, usize),
    Note(NoteLevel, String),
    Ask(Box<ServerRequest>, oneshot::Sender<Option<Value>>),
}

/// The end that the verb holds.
struct End {
    takes: ClientCapabilities,
    is_modern: bool,
    words: mpsc::Sender<Word>,
    said: Mutex<Said>,
}

/// What a call has said that belongs into its result.
#[derive(Default)]
struct Said {
    /// What the client sent along, and what of it was an answer to a question.
    heard: Heard,
    used: Heard,
    open: BTreeMap<String, Question>,
    lacking: Option<ClientCapabilities>,
    shown: Vec<Content>,
}

/// The end that the protocol holds.
pub(super) struct Line {
    end: Arc<End>,
    words: mpsc::Receiver<Word>,
    threshold: Option<NoteLevel>,
}

impl Line {
    /// The line of a request with what its client has said so far. `threshold` is the least level of
    /// notes that an older client wants; a newer one says it with each request.
    pub(super) fn open(context: &Context, threshold: NoteLevel, heard: Heard) -> Self {
        let is_modern = context.protocol_version().is_some_and(|it| !it.has_initialize());
        let (tell, words) = mpsc::channel(QUEUE);
        let end = End {
            takes: context.client_capabilities().unwrap_or_default(),
            is_modern,
            words: tell,
            said: Mutex::new(Said { heard, ..Said::default() }),
        };
        let threshold =
            if is_modern { context.meta.log_level().map(notes::level) } else { Some(threshold) };
        Self { end: Arc::new(end), words, threshold }
    }

    /// What the verb gets.
    pub(super) fn end(&self) -> Arc<dyn Exchange> {
        Arc::clone(&self.end) as Arc<dyn Exchange>
    }

    /// Runs `call` to its end and brings to the client what it says meanwhile.
    pub(super) async fn carry<T>(&mut self, context: &Context, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        let mut asked = FuturesUnordered::new();
        let mut told = None;
        loop {
            let word = tokio::select! {
                biased;
                Some(word) = self.words.recv() => word,
                Some(()) = asked.next() => continue,
                result = &mut call => {
                    while let Ok(word) = self.words.try_recv() {
                        self.tell(context, word, &mut told).await;
                    }
                    return result;
                }
            };
            match word {
                Word::Ask(request, reply) => asked.push(async move {
                    // A verb that is gone needs no answer.
                    let _ = reply.send(ask(context, *request).await);
                }),
                word => self.tell(context, word, &mut told).await,
            }
        }
    }

    async fn tell(&self, context: &Context, word: Word, told: &mut Option<usize>) {
        let sent = match word {
            Word::Progress(done, total) => {
                let grows = told.is_none_or(|before| done > before);
                let Some(token) = context.meta.get_progress_token().filter(|_| grows) else {
                    return;
                };
                *told = Some(done);
                let progress = ProgressNotificationParam::new(token, number(done));
                let progress = progress.with_total(number(total));
                context.peer.notify_progress(progress).await
            }
            Word::Note(level, text) if self.threshold.is_some_and(|least| level >= least) => {
                notes::send(&context.peer, level, text).await
            }
            Word::Note(..) | Word::Ask(..) => return,
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "a client did not hear what a call said");
        }
    }

    /// What was shown in place of the answer's text.
    pub(super) fn shown(&self) -> Vec<rmcp::model::ContentBlock> {
        self.end.said.lock().shown.drain(..).map(content::block).collect()
    }

    /// What the client gets instead of an error, when the error is that it has to say something first.
    pub(super) fn questions(
        &self,
        error: &Error,
        seal: &Seal,
        request: &Request<'_>,
    ) -> Option<Result<InputRequiredResult, ErrorData>> {
        let said = self.end.said.lock();
        match (error.code(), &said.lacking) {
            (CANNOT_ASK, Some(lacking)) if self.end.is_modern => {
                Some(Err(ErrorData::missing_required_client_capability(lacking.clone())))
            }
            (CANNOT_FOLLOW, _) if self.end.is_modern => {
                let tasks = ClientCapabilities::builder().enable_tasks().build();
                Some(Err(ErrorData::missing_required_client_capability(tasks)))
            }
            (INPUT_REQUIRED, _) if !said.open.is_empty() => {
                let requests: serde_json::Result<BTreeMap<String, InputRequest>> = said
                    .open
                    .iter()
                    .map(|(key, question)| Ok((key.clone(), asking::request(question)?)))
                    .collect();
                let result = requests.map_err(|error| error.to_string()).and_then(|requests| {
                    let state =
                        seal.close(&said.used, request).map_err(|error| error.to_string())?;
                    Ok(InputRequiredResult::new(Some(requests), Some(state)))
                });
                Some(result.map_err(|error| {
                    tracing::error!(%error, "a question could not be put");
                    ErrorData::internal_error("the question could not be put", None)
                }))
            }
            _ => None,
        }
    }
}

/// What the client has said to a request: in this one, and before, as its sealed state says.
///
/// # Errors
/// A state that is not one of this request.
pub(super) fn heard(
    seal: &Seal,
    request: &Request<'_>,
    responses: Option<InputResponses>,
    state: Option<&str>,
) -> Result<Heard> {
    let mut heard = match state {
        Some(state) => seal.open(state, request)?,
        None => Heard::new(),
    };
    heard.extend(responses.unwrap_or_default());
    Ok(heard)
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53 here")]
fn number(count: usize) -> f64 {
    count as f64
}

async fn ask(context: &Context, request: ServerRequest) -> Option<Value> {
    let options = PeerRequestOptions::with_timeout(THINKING_TIME);
    let sent = context.peer.send_request_with_option(request, options).await;
    let answer = match sent {
        Ok(handle) => handle.await_response().await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => serde_json::to_value(answer).ok(),
        Err(error) => {
            tracing::debug!(%error, "a client did not answer");
            None
        }
    }
}

impl End {
    fn say(&self, word: Word) {
        if self.words.try_send(word).is_err() {
            tracing::debug!("a client is too slow to hear what a call says");
        }
    }

    /// The answers that came with the request, or a note of what is open.
    fn look_up(&self, questions: BTreeMap<String, Question>) -> Result<Answers> {
        let mut said = self.said.lock();
        let mut answers = Answers::new();
        for (key, question) in questions {
            let given = said.heard.get(&key).cloned();
            match given.as_ref().and_then(|given| asking::answer(&question, given)) {
                Some(answer) => {
                    said.used.extend(given.map(|given| (key.clone(), given)));
                    answers.insert(key, answer);
                }
                None => {
                    said.open.insert(key, question);
                }
            }
        }
        if said.open.is_empty() {
            return Ok(answers);
        }
        Err(Error::new(ErrorKind::Conflict, INPUT_REQUIRED, "the call has questions first")
            .fix("call again with the answers"))
    }

    async fn ask_now(&self, questions: BTreeMap<String, Question>) -> Result<Answers> {
        let mut answers = Answers::new();
        for (key, question) in questions {
            let unanswered = || {
                Error::new(ErrorKind::Conflict, "unanswered", "a question was not answered")
                    .fix("call again, and answer what is asked")
                    .details(json!({ "question": key }))
            };
            let request = asking::request(&question).ok().and_then(asking::pushed);
            let (reply, answered) = oneshot::channel();
            let word = Word::Ask(Box::new(request.ok_or_else(unanswered)?), reply);
            self.words.send(word).await.map_err(|_| unanswered())?;
            let given = answered.await.ok().flatten();
            let answer = given.and_then(|given| asking::answer(&question, &given));
            let answer = answer.ok_or_else(unanswered)?;
            answers.insert(key, answer);
        }
        Ok(answers)
    }
}

impl Exchange for End {
    fn progress(&self, done: usize, total: usize) {
        self.say(Word::Progress(done, total));
    }

    fn note(&self, level: NoteLevel, text: &str) {
        self.say(Word::Note(level, text.to_owned()));
    }

    fn show(&self, content: Content) {
        self.said.lock().shown.push(content);
    }

    fn follows(&self) -> bool {
        self.is_modern && self.takes.supports_tasks()
    }

    fn takes(&self, question: &Question) -> bool {
        asking::is_taken(question, &self.takes)
    }

    fn ask(&self, questions: BTreeMap<String, Question>) -> BoxFuture<'_, Result<Answers>> {
        Box::pin(async move {
            if let Some(untaken) = questions.values().find(|question| !self.takes(question)) {
                self.said.lock().lacking = Some(asking::needs(untaken));
                return Err(Error::new(
                    ErrorKind::Conflict,
                    CANNOT_ASK,
                    "the call has a question that this client does not take",
                )
                .fix("call it from a client that declares the capability (elicitation)"));
            }
            if questions.len() > MAX_QUESTIONS {
                return Err(Error::internal("too_many_questions", "a call asks too much at once"));
            }
            if self.is_modern { self.look_up(questions) } else { self.ask_now(questions).await }
        })
    }
}
