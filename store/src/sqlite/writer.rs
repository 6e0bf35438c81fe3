//! The async front of the one writer: requests go into its queue in order of arrival.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use flowmaster_kernel::{Result, Timestamp};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::baton::{Baton, Seat, Shared};
use super::conn::Conn;
use super::coordinator::{Coordinator, Limits};
use super::guard::{FolderLock, Reserve};
use super::readers::Readers;
use crate::config::OpenError;
use crate::status::{Health, Monitor};
use crate::write_set::Urgency;
use crate::{DbConfig, WriteSet, error};

/// What the coordinator is asked to do.
pub(super) enum Request {
    Begin(Begin),
    Submit(Submission),
    /// Work on the connection outside any group: migrations.
    Alone(Box<dyn FnOnce(&Conn) + Send>),
    Stop(oneshot::Sender<()>),
}

pub(super) struct Begin {
    pub(super) deadline: Option<Timestamp>,
    pub(super) grant: oneshot::Sender<Result<Baton>>,
}

pub(super) struct Submission {
    pub(super) tenant: Arc<str>,
    pub(super) writes: WriteSet,
    pub(super) deadline: Option<Timestamp>,
    pub(super) done: oneshot::Sender<Result<()>>,
    /// Whether it ran before in a group that was lost.
    pub(super) ran_before: bool,
}

pub(super) struct Writer {
    queue: mpsc::Sender<Request>,
    waiting: Arc<AtomicUsize>,
    queue_limit: usize,
    monitor: Arc<Monitor>,
    thread: Option<JoinHandle<()>>,
}

/// What the coordinator works with.
pub(super) struct Parts {
    pub(super) conn: Conn,
    pub(super) lock: FolderLock,
    pub(super) reserve: Arc<Reserve>,
    pub(super) readers: Arc<Readers>,
    pub(super) monitor: Arc<Monitor>,
    pub(super) clock: Arc<dyn flowmaster_kernel::Clock>,
}

impl Writer {
    pub(super) fn start(parts: Parts, config: &DbConfig) -> Result<Self, OpenError> {
        let (queue, requests) = mpsc::channel();
        let (returns, returned) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let monitor = Arc::clone(&parts.monitor);
        let seat = Seat { conn: parts.conn, turn: 0, ran_full: false };
        let coordinator = Coordinator {
            shared: Arc::new(Shared { seat: Mutex::new(seat), returns }),
            requests,
            returned,
            waiting: Arc::clone(&waiting),
            again: std::collections::VecDeque::new(),
            held_back: None,
            last_group: 0,
            cautious: 0,
            unsettled: false,
            looked_for_space: Instant::now(),
            limits: Limits::of(config),
            reserve: parts.reserve,
            readers: parts.readers,
            monitor: parts.monitor,
            clock: parts.clock,
            _lock: parts.lock,
        };
        let thread = std::thread::Builder::new()
            .name("flowmaster-writer".to_owned())
            .spawn(move || coordinator.run())
            .map_err(OpenError::Thread)?;
        let queue_limit = config.queue_limit;
        Ok(Self { queue, waiting, queue_limit, monitor, thread: Some(thread) })
    }

    pub(super) async fn begin(
        &self,
        deadline: Option<Timestamp>,
        urgency: Urgency,
    ) -> Result<Baton> {
        self.admit(urgency)?;
        let (grant, granted) = oneshot::channel();
        self.send(Request::Begin(Begin { deadline, grant }))?;
        granted.await.unwrap_or_else(|_| Err(self.gone()))
    }

    pub(super) async fn submit(
        &self,
        tenant: Arc<str>,
        writes: WriteSet,
        deadline: Option<Timestamp>,
    ) -> Result<()> {
        self.admit(writes.urgency)?;
        writes.check_size()?;
        let (done, answer) = oneshot::channel();
        let ran_before = false;
        self.send(Request::Submit(Submission { tenant, writes, deadline, done, ran_before }))?;
        // The coordinator answers everything it took; without an answer it died on the way.
        answer.await.unwrap_or_else(|_| Err(error::outcome_unknown()))
    }

    /// Runs `work` on the writer's connection while no group is open.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Conn) -> T + Send + 'static,
    ) -> Result<T> {
        let (done, answer) = oneshot::channel();
        self.send(Request::Alone(Box::new(move |conn| {
            // Nobody waits any more: the work is done all the same.
            let _ = done.send(work(conn));
        })))?;
        answer.await.map_err(|_| self.gone())
    }

    /// Lets the queue run empty, then ends the thread and gives the folder back.
    pub(super) async fn close(&self) {
        let (done, stopped) = oneshot::channel();
        if self.send(Request::Stop(done)).is_ok() {
            // An error says that the thread has ended already, which is what is wanted.
            let _ = stopped.await;
        }
    }

    fn admit(&self, urgency: Urgency) -> Result<()> {
        match (self.monitor.health(), urgency) {
            (Health::StorageLow, Urgency::New) => Err(error::storage_full()),
            (Health::Poisoned | Health::Closed, _) => Err(self.gone()),
            (Health::Ready | Health::StorageLow | Health::Unreachable, _) => Ok(()),
        }
    }

    fn send(&self, request: Request) -> Result<()> {
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= self.queue_limit {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
            return Err(error::overloaded());
        }
        self.queue.send(request).map_err(|_| self.gone())
    }

    fn gone(&self) -> flowmaster_kernel::Error {
        match self.monitor.health() {
            Health::Poisoned => error::poisoned(),
            _ => error::closed(),
        }
    }
}

impl Drop for Writer {
    /// Waits for the thread, so that the folder can be opened again when this returns.
    fn drop(&mut self) {
        let (queue, _) = mpsc::channel();
        drop(std::mem::replace(&mut self.queue, queue));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread ended by a panic");
        }
    }
}
