//! Processes put together at random from what a process can wait for.

use serde_json::{Value, json};

use crate::proof::Dice;

/// How many there are.
pub(super) const MODELS: usize = 24;
/// What every one of them may call.
pub(super) const CHILD: &str = "child";

/// The parts that lead from one element to another.
const PARTS: [&str; 15] = [
    "job", "job", "late", "reminded", "person", "script", "timer", "message", "call", "agent",
    "parallel", "choice", "each", "inside", "race",
];

/// What the one agent is asked.
pub(super) const PROMPT: &str = "---
id: simulated/guess
description: Guesses a number.
output:
  schema:
    type: object
    required: ['n']
    properties: { 'n': { type: integer } }
---
## user
Guess.
";

/// The agent whose work clients do.
pub(super) fn agent() -> Value {
    json!({ "id": "guesser", "prompt": "simulated/guess" })
}

/// The process with this number: always the same.
pub(super) fn model(number: usize) -> Value {
    let mut maker = Maker { dice: Dice::of(0x0F10, number as u64), elements: Vec::new(), made: 0 };
    let parts = 2 + maker.dice.under(3);
    let (first, last) = maker.sequence(parts, 2);
    maker.elements.push(json!({ "id": "start", "type": "startEvent", "next": first }));
    maker.leads(&last, "end");
    maker.elements.push(json!({ "id": "end", "type": "endEvent" }));
    json!({ "id": name(number), "elements": maker.elements })
}

pub(super) fn name(number: usize) -> String {
    format!("model-{number}")
}

/// A process that others call: a pause, then a job.
pub(super) fn child() -> Value {
    json!({ "id": CHILD, "elements": [
        { "id": "start", "type": "startEvent", "next": "pause" },
        { "id": "pause", "type": "intermediateCatchEvent", "event": { "duration": "PT5M" }, "next": "work" },
        { "id": "work", "type": "serviceTask", "job": "work", "next": "end" },
        { "id": "end", "type": "endEvent" }
    ] })
}

struct Maker {
    dice: Dice,
    elements: Vec<Value>,
    made: usize,
}

impl Maker {
    fn id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}-{}", self.made)
    }

    /// Adds an element that leads to the one that is told later; gives its id.
    fn add(&mut self, kind: &str, mut element: Value) -> String {
        let id = self.id(kind);
        element["id"] = json!(id);
        self.elements.push(element);
        id
    }

    fn leads(&mut self, from: &str, to: &str) {
        let element = self.elements.iter_mut().find(|it| it["id"] == from).unwrap();
        element["next"] = json!(to);
    }

    /// So many parts, one behind the other: the first and the last element.
    fn sequence(&mut self, parts: usize, depth: usize) -> (String, String) {
        let (first, mut last) = self.part(depth);
        for _ in 1..parts {
            let (next, end) = self.part(depth);
            self.leads(&last, &next);
            last = end;
        }
        (first, last)
    }

    fn part(&mut self, depth: usize) -> (String, String) {
        let kinds = if depth == 0 { 10 } else { PARTS.len() };
        let kind = PARTS[self.dice.under(kinds)];
        match kind {
            "parallel" | "choice" => self.branches(kind, depth),
            "inside" => self.inside(depth),
            "race" => self.race(),
            "late" | "reminded" => self.watched(kind),
            _ => {
                let id = self.one(kind);
                (id.clone(), id)
            }
        }
    }

    fn one(&mut self, kind: &str) -> String {
        let minutes = 1 + self.dice.under(90);
        let element = match kind {
            "job" => json!({ "type": "serviceTask", "job": "work" }),
            "person" => json!({ "type": "userTask" }),
            "agent" => json!({ "type": "agentTask", "agent": "guesser" }),
            "script" => json!({ "type": "scriptTask", "script": "n + 1", "result": "n" }),
            "timer" => json!({ "type": "intermediateCatchEvent",
                "event": { "duration": format!("PT{minutes}M") } }),
            "message" => json!({ "type": "intermediateCatchEvent",
                "event": { "message": { "name": "note", "correlation": "key" } } }),
            "call" => json!({ "type": "callActivity", "process": CHILD }),
            "each" => json!({ "type": "serviceTask", "job": "work",
                "forEach": { "collection": "items", "item": "item", "sequential": minutes.is_multiple_of(2) } }),
            other => panic!("{other}"),
        };
        self.add(kind, element)
    }

    fn branches(&mut self, kind: &str, depth: usize) -> (String, String) {
        let gateway = if kind == "parallel" { "parallelGateway" } else { "exclusiveGateway" };
        let fork = self.add("fork", json!({ "type": gateway }));
        let join = self.add("join", json!({ "type": gateway }));
        let mut ways = Vec::new();
        for _ in 0..2 {
            let (first, last) = self.sequence(1, depth - 1);
            self.leads(&last, &join);
            ways.push(first);
        }
        let next = match kind {
            "parallel" => json!(ways),
            _ => json!([{ "to": ways[0], "when": "n > 1" }, { "to": ways[1], "default": true }]),
        };
        let fork_element = self.elements.iter_mut().find(|it| it["id"] == *fork).unwrap();
        fork_element["next"] = next;
        (fork, join)
    }

    /// A sub-process around parts.
    fn inside(&mut self, depth: usize) -> (String, String) {
        let outside = std::mem::take(&mut self.elements);
        let (first, last) = self.sequence(2, depth - 1);
        let start = self.add("start", json!({ "type": "startEvent", "next": first }));
        let end = self.add("end", json!({ "type": "endEvent" }));
        assert_ne!(start, end);
        self.leads(&last, &end);
        let elements = std::mem::replace(&mut self.elements, outside);
        let id = self.add("sub", json!({ "type": "subProcess", "elements": elements }));
        (id.clone(), id)
    }

    /// A message or a timer, whichever is first.
    fn race(&mut self) -> (String, String) {
        let ways = [self.one("message"), self.one("timer")];
        let first = self.add("race", json!({ "type": "eventBasedGateway", "next": ways }));
        let merge = self.add("merge", json!({ "type": "exclusiveGateway" }));
        for way in &ways {
            self.leads(way, &merge);
        }
        (first, merge)
    }

    /// A job with a timer that takes it away, or that reminds.
    fn watched(&mut self, kind: &str) -> (String, String) {
        let job = self.one("job");
        let merge = self.add("merge", json!({ "type": "exclusiveGateway" }));
        let interrupting = kind == "late";
        let boundary = self.add(
            "boundary",
            json!({ "type": "boundaryEvent", "attachedTo": job,
            "interrupting": interrupting, "event": { "duration": "PT40M" } }),
        );
        self.leads(&job, &merge);
        if interrupting {
            self.leads(&boundary, &merge);
        } else {
            let told = self.add("told", json!({ "type": "endEvent" }));
            self.leads(&boundary, &told);
        }
        (job, merge)
    }
}
