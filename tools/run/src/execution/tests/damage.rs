//! What was changed outside is told, wherever it is read.

use super::*;
use crate::execution::verify_instances;

#[tokio::test]
async fn a_state_or_a_journal_that_was_changed_outside_is_told() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = world.start("order", json!({ "amount": 21 })).await;
    assert_eq!(verify_instances(&world.db, &world.ctx).await.unwrap(), 1);
    for (change, reading, code) in [
        ("body = replace(body, '42', '43')", "instance_get", "instance_damaged"),
        ("body = substr(body, 2)", "instance_get", "instance_damaged"),
        ("started_at = started_at + 1", "instance_get", "instance_damaged"),
        ("process_version = process_version + 1", "instance_get", "instance_damaged"),
        ("state = 'completed'", "", "instance_damaged"),
        ("incidents = 1", "", "instance_damaged"),
        ("events = replace(events, '42', '43')", "instance_timeline", "journal_tampered"),
        ("seq = seq + 1", "instance_timeline", "journal_tampered"),
    ] {
        let table = if code == "journal_tampered" { "store_journal" } else { "execution_instance" };
        let column = change.split(" = ").next().unwrap();
        let find = format!("SELECT CAST({column} AS TEXT) FROM {table} WHERE tenant_id = $1");
        let before =
            world.db.read(&world.ctx).await.unwrap().query_dynamic(&find, &[]).await.unwrap();
        execute(&world, &format!("UPDATE {table} SET {change} WHERE tenant_id = $1")).await;
        let found = verify_instances(&world.db, &world.ctx).await.unwrap_err();
        assert_eq!(found.code(), code, "{change}");
        if !reading.is_empty() {
            let told = world.refusal(reading, json!({ "id": id })).await;
            assert_eq!(told.code(), code, "{change}");
        }
        let was = before[0].text(0).unwrap().replace('\'', "''");
        let back = format!("UPDATE {table} SET {column} = '{was}' WHERE tenant_id = $1");
        execute(&world, &back).await;
        assert_eq!(verify_instances(&world.db, &world.ctx).await.unwrap(), 1, "{change}");
    }
}

async fn execute(world: &World, statement: &str) {
    let mut tx = world.db.begin(&world.ctx).await.unwrap();
    assert_eq!(tx.execute_dynamic(statement, &[]).await.unwrap(), 1, "{statement}");
    tx.commit(()).await.unwrap();
}
