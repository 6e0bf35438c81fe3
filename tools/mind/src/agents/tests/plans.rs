//! Runs are found by an index, however many a tenant has.

use flowmaster_store::params;

use super::*;
use crate::agents::store::runs::{SEARCH, SEARCH_AGENT, SEARCH_INSTANCE};

#[tokio::test]
async fn a_page_of_runs_is_found_by_the_index_of_what_is_asked_for() {
    let room = Room::new().await;
    let mut session = room.desk.db.read(&room.ctx).await.unwrap();
    for (sql, way) in [
        (SEARCH_INSTANCE, "agents_run_instance (tenant_id=? AND instance=? AND id<?)"),
        (SEARCH_AGENT, "agents_run_agent (tenant_id=? AND agent=? AND id<?)"),
        (SEARCH, "(tenant_id=? AND id<?)"),
    ] {
        let values = params!["run_z", "ins_1", "one", "open", 21_usize];
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let plan = session.query_dynamic(&explain, &values).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.text(3).unwrap()).collect();
        assert!(plan[0].contains(way), "{plan:?}");
        assert_eq!(plan.len(), 1, "nothing is sorted: {plan:?}");
    }
}
