//! Pause, resume, cancel, retry.

use super::*;

#[tokio::test]
async fn a_paused_instance_waits_and_goes_on() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    let control = |action: &str| json!({ "id": id, "action": action, "reason": "holiday" });
    assert_eq!(world.answer("instance_control", control("pause")).await["state"], "paused");
    let refused = world.complete(&world.ctx, &id, "approve", json!({})).await.unwrap_err();
    assert_eq!(refused.code(), "instance_paused");
    assert_eq!(world.answer("instance_control", control("resume")).await["state"], "active");
    assert_eq!(
        world.refusal("instance_control", control("resume")).await.code(),
        "instance_not_paused"
    );
    assert_eq!(world.answer("instance_control", control("cancel")).await["state"], "cancelled");
    assert_eq!(world.refusal("instance_control", control("pause")).await.code(), "instance_state");
    let said = world.timeline(&id).await;
    for sentence in
        ["ada held the instance", "ada resumed the instance", "ada cancelled the instance: holiday"]
    {
        assert!(said.iter().any(|said| said == sentence), "{said:?}");
    }
    assert_eq!(world.check_journals().await, 1);
}

#[tokio::test]
async fn a_keyed_command_records_its_answer() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    let keyed = world.keyed("instance_control", "k1");
    let params = json!({ "id": id, "action": "cancel" });
    let answer = world.call(&keyed, "instance_control", params.clone()).await.unwrap();
    let again = world.call(&keyed, "instance_control", params).await.unwrap_err();
    assert_eq!(again.code(), "instance_state");
    assert_eq!(world.db.recorded_answer(&keyed).await.unwrap(), Some(answer));
}

#[tokio::test]
async fn a_retry_without_incident_is_refused() {
    let world = World::new().await;
    world.publish("order", approval()).await;
    let id = world.start("order", json!({ "amount": 1 })).await;
    let retry = json!({ "id": id, "action": "retry" });
    assert_eq!(world.refusal("instance_control", retry).await.code(), "invalid_arguments");
}
