//! A process as the token game plays it, and the compact JSON form that the engine reads.
//!
//! Variables are `v0` to `v2`, which are numbers; a condition asks whether one is greater than a
//! number, so that nothing has to be evaluated here.

use serde_json::{Map, Value, json};

/// A place in [`Model::nodes`].
pub(super) type Ix = usize;

#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) nodes: Vec<Node>,
    pub(super) flows: Vec<Flow>,
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) kind: Kind,
    /// The sub-process around it.
    pub(super) parent: Option<Ix>,
    pub(super) each: Option<Each>,
    /// A variable of its own, which begins as one more than another is.
    pub(super) own: Option<(u8, u8)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) from: Ix,
    pub(super) to: Ix,
    pub(super) when: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// The variable is greater than the number.
    Above(u8, i64),
    Otherwise,
}

/// A multi-instance marker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Each {
    pub(super) times: u32,
    pub(super) sequential: bool,
    /// It is enough when so many completed.
    pub(super) enough: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Start(Trigger, Interrupts),
    End(Thrown),
    Throw(Thrown),
    Catch(Trigger),
    Boundary {
        on: Ix,
        trigger: Trigger,
        interrupts: Interrupts,
    },
    Work,
    /// Undoes an activity.
    Undoes(Ix),
    Pass,
    Set(u8, i64),
    Exclusive,
    Parallel,
    Inclusive,
    Race,
    Sub,
    /// An event sub-process.
    Handler,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Interrupts {
    Yes,
    No,
}

/// What is waited for, or caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    None,
    /// So many times, which is once where it interrupts.
    Timer(u32),
    Message,
    Signal(u8),
    /// Any, or the one with the number.
    Error(Option<u8>),
    Escalation(Option<u8>),
    Undo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thrown {
    Nothing,
    Error(u8),
    Escalation(u8),
    Terminate,
    /// Undoes an activity, or all in the scope.
    Undo(Option<Ix>),
}

impl Trigger {
    /// Whether somebody outside brings it.
    pub(super) fn is_awaited(self) -> bool {
        matches!(self, Self::Timer(_) | Self::Message | Self::Signal(_))
    }
}

impl Model {
    pub(super) fn add(&mut self, parent: Option<Ix>, kind: Kind) -> Ix {
        let id = format!("{}{}", prefix(kind), self.nodes.len());
        self.nodes.push(Node { id, kind, parent, each: None, own: None });
        self.nodes.len() - 1
    }

    pub(super) fn connect(&mut self, from: Ix, to: Ix, when: When) {
        self.flows.push(Flow { from, to, when });
    }

    pub(super) fn leaving(&self, from: Ix) -> impl Iterator<Item = (usize, &Flow)> {
        self.flows.iter().enumerate().filter(move |(_, flow)| flow.from == from)
    }

    pub(super) fn entering(&self, to: Ix) -> impl Iterator<Item = (usize, &Flow)> {
        self.flows.iter().enumerate().filter(move |(_, flow)| flow.to == to)
    }

    pub(super) fn inside(&self, parent: Option<Ix>) -> impl Iterator<Item = Ix> {
        (0..self.nodes.len()).filter(move |ix| self.nodes[*ix].parent == parent)
    }

    pub(super) fn boundaries(&self, of: Ix) -> impl Iterator<Item = Ix> {
        let is_on =
            move |ix: &Ix| matches!(self.nodes[*ix].kind, Kind::Boundary { on, .. } if on == of);
        (0..self.nodes.len()).filter(is_on)
    }

    /// The start events of the event sub-processes directly inside `parent`.
    pub(super) fn handler_starts(&self, parent: Option<Ix>) -> impl Iterator<Item = Ix> {
        let handlers = self.inside(parent).filter(|ix| self.nodes[*ix].kind == Kind::Handler);
        handlers.flat_map(|ix| self.start(Some(ix)))
    }

    pub(super) fn start(&self, parent: Option<Ix>) -> Option<Ix> {
        self.inside(parent).find(|ix| matches!(self.nodes[*ix].kind, Kind::Start(..)))
    }

    /// The activity that undoes `of`.
    pub(super) fn undone_by(&self, of: Ix) -> Option<Ix> {
        (0..self.nodes.len()).find(|ix| self.nodes[*ix].kind == Kind::Undoes(of))
    }

    /// What `node` waits for or catches, and whether that interrupts.
    pub(super) fn trigger(&self, node: Ix) -> (Trigger, Interrupts) {
        match self.nodes[node].kind {
            Kind::Start(trigger, interrupts) | Kind::Boundary { trigger, interrupts, .. } => {
                (trigger, interrupts)
            }
            Kind::Catch(trigger) => (trigger, Interrupts::Yes),
            _ => (Trigger::None, Interrupts::Yes),
        }
    }

    pub(super) fn flow_name(&self, flow: usize) -> String {
        let Flow { from, to, .. } = self.flows[flow];
        format!("{}--{}", self.nodes[from].id, self.nodes[to].id)
    }

    /// The compact JSON form.
    pub(super) fn to_json(&self) -> Value {
        json!({ "id": "main", "elements": self.elements(None) })
    }

    fn elements(&self, parent: Option<Ix>) -> Vec<Value> {
        self.inside(parent).flat_map(|ix| self.element(ix)).collect()
    }

    fn element(&self, ix: Ix) -> Vec<Value> {
        let node = &self.nodes[ix];
        let (kind, event) = match node.kind {
            Kind::Start(trigger, _) => ("startEvent", self.awaited(ix, trigger)),
            Kind::End(thrown) => ("endEvent", self.thrown(thrown)),
            Kind::Throw(thrown) => ("intermediateThrowEvent", self.thrown(thrown)),
            Kind::Catch(trigger) => ("intermediateCatchEvent", self.awaited(ix, trigger)),
            Kind::Boundary { trigger, .. } => ("boundaryEvent", self.awaited(ix, trigger)),
            Kind::Work | Kind::Undoes(_) => ("serviceTask", None),
            Kind::Pass => ("task", None),
            Kind::Set(..) => ("scriptTask", None),
            Kind::Exclusive => ("exclusiveGateway", None),
            Kind::Parallel => ("parallelGateway", None),
            Kind::Inclusive => ("inclusiveGateway", None),
            Kind::Race => ("eventBasedGateway", None),
            Kind::Sub => ("subProcess", None),
            Kind::Handler => ("eventSubProcess", None),
        };
        let mut json = Map::new();
        json.insert("id".to_owned(), json!(node.id));
        json.insert("type".to_owned(), json!(kind));
        let mut put = |name: &str, value: Value| json.insert(name.to_owned(), value);
        if let Some(event) = event {
            put("event", event);
        }
        if let Kind::Boundary { on, .. } = node.kind {
            put("attachedTo", json!(self.nodes[on].id));
        }
        if self.trigger(ix).1 == Interrupts::No {
            put("interrupting", json!(false));
        }
        match node.kind {
            Kind::Work | Kind::Undoes(_) => drop(put("job", json!("work"))),
            Kind::Set(variable, value) => {
                put("script", json!(value.to_string()));
                put("result", json!(format!("v{variable}")));
            }
            Kind::Sub | Kind::Handler => drop(put("elements", json!(self.elements(Some(ix))))),
            _ => {}
        }
        if let Some(each) = node.each {
            put("forEach", repeated(each));
        }
        if let Some((own, from)) = node.own {
            put("inputs", json!({ format!("v{own}"): format!("=v{from} + 1") }));
        }
        let next: Vec<Value> = self.leaving(ix).map(|(_, flow)| self.next(flow)).collect();
        if !next.is_empty() {
            put("next", json!(next));
        }
        let mut all = vec![Value::Object(json)];
        if let Some(handler) = self.undone_by(ix) {
            all.push(json!({ "id": format!("{}-undone", node.id), "type": "boundaryEvent",
                "attachedTo": node.id, "event": { "compensation": {} },
                "handler": self.nodes[handler].id }));
        }
        all
    }

    fn next(&self, flow: &Flow) -> Value {
        let to = &self.nodes[flow.to].id;
        match flow.when {
            When::Always => json!(to),
            When::Above(variable, than) => {
                json!({ "to": to, "when": format!("v{variable} > {than}") })
            }
            When::Otherwise => json!({ "to": to, "default": true }),
        }
    }

    fn awaited(&self, ix: Ix, trigger: Trigger) -> Option<Value> {
        let code =
            |code: Option<u8>, letter| code.map_or(String::new(), |it| format!("{letter}{it}"));
        // Each at another time, so that a moment fires one.
        let after = format!("PT{}M", 60 + ix);
        Some(match trigger {
            Trigger::None => return None,
            Trigger::Timer(1) => json!({ "duration": after }),
            Trigger::Timer(times) => json!({ "cycle": format!("R{times}/{after}") }),
            Trigger::Message => {
                json!({ "message": { "name": self.nodes[ix].id, "correlation": "\"k\"" } })
            }
            Trigger::Signal(name) => json!({ "signal": format!("s{name}") }),
            Trigger::Error(number) => json!({ "error": code(number, 'E') }),
            Trigger::Escalation(number) => json!({ "escalation": code(number, 'L') }),
            Trigger::Undo => json!({ "compensation": {} }),
        })
    }

    fn thrown(&self, thrown: Thrown) -> Option<Value> {
        Some(match thrown {
            Thrown::Nothing => return None,
            Thrown::Error(code) => json!({ "error": format!("E{code}") }),
            Thrown::Escalation(code) => json!({ "escalation": format!("L{code}") }),
            Thrown::Terminate => json!({ "terminate": true }),
            Thrown::Undo(None) => json!({ "compensation": {} }),
            Thrown::Undo(Some(activity)) => {
                json!({ "compensation": { "activity": self.nodes[activity].id } })
            }
        })
    }
}

fn repeated(each: Each) -> Value {
    let mut json = json!({ "times": each.times.to_string(), "sequential": each.sequential });
    if let Some(enough) = each.enough {
        json["until"] = json!(format!("numberOfCompletedInstances >= {enough}"));
    }
    json
}

fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Start(..) => "start",
        Kind::End(_) => "end",
        Kind::Throw(_) => "throw",
        Kind::Catch(_) => "catch",
        Kind::Boundary { .. } => "on",
        Kind::Work => "work",
        Kind::Undoes(_) => "undo",
        Kind::Pass => "pass",
        Kind::Set(..) => "set",
        Kind::Exclusive => "xor",
        Kind::Parallel => "and",
        Kind::Inclusive => "or",
        Kind::Race => "race",
        Kind::Sub => "sub",
        Kind::Handler => "handler",
    }
}
