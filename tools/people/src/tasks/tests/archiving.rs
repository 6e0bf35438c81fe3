//! Tasks leave with their instance.

use super::*;

const FAR: &str = "2026-12-31T00:00:00Z";

#[tokio::test]
async fn tasks_go_to_the_archive_with_what_was_said_about_them() {
    let world = World::new().await;
    let (id, instance) = world.one_task(&clerks()).await;
    let (_, other) = world.one_task(&clerks()).await;
    world.answer(&world.ben, "task_claim", json!({ "id": id })).await;
    let comment = json!({ "id": id, "text": "looks good" });
    world.answer(&world.ben, "task_comment", comment).await;
    world.answer(&world.ben, "task_complete", json!({ "id": id })).await;
    world.settle().await;
    let archive = json!({ "ended_before": FAR });
    let done = world.answer(&world.ada, "instance_archive", archive).await;
    assert_eq!(done, json!({ "archived": [instance] }));
    let gone = world.refusal(&world.ben, "task_get", json!({ "id": id })).await;
    assert_eq!(gone.code(), "task_not_found");
    let all = json!({ "filter": "all", "limit": 50 });
    let left = world.answer(&world.ada, "task_list", all).await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1, "only that of {other}");
    let record = world.answer(&world.ada, "archive_get", json!({ "id": instance })).await;
    let task = &record["belongings"]["tasks"][0];
    assert_eq!((&task["id"], &task["closed_by"]), (&json!(id), &json!("ben")));
    assert_eq!(task["comments"][0]["text"], "looks good");
    assert_eq!(task["comments"][0]["author"], "ben");
}

#[tokio::test]
async fn a_task_that_is_not_closed_yet_keeps_its_instance() {
    let world = World::new().await;
    let (id, instance) = world.one_task(&clerks()).await;
    let cancel = json!({ "id": instance, "action": "cancel" });
    world.answer(&world.ada, "instance_control", cancel).await;
    let archive = json!({ "ended_before": FAR });
    let kept = world.answer(&world.ada, "instance_archive", archive.clone()).await;
    assert_eq!(kept["kept"][0]["code"], "instance_needed", "the task is to be told");
    world.settle().await;
    let done = world.answer(&world.ada, "instance_archive", archive).await;
    assert_eq!(done["archived"], json!([instance]));
    let record = world.answer(&world.ada, "archive_get", json!({ "id": instance })).await;
    let task = &record["belongings"]["tasks"][0];
    assert_eq!((&task["id"], &task["state"]), (&json!(id), &json!("obsolete")));
}
