//! Ad-hoc sub-processes that a worker performs: asked, answering, asked again, done.

use serde_json::{Value, json};

use super::bed::Bed;
use super::*;
use crate::command::Activation;
use crate::scope::VariableMap;

const TOOLS: &str = "
    start s
    adhoc desk by clerk
    in desk job look
    in desk user ask
    in desk user then
    user after
    end e
    s -> desk -> after -> e
    ask -> then
";

fn activation(element: &str, variables: Value) -> Activation {
    let Value::Object(variables) = variables else { panic!("not an object") };
    Activation { element: element.into(), variables: variables.into() }
}

impl Bed {
    /// The open work of whoever performs `desk`.
    fn asked(&self) -> Option<Key> {
        let mut waits = self.instance.waits();
        let asked = waits.find(|(_, wait)| &*wait.element == "desk" && wait.kind.is_work());
        asked.map(|(key, _)| key)
    }

    fn perform(&mut self, activate: Vec<Activation>) {
        let key = self.asked().unwrap();
        self.tell(Command::Perform { key, activate, variables: VariableMap::new() }).unwrap();
    }

    fn answer(&mut self, element: &str, results: Value) {
        let Value::Object(results) = results else { panic!("not an object") };
        let key = self.waits(element)[0];
        self.tell(Command::CompleteWork { key, variables: results.into() }).unwrap();
    }

    fn results(&self) -> Value {
        let (key, _) = self.instance.elements().find(|(_, it)| &*it.element == "desk").unwrap();
        self.instance.element(key).unwrap().variables.get("toolResults").cloned().unwrap()
    }
}

#[test]
fn the_performer_is_asked_again_when_all_that_it_activated_is_over() {
    let mut bed = Bed::start(TOOLS, json!({}));
    assert!(bed.asked().is_some());
    bed.perform(vec![
        activation("look", json!({ "toolCall": "1", "where": "a" })),
        activation("look", json!({ "toolCall": "2", "where": "b" })),
    ]);
    assert_eq!(bed.asked(), None);
    bed.answer("look", json!({ "found": 7 }));
    assert_eq!(bed.asked(), None, "one of the two still runs");
    bed.answer("look", json!({ "found": 8 }));
    assert_eq!(
        bed.results(),
        json!([
            { "tool": "look", "call": "1", "result": { "found": 7 } },
            { "tool": "look", "call": "2", "result": { "found": 8 } }
        ])
    );
    bed.perform(vec![activation("ask", json!({}))]);
    assert_eq!(bed.results(), json!([]), "it is told what is new");
    bed.complete("ask");
    assert_eq!(bed.asked(), None, "the path goes on");
    bed.complete("then");
    assert_eq!(bed.results(), json!([{ "tool": "then", "call": null, "result": {} }]));
    let key = bed.asked().unwrap();
    let done = VariableMap::one("verdict", json!("yes"));
    bed.tell(Command::CompleteWork { key, variables: done }).unwrap();
    assert_eq!(bed.shows(), "after");
    assert_eq!(bed.instance.variables().get("verdict"), Some(&json!("yes")));
}

#[test]
fn it_is_told_results_whatever_the_model_collects() {
    let model = TOOLS.replace("by clerk", "by clerk into seen from found");
    let mut bed = Bed::start(&model, json!({}));
    bed.perform(vec![activation("look", json!({ "toolCall": "1" }))]);
    bed.answer("look", json!({ "found": 7 }));
    let result = json!({ "tool": "look", "call": "1", "result": { "found": 7 } });
    assert_eq!(bed.results(), json!([result]));
    let key = bed.asked().unwrap();
    bed.tell(Command::CompleteWork { key, variables: VariableMap::new() }).unwrap();
    assert_eq!(bed.instance.variables().get("seen"), Some(&json!([7])));
}

#[test]
fn what_it_did_not_wait_for_ends_with_it() {
    let mut bed = Bed::start(TOOLS, json!({}));
    let (open, _) = bed.instance.waits().find(|(_, wait)| !wait.kind.is_work()).unwrap();
    let elements = vec!["ask".into()];
    let variables = VariableMap::new();
    bed.tell(Command::SelectActivities { key: open, elements, variables }).unwrap();
    let key = bed.asked().expect("somebody else began something, and it is still asked");
    bed.tell(Command::CompleteWork { key, variables: VariableMap::new() }).unwrap();
    assert_eq!(bed.shows(), "after");
}

#[test]
fn a_completion_condition_ends_it_without_asking() {
    let model = TOOLS.replace("by clerk", "by clerk until enough");
    let mut bed = Bed::start(&model, json!({ "enough": false }));
    bed.perform(vec![activation("look", json!({}))]);
    bed.answer("look", json!({ "enough": true }));
    assert_eq!(bed.shows(), "after");
}

#[test]
fn what_cannot_begin_is_refused_and_it_is_still_asked() {
    let mut bed = Bed::start(TOOLS, json!({}));
    let key = bed.asked().unwrap();
    let variables = VariableMap::new;
    for activate in
        [vec![], vec![activation("then", json!({}))], vec![activation("after", json!({}))]]
    {
        let refused = bed.tell(Command::Perform { key, activate, variables: variables() });
        assert!(matches!(refused, Err(Rejected::NotSelectable(_))), "{refused:?}");
    }
    bed.tell(Command::CompleteWork { key, variables: variables() }).unwrap();
    let key = bed.waits("after")[0];
    let activate = vec![activation("look", json!({}))];
    let refused = bed.tell(Command::Perform { key, activate, variables: variables() });
    assert!(matches!(refused, Err(Rejected::NotSelectable(_))), "{refused:?}");
}

#[test]
fn work_of_the_performer_that_failed_is_tried_again() {
    let mut bed = Bed::start(TOOLS, json!({}));
    let key = bed.asked().unwrap();
    let message = "no model".to_owned();
    bed.tell(Command::FailWork { key, message, retries: 0, back_off: None }).unwrap();
    let (incident, _) = bed.instance.incidents().next().unwrap();
    let variables = VariableMap::new();
    bed.tell(Command::ResolveIncident { key: incident, variables }).unwrap();
    assert_eq!(bed.asked(), Some(key));
    bed.perform(vec![activation("look", json!({}))]);
    assert_eq!(bed.shows(), "desk look");
}

#[test]
fn the_performer_is_told_what_can_be_activated_as_camunda_says_it() {
    let model = format!("{TOOLS}\ninput look url = fromAi(toolCall.url, \"the page\", \"string\")");
    let bed = Bed::start(&model, json!({}));
    let (_, desk) = bed.instance.elements().find(|(_, it)| &*it.element == "desk").unwrap();
    assert_eq!(
        desk.variables.get("adHocSubProcessElements"),
        Some(&json!([
            { "elementId": "look", "parameters": [
                { "name": "toolCall.url", "description": "the page", "type": "string" }] },
            { "elementId": "ask" },
        ]))
    );
}
