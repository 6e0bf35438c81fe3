//! What can go wrong with instances.

use flowmaster_engine::governance::{Proposal, Refusal};
use flowmaster_engine::{Decided, Event, refusal};
use flowmaster_kernel::{Error, ErrorKind};
use flowmaster_store::STALE_LEASE;

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExecutionError {
    #[error("no instance {0:?}")]
    NotFound(String),
    #[error("no work {0:?}")]
    NoWork(String),
    #[error("the variables do not fit the process")]
    Variables(Vec<String>),
    #[error("the instance was changed by somebody else at the same time, again and again")]
    Contended,
    #[error("the instance changed meanwhile")]
    Changed,
    #[error("it was taken already")]
    Taken,
    #[error("no process catches the rejection {0:?}")]
    RejectionNotModelled(String),
    #[error("the job is not claimed")]
    NotClaimed,
    #[error("{what} is longer than {limit} characters")]
    TooLong { what: &'static str, limit: usize },
    #[error("{}", .0.refusal.reason)]
    Refused(Box<Refused>),
    #[error("{0}")]
    Choice(&'static str),
    #[error("instruction {at}: {needs}")]
    Instruction { at: usize, needs: &'static str },
    #[error("no ad-hoc sub-process waits that has the element directly in it")]
    NothingToActivate,
    #[error("no incident {0:?}")]
    NoIncident(String),
    #[error("{0}")]
    Needed(&'static str),
    #[error("no archived instance {0:?}")]
    NotArchived(String),
    #[error("another record lies where that of the instance was put")]
    OtherRecord,
}

/// What the policies did not let through, and what they would.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    refusal: Refusal,
    would_allow: Option<String>,
    proposal: Option<Proposal>,
}

impl Refused {
    /// The refusal, if `decided` is one.
    pub(super) fn of(decided: &Decided) -> Option<Self> {
        let refusal = refusal(&decided.events)?.clone();
        let opinion = decided.hearings.last().and_then(|hearing| hearing.opinions.last());
        let proposal = decided.events.iter().find_map(|event| match event {
            Event::WorkProposed(proposed) => Some(proposed.proposal.clone()),
            _ => None,
        });
        let would_allow = opinion.and_then(|opinion| opinion.would_allow.clone());
        Some(Self { refusal, would_allow, proposal })
    }

    /// Whether what was filled in is kept for another to confirm.
    pub(super) fn is_kept(&self) -> bool {
        self.proposal.is_some()
    }
}

/// The code of [`ExecutionError::Changed`], on which a command is decided again.
pub(super) const CHANGED: &str = "instance_changed";
/// The code of [`ExecutionError::Taken`]: the message or command was taken by an earlier delivery.
pub(super) const TAKEN: &str = "already_taken";
/// The code with which the engine rejects what a paused instance cannot follow.
pub(super) const PAUSED: &str = "instance_paused";
/// The code of what the policies do not let through.
pub(super) const REFUSED: &str = "governance_refused";
/// The code of a start under an id that exists: an earlier delivery started it.
pub(super) const EXISTS: &str = "instance_exists";

impl From<ExecutionError> for Error {
    fn from(error: ExecutionError) -> Self {
        let what = error.to_string();
        match error {
            ExecutionError::NotFound(id) => {
                Self::not_found("instance", &id).next("instance_search")
            }
            ExecutionError::NoWork(id) => Self::not_found("work", &id)
                .fix("use the id of an open job or task")
                .next("instance_get"),
            ExecutionError::Variables(problems) => Self::invalid("invalid_variables", what)
                .why(problems.join("; "))
                .fix("send variables that match the input schema of the process")
                .next("process_get"),
            ExecutionError::Contended => {
                Self::conflict("instance_contended", what).fix("try again in a moment").retryable()
            }
            ExecutionError::Changed => Self::conflict(CHANGED, what).retryable(),
            ExecutionError::Taken => Self::conflict(TAKEN, what),
            ExecutionError::RejectionNotModelled(_) => Self::conflict(
                "rejection_not_modelled",
                what,
            )
            .why("the element has no error boundary event or event sub-process for it")
            .fix(
                "complete the task with a negative answer, or model an error boundary event \
                         with this code on the task",
            )
            .next("task_complete"),
            ExecutionError::NotClaimed => Self::conflict(STALE_LEASE, what)
                .why("an epoch begins with 1, and only a claim gives one")
                .fix("claim the job first and pass its epoch back")
                .next("job_claim"),
            ExecutionError::TooLong { .. } => {
                Self::new(ErrorKind::TooLarge, "text_too_long", what).fix("use a shorter text")
            }
            ExecutionError::Refused(refusal) => refused(&refusal, what),
            ExecutionError::Choice(_) | ExecutionError::Instruction { .. } => {
                Self::invalid("invalid_arguments", what)
            }
            ExecutionError::NothingToActivate => Self::conflict("not_selectable", what)
                .fix("read the instance to see what can be activated")
                .next("instance_get"),
            ExecutionError::NoIncident(id) => {
                Self::not_found("incident", &id).next("incident_list")
            }
            ExecutionError::Needed(_) => Self::conflict("instance_needed", what),
            ExecutionError::NotArchived(id) => {
                Self::not_found("archived_instance", &id).next("archive_search")
            }
            ExecutionError::OtherRecord => Self::conflict("archive_tampered", what)
                .fix("compare with a copy of the file; keep this one as evidence"),
        }
    }
}

/// A refusal by the policies: it is in the journal and the runtime record, and this tells who could do
/// it instead, and what would be let through.
fn refused(refused: &Refused, what: String) -> Error {
    let Refused { refusal, would_allow, proposal } = refused;
    let approvers = match refusal.approvers.as_slice() {
        [] => None,
        approvers => Some(approvers.join(", ")),
    };
    let (fix, next) = match (proposal, approvers) {
        (Some(_), approvers) => {
            let whom = approvers.unwrap_or_else(|| "somebody else who may do it".to_owned());
            let kept = "nothing more to do: your answer is kept as a proposal on the task, for";
            (format!("{kept} {whom} to confirm"), "task_get")
        }
        (None, Some(approvers)) => (format!("leave it to: {approvers}"), "instance_timeline"),
        (None, None) => {
            let fix = "somebody else must do it, or the policy must change";
            (fix.to_owned(), "instance_timeline")
        }
    };
    Error::new(ErrorKind::Forbidden, REFUSED, what)
        .why(format!("the policy {} does not allow it", refusal.policy))
        .fix(fix)
        .next(next)
        .details(serde_json::json!({
            "refusal": refusal,
            "outcome": refusal.code.verdict().as_str(),
            "would_allow": would_allow,
            "kept": proposal.is_some(),
        }))
}
