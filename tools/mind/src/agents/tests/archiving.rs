//! Runs leave with their instance.

use flowmaster_store::archive::Keeper as _;

use super::*;

#[tokio::test]
async fn runs_go_to_the_archive_with_their_steps() {
    let room = Room::new().await;
    room.agent(json!({})).await;
    room.job("job_1", json!({ "text": "2 and 3" })).await;
    let claimed = room.answer("work_claim", json!({})).await;
    let work = &claimed["work"][0];
    let gather = async || {
        let mut session = room.desk.db.read(&room.ctx).await.unwrap();
        RunKeeper.belongings(&mut session, "ins_1").await.unwrap()
    };
    let early = gather().await;
    assert_eq!(early.record[0]["steps"].as_array().unwrap().len(), 1);
    let output = json!({ "id": work["id"], "epoch": work["epoch"], "output": { "total": 5 } });
    room.answer("work_submit", output).await;
    let refused = room.desk.db.submit(&room.ctx, early.removal).await.unwrap_err();
    assert_eq!(refused.code(), "run_changed", "it went on meanwhile");

    let found = gather().await;
    let run: Run = serde_json::from_value(found.record[0].clone()).unwrap();
    assert_eq!(run, room.run().await);
    room.desk.db.submit(&room.ctx, found.removal).await.unwrap();
    assert_eq!(room.answer("run_search", json!({})).await["items"], json!([]));
    assert!(gather().await.record.is_null() && gather().await.removal.is_empty());
}
