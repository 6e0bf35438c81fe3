//! The compact JSON form of a process, which the engine reads.

use serde_json::{Map, Value, json};

use super::model::{
    AdHoc, Each, Enough, Flow, Interrupts, Ix, Kind, Model, Repeat, Thrown, Trigger, When, While,
};

impl Model {
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
            Kind::Call { .. } => ("callActivity", None),
            Kind::Pass => ("task", None),
            Kind::Set(..) => ("scriptTask", None),
            Kind::Exclusive => ("exclusiveGateway", None),
            Kind::Parallel => ("parallelGateway", None),
            Kind::Inclusive => ("inclusiveGateway", None),
            Kind::Complex(_) => ("complexGateway", None),
            Kind::Race => ("eventBasedGateway", None),
            Kind::Leap => ("intermediateThrowEvent", self.link_target(ix)),
            Kind::Land => ("intermediateCatchEvent", Some(json!({ "link": node.id }))),
            Kind::Sub if node.transaction => ("transaction", None),
            Kind::Sub => ("subProcess", None),
            Kind::AdHoc(_) => ("adHocSubProcess", None),
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
            Kind::Call { back } => {
                put("process", json!("child"));
                put("propagateOut", json!(back));
            }
            Kind::Set(variable, value) => {
                put("script", json!(value.to_string()));
                put("result", json!(format!("v{variable}")));
            }
            Kind::Complex(enough) => {
                let condition = match enough {
                    Enough::Tokens(wanted) => format!("activationCount >= {wanted}"),
                    Enough::Flows(wanted) => format!("activatedFlows >= {wanted}"),
                    Enough::Above(variable, than) => format!("v{variable} > {than}"),
                };
                put("activation", json!(condition));
            }
            Kind::Sub | Kind::Handler => drop(put("elements", json!(self.elements(Some(ix))))),
            Kind::AdHoc(ad_hoc) => {
                put("elements", json!(self.elements(Some(ix))));
                put("adHoc", self.free(ad_hoc, &node.first));
            }
            _ => {}
        }
        match node.repeat {
            Some(Repeat::Each(each)) => drop(put("forEach", repeated(each))),
            Some(Repeat::While(again)) => drop(put("loop", looped(again))),
            None => {}
        }
        if let Some((own, from)) = node.own {
            put("inputs", json!({ format!("v{own}"): format!("=v{from} + 1") }));
        }
        if let Some((to, from)) = node.leaves {
            put("outputs", json!({ format!("v{to}"): format!("=v{from} + 1") }));
        }
        let flows = self.leaving(ix).filter(|(_, flow)| flow.when != When::Linked);
        let next: Vec<Value> = flows.map(|(_, flow)| self.next(flow)).collect();
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

    fn link_target(&self, leap: Ix) -> Option<Value> {
        let (_, link) = self.leaving(leap).next()?;
        Some(json!({ "link": self.nodes[link.to].id }))
    }

    fn free(&self, ad_hoc: AdHoc, first: &[Ix]) -> Value {
        let mut json = json!({ "sequential": ad_hoc.sequential });
        if let Some((variable, than)) = ad_hoc.until {
            json["until"] = json!(format!("v{variable} > {than}"));
        }
        if !ad_hoc.cancels {
            json["cancelRemaining"] = json!(false);
        }
        if !first.is_empty() {
            let ids: Vec<&str> = first.iter().map(|ix| self.nodes[*ix].id.as_str()).collect();
            json["activate"] = json!(json!(ids).to_string());
        }
        json
    }

    fn next(&self, flow: &Flow) -> Value {
        let to = &self.nodes[flow.to].id;
        match flow.when {
            When::Always | When::Linked => json!(to),
            When::Above(variable, than) => {
                json!({ "to": to, "when": format!("v{variable} > {than}") })
            }
            When::Starting(true) => json!({ "to": to, "when": "waitingForStart" }),
            When::Starting(false) => json!({ "to": to, "when": "not(waitingForStart)" }),
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
            Trigger::Cancel => json!({ "cancel": true }),
        })
    }

    fn thrown(&self, thrown: Thrown) -> Option<Value> {
        Some(match thrown {
            Thrown::Nothing => return None,
            Thrown::Error(code) => json!({ "error": format!("E{code}") }),
            Thrown::Escalation(code) => json!({ "escalation": format!("L{code}") }),
            Thrown::Terminate => json!({ "terminate": true }),
            Thrown::Cancel => json!({ "cancel": true }),
            Thrown::Undo(None) => json!({ "compensation": {} }),
            Thrown::Undo(Some(activity)) => {
                json!({ "compensation": { "activity": self.nodes[activity].id } })
            }
        })
    }
}

fn looped(again: While) -> Value {
    let above = again.above.map(|(variable, than)| format!("v{variable} > {than}"));
    let fewer = again.fewer.map(|than| format!("loopCounter < {than}"));
    let conditions: Vec<String> = above.into_iter().chain(fewer).collect();
    let mut json = json!({ "testBefore": again.before });
    if !conditions.is_empty() {
        json["condition"] = json!(conditions.join(" and "));
    }
    if let Some(most) = again.most {
        json["maximum"] = json!(most);
    }
    json
}

fn repeated(each: Each) -> Value {
    let mut json = json!({ "times": each.times.to_string(), "sequential": each.sequential });
    if let Some(enough) = each.enough {
        json["until"] = json!(format!("numberOfCompletedInstances >= {enough}"));
    }
    json
}
