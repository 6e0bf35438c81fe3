//! Scenarios on files, as users have them.

use super::*;

fn loader(path: &str) -> Result<Vec<u8>, Error> {
    let text = match path {
        "order.bpmn" => include_str!("files/order.bpmn"),
        "discount.dmn" => include_str!("files/discount.dmn"),
        "conditions.bpmn" => include_str!("files/conditions.bpmn"),
        "checks.bpmn" => include_str!("files/checks.bpmn"),
        "library.bpmn" => include_str!("files/library.bpmn"),
        "links.bpmn" => include_str!("files/links.bpmn"),
        "delivery.json" => include_str!("files/delivery.json"),
        "broken.bpmn" => "<definitions/>",
        "broken.json" => "{ \"id\": 1 }",
        other => return Err(Error::not_found("file", other)),
    };
    Ok(text.as_bytes().to_vec())
}

fn failure(text: &str) -> Option<Difference> {
    run(&Scenario::parse(text).unwrap(), loader).cases.remove(0).failure
}

#[test]
fn bpmn_dmn_and_compact_models_run_together() {
    let head = "name: order\nmodels: [order.bpmn, discount.dmn, delivery.json]\n\
                start: { variables: { order: 7, sum: 200 } }\n";
    let happy = "
steps:
  - expect: { waiting: [charge], variables: { discount: 10 }, absent: [amount] }
  - complete: { node: charge, variables: { receipt: R, noise: 1 } }
  - message: { name: paid, correlation: 7, variables: { payer: me } }
  - expect: { waiting: [pack], called: { delivery: { state: active, variables: { payer: me } } } }
  - complete: { node: delivery/pack, variables: { packed: true } }
expect:
  state: completed
  path: [start, discount, charge, wait, deliver, done]
  variables: { receipt: R, payer: me }
  absent: [noise, packed]
  called: { delivery: { state: completed, variables: { packed: true } } }";
    assert_eq!(failure(&format!("{head}{happy}")), None);
    let declined = "
mocks: { charge: { error: { code: DECLINED } } }
expect: { state: completed, ended_at: [refused] }";
    assert_eq!(failure(&format!("{head}{declined}")), None);
}

#[test]
fn a_file_that_is_no_model_is_named() {
    for path in ["gone.bpmn", "broken.bpmn", "broken.json"] {
        let failure = failure(&format!("name: x\nmodels: [{path}]")).unwrap();
        assert!(failure.actual.contains(path), "{failure}");
    }
    let twice = failure("name: x\nmodels: [order.bpmn, order.bpmn]").unwrap();
    assert!(twice.actual.contains("order"), "{twice}");
    let missing = "name: x\nmodels: [order.bpmn]\nstart: { variables: { sum: 1 } }\n\
                   expect: { incidents: [ { node: discount, kind: decision_failed } ] }";
    assert_eq!(failure(missing), None);
}

/// Scenario files on models as modelers write them.
#[test]
fn files_of_modelers_run() {
    for scenario in [
        include_str!("files/links.yaml"),
        include_str!("files/links-direct.yaml"),
        include_str!("files/conditions.yaml"),
        include_str!("files/checks.yaml"),
    ] {
        assert_eq!(failure(scenario), None, "{scenario}");
    }
}

#[test]
fn the_processes_of_a_collaboration_talk_by_their_message_flows() {
    let text = "
name: lend
models: [library.bpmn]
start: { process: reader, business_key: R-1, variables: { title: Emma } }
steps:
  - expect: { waiting: [wait] }
  - message: { name: Answer, correlation: R-2, variables: { lent: false } }
  - expect: { waiting: [wait] }
  - complete: { node: library/look, variables: { there: true } }
expect: { state: completed, path: [begin, ask, wait, read], variables: { lent: true } }";
    assert_eq!(failure(text), None);
}
