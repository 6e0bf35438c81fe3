//! The thread that owns the writer: it gathers callers into groups and commits each group once.
//!
//! One group is one transaction of SQLite. Every caller has a savepoint in it, so a failing caller
//! loses its own writes alone; all are acknowledged when the group's COMMIT has returned from
//! fsync. Three rules keep that honest:
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

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use flowmaster_kernel::{Clock, Error, ErrorKind, Result, Timestamp};
use tokio::sync::oneshot;

use super::baton::{Baton, Finish, Shared};
use super::conn::{Conn, explain, is_full};
use super::group::{
    Group, Lost, Member, TransactionGone, close_savepoint, open_savepoint, run_all,
};
use super::guard::{FolderLock, Reserve};
use super::readers::Readers;
use super::writer::{Begin, Request, Submission};
use crate::status::{Health, Monitor};
use crate::{DbConfig, error};

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

    fn until_look(&self) -> Duration {
        self.limits.space_check.saturating_sub(self.looked_for_space.elapsed())
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
        let mut group = Group::open();
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

    fn serve_writes(&self, mut submission: Submission, group: &mut Group) -> Result<(), Lost> {
        if let Err(late) = self.check_deadline(submission.deadline) {
            answer(submission.done, Err(late));
            return Ok(());
        }
        let seat = self.shared.seat.lock();
        let mut full = false;
        let outcome = open_savepoint(&seat.conn)
            .and_then(|()| run_all(&seat.conn, &mut submission, &mut full));
        let closed = close_savepoint(&seat.conn, outcome.is_ok());
        group.ran_full |= full;
        match (outcome, closed) {
            (Ok(()), Ok(())) => {
                group.wakes.add(submission.writes.wakes);
                group.members.push(Member::Applied(submission));
                Ok(())
            }
            (Err(refusal), Ok(())) => {
                group.members.push(Member::Refused(submission.done, refusal));
                Ok(())
            }
            (outcome, Err(TransactionGone)) => {
                let refusal = outcome.err().unwrap_or_else(error::transaction_lost);
                if full && !submission.ran_before {
                    // Runs again behind the others, with the space of the reserve.
                    group.members.push(Member::Applied(submission));
                } else {
                    answer(submission.done, Err(refusal));
                }
                Err(Lost { full })
            }
        }
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

    /// Commits something small if the last commit failed for lack of space.
    fn settle_last(&mut self) -> Result<()> {
        if !self.unsettled {
            return Ok(());
        }
        let settled = settle(&self.shared.seat.lock().conn);
        match settled {
            Ok(()) => {
                self.unsettled = false;
                Ok(())
            }
            Err(problem) if is_full(&problem) => Err(error::storage_full()),
            Err(problem) => {
                tracing::error!(%problem, "the writer stops: restart the process");
                self.monitor.set_health(Health::Poisoned);
                Err(error::poisoned())
            }
        }
    }

    /// After a COMMIT failed for lack of space: gives up the reserve and commits something small.
    /// It lands where the failed commit was written, so afterwards that one is certainly not there.
    fn make_room(&self) -> Result<(), rusqlite::Error> {
        self.space_ran_out();
        let seat = self.shared.seat.lock();
        if !seat.conn.is_autocommit() {
            seat.conn.control("ROLLBACK")?;
        }
        settle(&seat.conn)
    }

    /// Refuses new work and gives up the reserve, so that accepted work can still be finished.
    fn space_ran_out(&self) {
        if self.monitor.health() != Health::StorageLow {
            tracing::error!("storage is full: new work is refused");
        }
        self.monitor.set_health(Health::StorageLow);
        if let Err(problem) = self.reserve.release() {
            tracing::error!(%problem, "the reserve could not be released");
        }
        let seat = self.shared.seat.lock();
        if seat.conn.is_autocommit()
            && let Err(problem) = seat.conn.raw().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        {
            tracing::warn!(%problem, "no checkpoint while storage is full");
        }
    }

    /// Accepts new work again once the reserve fits on the disk again.
    fn look_for_space(&mut self) {
        let found = self.reserve.hold();
        self.looked_for_space = Instant::now();
        match found {
            Ok(()) => {
                tracing::info!("there is space again: new work is accepted");
                self.monitor.set_health(Health::Ready);
            }
            Err(problem) => tracing::warn!(%problem, "storage is still full"),
        }
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

/// A commit of its own that changes nothing but a number in the header of the file.
pub(super) fn settle(conn: &Conn) -> Result<(), rusqlite::Error> {
    let raw = conn.raw();
    let version: i32 = raw.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    conn.control("BEGIN IMMEDIATE")?;
    let set = raw.execute_batch(&format!("PRAGMA user_version={}", version.wrapping_add(1)));
    let settled = set.and_then(|()| conn.control("COMMIT"));
    if settled.is_err() && !conn.is_autocommit() {
        conn.control("ROLLBACK")?;
    }
    settled
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
