//! Statements that run all the time find their rows by an index and need no sorting.

use super::{Bed, on_writer};
use crate::dialect::Dialect;
use crate::jobs::{self, CLAIM_OF_ONE, CLAIM_OF_SEVERAL};
use crate::{outbox, timers};

async fn plan(statement: &'static str) -> Vec<String> {
    let bed = Bed::sqlite().await;
    on_writer(&bed, move |conn| {
        let sql = format!("EXPLAIN QUERY PLAN {}", Dialect::Sqlite.translate(statement));
        let mut explained = conn.raw().prepare(&sql).unwrap();
        let values: Vec<Option<i64>> = vec![None; explained.parameter_count()];
        let lines = explained.query_map(rusqlite::params_from_iter(values), |row| row.get(3));
        lines.unwrap().collect::<Result<_, _>>().unwrap()
    })
    .await
}

#[tokio::test]
async fn a_claim_walks_the_queue_in_its_order() {
    for (statement, index) in [
        (CLAIM_OF_ONE, "INDEX store_jobs_queue (kind=? AND tenant_id=? AND job_type=?)"),
        (CLAIM_OF_SEVERAL, "INDEX store_jobs_queues (kind=?)"),
    ] {
        let plan = plan(statement).await;
        assert!(plan.iter().any(|line| line.ends_with(index)), "{plan:#?}");
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
    }
}

#[tokio::test]
async fn timers_of_one_moment_are_claimed_in_the_order_of_their_index() {
    let plan = plan(timers::CLAIM).await;
    assert!(
        plan.iter().any(|line| line.ends_with("INDEX store_timers_due (due_at<?)")),
        "{plan:#?}"
    );
    assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
}

#[tokio::test]
async fn a_message_looks_for_earlier_ones_of_its_key_alone() {
    let plan = plan(outbox::CLAIM).await;
    let earlier: Vec<&String> = plan.iter().filter(|line| line.contains("earlier")).collect();
    assert!(!earlier.is_empty(), "{plan:#?}");
    for line in earlier {
        assert!(line.contains("store_outbox_key (tenant_id=? AND message_key=?"), "{plan:#?}");
    }
    assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:#?}");
}

#[tokio::test]
async fn what_belongs_to_an_instance_is_found_by_it() {
    for (statement, index) in [
        (jobs::OF_INSTANCE, "INDEX store_jobs_instance (tenant_id=? AND instance=?)"),
        (jobs::CANCEL_INSTANCE, "INDEX store_jobs_instance (tenant_id=? AND instance=?)"),
        (jobs::PAUSE_INSTANCE, "INDEX store_jobs_instance (tenant_id=? AND instance=?)"),
        (jobs::RESUME_INSTANCE, "INDEX store_jobs_instance (tenant_id=? AND instance=?)"),
        (timers::CANCEL_INSTANCE, "INDEX store_timers_instance (tenant_id=? AND instance=?)"),
    ] {
        let plan = plan(statement).await;
        assert!(plan.iter().any(|line| line.ends_with(index)), "{plan:#?}");
    }
}
