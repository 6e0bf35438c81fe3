//! Processes that begin without a start event.

use super::*;

fn message(name: &str) -> Value {
    json!({ "event": { "message": { "name": name, "correlation": "order" } } })
}

/// Begins by the order or by its payment, and waits for the other one.
fn both() -> Value {
    json!([
        {
            "id": "either", "type": "eventBasedGateway", "instantiate": true, "parallel": true,
            "next": ["ordered", "paid"]
        },
        element("ordered", "intermediateCatchEvent", "join", message("order")),
        element("paid", "receiveTask", "join", message("payment")),
        element("join", "parallelGateway", "done", json!({})),
        end("done"),
    ])
}

fn mail(name: &str, order: &str) -> Value {
    json!({ "name": name, "correlation": order, "variables": { "order": order } })
}

#[tokio::test]
async fn the_second_message_finds_the_instance_that_the_first_one_began() {
    let world = World::new().await;
    world.publish("order", both()).await;
    let mut begun = Vec::new();
    for (name, order) in [("payment", "1"), ("order", "2")] {
        let answer = world.answer("message_publish", mail(name, order)).await;
        begun.push(answer["started"][0].as_str().unwrap().to_owned());
    }
    for (name, order, at) in [("payment", "2", 1), ("order", "1", 0)] {
        let answer = world.answer("message_publish", mail(name, order)).await;
        assert_eq!(answer["correlated"], json!([begun[at]]), "{name} of {order}");
        assert_eq!(answer["started"], json!([]));
    }
    for id in &begun {
        assert_eq!(world.state(id).await, "completed");
        assert_eq!(
            world.variable(id, "order").await,
            json!(if *id == begun[0] { "1" } else { "2" })
        );
    }
    assert_eq!(world.check_journals().await, 2);
}

#[tokio::test]
async fn a_receive_task_and_each_definition_of_an_event_begin_a_process() {
    let world = World::new().await;
    let received = json!([
        {
            "id": "come", "type": "receiveTask", "instantiate": true, "next": "done",
            "event": { "message": { "name": "hello" } }
        },
        end("done"),
    ]);
    world.publish("greeting", received).await;
    let several = json!([
        {
            "id": "any", "type": "startEvent", "next": "done",
            "events": [{ "message": { "name": "knock" } }, { "signal": "bell" }, { "duration": "PT1H" }]
        },
        end("done"),
    ]);
    world.publish("door", several).await;
    for name in ["hello", "knock"] {
        let answer = world.answer("message_publish", json!({ "name": name })).await;
        assert_eq!(answer["started"].as_array().unwrap().len(), 1, "{name}");
    }
    world.answer("signal_broadcast", json!({ "name": "bell" })).await;
    world.after(60).await;
    assert_eq!(world.check_journals().await, 4);
}
