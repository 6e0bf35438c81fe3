//! The thread that owns the writer: it gathers callers into groups and commits each group once.
//!
//! One group is one transaction of SQLite. A failing caller loses its own writes alone (see
//! [`super::group`]); all are acknowledged when the group's COMMIT has returned from fsync. Three
//! rules keep that honest:
//!
//! 1. After an error, and before anything is acknowledged, the autocommit flag is looked at: some
//!    errors (`SQLITE_FULL`, `SQLITE_IOERR`, `ROLLBACK` conflicts) end the whole transaction, and the
//!    next savepoint would silently be a transaction of its own. A lost group fails as a whole;
//!    its write sets run again, once.
//! 2. A COMMIT that failed may still be durable. Everyone in the group gets `outcome_unknown` and
//!    the writer stops for good: the process restarts, and idempotency keys tell what happened. The
//!    one exception is a full disk, where a second commit that succeeds overwrites the first. While
//!    there is no space for that one either, nothing else is written.
//! 3. A caller that holds its turn too long is rolled back and refused from then on.

mod space;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use flowmaster_kernel::{Clock, Error, ErrorKind, Result, Timestamp};
use tokio::sync::oneshot;

#[cfg(test)]
pub(super) use self::space::settle;
use super::baton::{Baton, Finish, Shared};
use super::conn::{explain, is_full};
use super::group::{
    Group, Lost, Member, Stopped, TransactionGone, check_open, close_savepoint, open_savepoint,
    run_all,
};
use super::guard::{FolderLock, Reserve};
use super::readers::Readers;
use super::writer::{Begin, Request, Submission};
use crate::status::{Health, Monitor};
use crate::{DbConfig, error};

/// How many groups have savepoints after one that went without in vain.
const CAUTIOUS_GROUPS: u32 = 64;

pub(super) struct Limits {
    group_limit: usize,
    group_time: Duration,
    linger: Duration,
    hold: Duration,
    space_check: Duration,
}

impl Limits {
    pub(super) fn of(config: &DbConfig) -> Self {
        Self {
            group_limit: config.group_limit.max(1),
            group_time: config.group_time,
            linger: config.linger,
            hold: config.hold_limit,
            space_check: config.space_check,
        }
    }
}

pub(super) struct Coordinator {
    pub(super) shared: Arc<Shared>,
    pub(super) requests: Receiver<Request>,
    pub(super) returned: Receiver<Finish>,
    pub(super) waiting: Arc<AtomicUsize>,
    /// Write sets of a lost group: each runs once more, in a group of its own.
    pub(super) again: VecDeque<Submission>,
    /// A request that does not belong into the group it arrived in.
    pub(super) held_back: Option<Request>,
    pub(super) last_group: usize,
    /// So many groups begin with savepoints, because one without had to run twice.
    pub(super) cautious: u32,
    /// A commit failed for lack of space, and none has succeeded since.
    pub(super) unsettled: bool,
    /// When there was the last look for space.
    pub(super) looked_for_space: Instant,
    pub(super) limits: Limits,
    pub(super) reserve: Arc<Reserve>,
    pub(super) readers: Arc<Readers>,
    pub(super) monitor: Arc<Monitor>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) _lock: FolderLock,
}

impl Coordinator {
    pub(super) fn run(mut self) {
        while self.monitor.health() != Health::Poisoned {
            match self.next_request() {
                Some(Request::Alone(work)) => work(&self.shared.seat.lock().conn),
                Some(Request::Stop(done)) => return self.stop(done),
                Some(first) => self.group(first),
                None => break,
            }
        }
        self.turn_away();
    }

    /// The next request; `None` when nobody can send one any more.
    fn next_request(&mut self) -> Option<Request> {
        if let Some(submission) = self.again.pop_front() {
            return Some(Request::Submit(submission));
        }
        if let Some(request) = self.held_back.take() {
            return Some(request);
        }
        loop {
            let received = match self.monitor.health() {
                // Not only when nobody sends: work that finishes something goes on meanwhile.
                Health::StorageLow => match self.until_look() {
                    Duration::ZERO => Err(RecvTimeoutError::Timeout),
                    left => self.requests.recv_timeout(left),
                },
                _ => self.requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match received {
                Ok(request) => {
                    self.waiting.fetch_sub(1, Ordering::SeqCst);
                    return Some(request);
                }
                Err(RecvTimeoutError::Timeout) => self.look_for_space(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Serves callers until nobody waits or the group is large enough, then commits.
    fn group(&mut self, first: Request) {
        if let Err(reason) = self.settle_last() {
            return refuse(first, reason);
        }
        if let Err(problem) = self.shared.seat.lock().conn.control("BEGIN IMMEDIATE") {
            return refuse(first, explain(problem));
        }
        // A write set that runs again stays alone: it may be the one that ends transactions.
        let alone = matches!(&first, Request::Submit(submission) if submission.ran_before);
        let mut group = Group::open(alone || self.cautious > 0);
        self.cautious = self.cautious.saturating_sub(1);
        let mut next = Some(first);
        while let Some(request) = next {
            group.served += 1;
            let served = match request {
                Request::Begin(begin) => self.serve_transaction(begin, &mut group),
                Request::Submit(submission) => self.serve_writes(submission, &mut group),
                Request::Alone(_) | Request::Stop(_) => {
                    self.held_back = Some(request);
                    Ok(())
                }
            };
            if let Err(lost) = served {
                return self.abandon(group, lost);
            }
            next = if alone { None } else { self.next_in_group(&group) };
        }
        self.last_group = group.served;
        self.commit(group);
    }

    fn next_in_group(&mut self, group: &Group) -> Option<Request> {
        let full = group.served >= self.limits.group_limit;
        if full || self.held_back.is_some() || group.opened.elapsed() >= self.limits.group_time {
            return None;
        }
        let request = match self.requests.try_recv() {
            Ok(request) => Some(request),
            // The callers of the last group are on their way back: sharing a commit with them is
            // worth more than starting it a moment earlier.
            Err(mpsc::TryRecvError::Empty) if group.served < self.last_group => {
                self.requests.recv_timeout(self.limits.linger).ok()
            }
            Err(_) => None,
        };
        if request.is_some() {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        request
    }

    fn serve_writes(&mut self, mut writes: Submission, group: &mut Group) -> Result<(), Lost> {
        if let Err(late) = self.check_deadline(writes.deadline) {
            answer(writes.done, Err(late));
            return Ok(());
        }
        if group.guarded {
            return self.serve_guarded(writes, group);
        }
        let (outcome, gone) = {
            let conn = &self.shared.seat.lock().conn;
            let ran = check_open(conn).map_err(Stopped::from);
            let ran = ran.and_then(|()| run_all(conn, &mut writes));
            (ran, conn.is_autocommit())
        };
        if !gone && outcome.as_ref().is_err_and(|stopped| stopped.half_way) {
            self.run_guarded(group)?;
        }
        settle_writes(writes, outcome, gone, group)
    }

    /// Runs a write set in a savepoint.
    fn serve_guarded(&self, mut writes: Submission, group: &mut Group) -> Result<(), Lost> {
        let (outcome, closed) = {
            let conn = &self.shared.seat.lock().conn;
            let opened = open_savepoint(conn).map_err(Stopped::from);
            let outcome = opened.and_then(|()| run_all(conn, &mut writes));
            let closed = close_savepoint(conn, outcome.is_ok());
            (outcome, closed)
        };
        settle_writes(writes, outcome, closed.is_err(), group)
    }

    /// Takes the group back, which somebody left half-way, and runs its write sets once more.
    fn run_guarded(&mut self, group: &mut Group) -> Result<(), Lost> {
        self.cautious = CAUTIOUS_GROUPS;
        group.guarded = true;
        let begun_anew = {
            let conn = &self.shared.seat.lock().conn;
            conn.control("ROLLBACK").and_then(|()| conn.control("BEGIN IMMEDIATE"))
        };
        let mut outcome = begun_anew.map_err(|problem| {
            tracing::error!(%problem, "a group could not begin anew");
            Lost { full: is_full(&problem) }
        });
        let mut ran = std::mem::take(&mut group.members).into_iter();
        while outcome.is_ok()
            && let Some(member) = ran.next()
        {
            outcome = match member {
                Member::Applied(writes) => self.serve_guarded(writes, group),
                told => {
                    group.members.push(told);
                    Ok(())
                }
            };
        }
        group.members.extend(ran);
        outcome
    }

    fn serve_transaction(&self, begin: Begin, group: &mut Group) -> Result<(), Lost> {
        let granted = self.check_deadline(begin.deadline).and_then(|()| {
            let mut seat = self.shared.seat.lock();
            open_savepoint(&seat.conn)?;
            seat.turn += 1;
            seat.ran_full = false;
            Ok(Baton::new(Arc::clone(&self.shared), seat.turn))
        });
        let opened = granted.is_ok();
        // A caller that has gone drops the baton, which gives it back.
        let _ = begin.grant.send(granted);
        if !opened {
            let gone = self.shared.seat.lock().conn.is_autocommit();
            return if gone { Err(Lost { full: false }) } else { Ok(()) };
        }
        let finish = self.wait_for_return(begin.deadline);
        let seat = self.shared.seat.lock();
        let commits = matches!(finish, Some(Finish::Commit { .. }));
        let closed = close_savepoint(&seat.conn, commits);
        group.ran_full |= seat.ran_full;
        let lost = closed.err().map(|TransactionGone| Lost { full: seat.ran_full });
        match finish {
            Some(Finish::Commit { ack, wakes }) => {
                group.guarded = true;
                group.wakes.add(wakes);
                group.members.push(Member::Transaction(ack));
            }
            Some(Finish::Rollback { ack: Some(ack) }) => {
                group.members.push(Member::Transaction(ack));
            }
            Some(Finish::Rollback { ack: None }) | None => {}
        }
        lost.map_or(Ok(()), Err)
    }

    /// How the holder gave the baton back; `None` if it was taken away.
    fn wait_for_return(&self, deadline: Option<Timestamp>) -> Option<Finish> {
        let limit = deadline.map_or(self.limits.hold, |deadline| {
            let left = deadline.as_millis().saturating_sub(self.clock.now().as_millis());
            self.limits.hold.min(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
        });
        if let Ok(finish) = self.returned.recv_timeout(limit) {
            return Some(finish);
        }
        let mut seat = self.shared.seat.lock();
        if let Ok(finish) = self.returned.try_recv() {
            return Some(finish);
        }
        seat.turn += 1;
        self.monitor.expired();
        tracing::warn!(?limit, "rolled back a transaction that was held open too long");
        None
    }

    fn commit(&mut self, group: Group) {
        let committed = {
            let seat = self.shared.seat.lock();
            if seat.conn.is_autocommit() {
                None
            } else {
                Some(seat.conn.control("COMMIT").map(|()| seat.conn.is_autocommit()))
            }
        };
        match committed {
            Some(Ok(true)) => {
                let ran_full = group.ran_full;
                self.acknowledge(group);
                if ran_full {
                    self.space_ran_out();
                }
            }
            None => self.abandon(group, Lost { full: false }),
            Some(Ok(false)) => self.poison(group),
            Some(Err(problem)) => {
                tracing::error!(%problem, "the commit of a group failed");
                match is_full(&problem).then(|| self.make_room()) {
                    Some(Ok(())) => self.abandon(group, Lost { full: true }),
                    Some(Err(problem)) if is_full(&problem) => {
                        self.unsettled = true;
                        tell_unknown(group);
                    }
                    Some(Err(_)) | None => self.poison(group),
                }
            }
        }
    }

    fn acknowledge(&self, group: Group) {
        self.readers.end_old_snapshots();
        self.monitor.committed(group.members.len() as u64, group.wakes);
        for member in group.members {
            match member {
                Member::Transaction(ack) => answer(ack, Ok(())),
                Member::Applied(submission) => answer(submission.done, Ok(())),
                Member::Refused(done, refusal) => answer(done, Err(refusal)),
            }
        }
    }

    /// The transaction of the group is gone: write sets run again, transactions are told so.
    fn abandon(&mut self, group: Group, lost: Lost) {
        tracing::warn!(members = group.members.len(), full = lost.full, "a group was rolled back");
        {
            let seat = self.shared.seat.lock();
            if !seat.conn.is_autocommit()
                && let Err(problem) = seat.conn.control("ROLLBACK")
            {
                tracing::error!(%problem, "a group could not be rolled back");
            }
        }
        if lost.full {
            self.space_ran_out();
        }
        let reason = if lost.full { error::storage_full } else { error::transaction_lost };
        for member in group.members {
            match member {
                Member::Transaction(ack) => answer(ack, Err(reason())),
                Member::Refused(done, _) => answer(done, Err(error::transaction_lost())),
                Member::Applied(submission) if submission.ran_before => {
                    answer(submission.done, Err(reason()));
                }
                Member::Applied(submission) => {
                    self.again.push_back(Submission { ran_before: true, ..submission });
                }
            }
        }
    }

    /// Nobody can tell whether the group is durable: no further write until a restart.
    fn poison(&self, group: Group) {
        tracing::error!("the writer stops: restart the process");
        self.monitor.set_health(Health::Poisoned);
        tell_unknown(group);
    }

    fn check_deadline(&self, deadline: Option<Timestamp>) -> Result<()> {
        match deadline {
            Some(deadline) if self.clock.now() > deadline => {
                Err(Error::new(ErrorKind::Timeout, "deadline_exceeded", "the call took too long")
                    .why("its deadline passed while it waited to be written")
                    .fix("repeat the call, or raise its time limit"))
            }
            _ => Ok(()),
        }
    }

    /// Serves what is queued, then ends.
    fn stop(mut self, done: oneshot::Sender<()>) {
        self.monitor.set_health(Health::Closed);
        self.readers.close();
        while self.monitor.health() != Health::Poisoned
            && let Ok(request) = self.requests.try_recv()
        {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            match request {
                Request::Begin(_) | Request::Submit(_) => self.group(request),
                Request::Alone(work) => work(&self.shared.seat.lock().conn),
                Request::Stop(again) => answer(again, ()),
            }
            while let Some(submission) = self.again.pop_front() {
                self.group(Request::Submit(submission));
            }
        }
        self.turn_away();
        // The folder is free before anybody is told so.
        drop(self);
        answer(done, ());
    }

    /// Answers everybody who waits that nothing of theirs was done.
    fn turn_away(&mut self) {
        let reason = match self.monitor.health() {
            Health::Poisoned => error::poisoned,
            _ => error::closed,
        };
        let queued = self.requests.try_iter();
        let waiting = self.again.drain(..).map(Request::Submit).chain(self.held_back.take());
        for request in waiting.chain(queued) {
            refuse(request, reason());
        }
    }
}

/// Notes in the group what became of a write set. `gone`: the group's transaction went with it.
fn settle_writes(
    writes: Submission,
    outcome: Result<(), Stopped>,
    gone: bool,
    group: &mut Group,
) -> Result<(), Lost> {
    let full = outcome.as_ref().is_err_and(|stopped| stopped.full);
    group.ran_full |= full;
    match outcome {
        Ok(()) if !gone => {
            group.wakes.add(writes.writes.wakes);
            group.members.push(Member::Applied(writes));
        }
        Err(stopped) if !gone => group.members.push(Member::Refused(writes.done, stopped.refusal)),
        // Runs again behind the others, with the space of the reserve.
        _ if full && !writes.ran_before => group.members.push(Member::Applied(writes)),
        Ok(()) => answer(writes.done, Err(error::transaction_lost())),
        Err(stopped) => answer(writes.done, Err(stopped.refusal)),
    }
    if gone { Err(Lost { full }) } else { Ok(()) }
}

fn tell_unknown(group: Group) {
    for member in group.members {
        match member {
            Member::Transaction(done) | Member::Refused(done, _) => {
                answer(done, Err(error::outcome_unknown()));
            }
            Member::Applied(submission) => {
                answer(submission.done, Err(error::outcome_unknown()));
            }
        }
    }
}

fn refuse(request: Request, reason: Error) {
    match request {
        Request::Begin(begin) => drop(begin.grant.send(Err(reason))),
        Request::Submit(submission) => answer(submission.done, Err(reason)),
        // Who waits for these finds the channel closed.
        Request::Alone(_) | Request::Stop(_) => {}
    }
}

/// Answers a caller. One that stopped waiting is no reason to stop: its work is done.
fn answer<T>(to: oneshot::Sender<T>, what: T) {
    let _ = to.send(what);
}
