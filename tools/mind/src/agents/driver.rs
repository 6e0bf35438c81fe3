//! Agent work by this server: claims jobs of agents with the runner `server`, drives the turn
//! machine with a configured model, and hands the answer in. Run on every node; leases keep two
//! nodes from doing the same.
//!
//! What is recorded is fed to the machine again instead of being done again, so a run goes on
//! where a dead process left it. A call of a model that began and has no reply counts as used and
//! is repeated. A tool call that began and has no result is repeated if it only reads; otherwise
//! its outcome is unknown and a person decides.

mod drive;
mod left;
mod recorded;

use std::sync::Arc;
use std::time::Duration;

use flowmaster_kernel::{Clock, Ctx, IdSource, Result, TenantId};
use flowmaster_store::{STALE_LEASE, jobs};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::opening::{Claimant, KIND, Opening};
use super::service::Agents;
use super::types::Agent;
use super::{rules, store};
use drive::Drive;

/// How fast a driver works.
#[derive(Clone, Debug)]
pub struct Pace {
    /// How many runs at once.
    pub concurrency: usize,
    /// For how long a job is claimed; prolonged while it is worked on.
    pub lease: Duration,
    /// How long to wait before looking for work when nothing calls.
    pub idle: Duration,
    /// How long runs may go on after the driver was told to stop.
    pub grace: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            concurrency: 4,
            lease: Duration::from_secs(60),
            idle: Duration::from_secs(2),
            grace: Duration::from_secs(10),
        }
    }
}

/// Does agent work with the models of this server.
pub struct Driver {
    agents: Arc<Agents>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    owner: String,
    pace: Pace,
}

impl Driver {
    /// A driver for `agents`; `owner` names this process in leases.
    #[must_use]
    pub fn new(
        agents: Arc<Agents>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        owner: impl Into<String>,
        pace: Pace,
    ) -> Self {
        Self { agents, clock, ids, owner: owner.into(), pace }
    }

    /// Runs until `stop` says so; then runs under way get a while to end. What does not end is left
    /// as recorded, and its lease runs out. Without a model there is nothing to do.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        if self.agents.routes.is_empty() {
            return;
        }
        let driver = Arc::new(self);
        let mut commits = driver.agents.db.commits();
        let mut runs = JoinSet::new();
        let mut looks = tokio::time::interval(driver.pace.idle.max(Duration::from_millis(10)));
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !*stop.borrow() {
            driver.start_runs(&mut runs).await;
            tokio::select! {
                changed = stop.changed() => if changed.is_err() { break },
                _ = commits.changed() => {}
                _ = runs.join_next(), if !runs.is_empty() => {}
                _ = looks.tick() => {
                    if let Err(error) = driver.settle_left().await {
                        tracing::warn!(%error, "runs that were left could not be looked at");
                    }
                }
            }
        }
        let drained = async { while runs.join_next().await.is_some() {} };
        if tokio::time::timeout(driver.pace.grace, drained).await.is_err() {
            tracing::info!("agent runs are left to be resumed");
        }
    }

    async fn start_runs(self: &Arc<Self>, runs: &mut JoinSet<()>) {
        while runs.len() < self.pace.concurrency {
            match self.claim().await {
                Ok(Some((agent, job))) => {
                    let driver = Arc::clone(self);
                    runs.spawn(async move { driver.work_and_log(&agent, &job).await });
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "the agent driver could not look for work");
                    return;
                }
            }
        }
    }

    async fn work_and_log(&self, agent: &Agent, job: &jobs::Job) {
        match self.work(agent, job).await {
            Ok(()) => {}
            Err(error) if error.code() == STALE_LEASE => {
                tracing::info!(job = job.id, "agent work was taken over or taken back");
                let ctx = self.ctx(&job.tenant);
                if let Err(error) = self.agents.note_taken_back(&ctx, &job.id).await {
                    tracing::warn!(%error, job = job.id, "the end of a run could not be noted");
                }
            }
            // The lease ends, and the run is resumed.
            Err(error) => tracing::warn!(%error, job = job.id, "agent work was interrupted"),
        }
    }

    /// Does one piece of work to its end, if there is one; says whether there was.
    ///
    /// # Errors
    /// What interrupted the work; it is resumed when its lease has run out.
    pub async fn work_once(&self) -> Result<bool> {
        let Some((agent, job)) = self.claim().await? else { return Ok(false) };
        self.work(&agent, &job).await?;
        Ok(true)
    }

    async fn claim(&self) -> Result<Option<(Agent, jobs::Job)>> {
        let served = {
            let mut system = self.agents.db.read_system().await?;
            store::served(&mut system).await?
        };
        let queues: Vec<jobs::Queue<'_>> =
            served.iter().map(|(tenant, agent)| (tenant, agent.definition.id.as_str())).collect();
        let (owner, lease) = (&self.owner, self.pace.lease);
        let claim = jobs::Claim { kind: KIND, owner, lease, limit: 1 };
        let claimed = jobs::claim(&self.agents.db, &queues, &claim).await?.pop();
        let Some(job) = claimed else { return Ok(None) };
        let asked = served
            .into_iter()
            .find(|(tenant, agent)| *tenant == job.tenant && agent.definition.id == job.job_type);
        Ok(asked.map(|(_, agent)| (agent, job)))
    }

    async fn work(&self, agent: &Agent, job: &jobs::Job) -> Result<()> {
        let ctx = self.ctx(&job.tenant);
        let claimant = Claimant { client: self.owner.clone(), principal: None };
        match self.agents.open(&ctx, job, claimant).await? {
            Opening::GivenUp => Ok(()),
            Opening::Impossible(error) => {
                let actor = rules::acting(&ctx, &agent.definition);
                self.agents.refuse(&actor, job, &error).await
            }
            Opening::Ready(mut opened) => {
                let writes = opened.claimed(&ctx)?;
                self.agents.db.submit(&ctx, writes).await?;
                let lease = self.pace.lease;
                Box::pin(Drive::new(&self.agents, ctx, *opened, lease).run_to_end()).await
            }
        }
    }

    /// FlowMaster's own context, in which the record is written; the agent acts in its own.
    fn ctx(&self, tenant: &TenantId) -> Ctx {
        let ctx = Ctx::system(tenant.clone(), &self.clock, &self.ids);
        Ctx { trace: format!("{:032x}", self.ids.entropy()).into(), ..ctx }
    }
}
