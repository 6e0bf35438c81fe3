//! Reads event definitions (BPMN 2.0.2 §10.5.5).

use super::names::{FLOWMASTER, MODEL, ZEEBE};
use super::{Reader, local_name};
use crate::finding::Finding;
use crate::model::{
    CompensationTrigger, Correlation, ErrorTrigger, Message, Multiple, Text, TimerKind,
    TimerTrigger, Trigger,
};
use crate::xml::Element;

impl Reader<'_> {
    /// What the event waits for or throws. After a finding it is something harmless, so that the
    /// rest of the model can still be read.
    pub(super) fn trigger(&mut self, event: &Element) -> Trigger {
        let definitions = event.elements().filter(|element| &*element.namespace == MODEL);
        let mut triggers: Vec<Trigger> =
            definitions.filter_map(|definition| self.definition_in(event, definition)).collect();
        if triggers.len() > 1 {
            let parallel = event.attribute("parallelMultiple") == Some("true");
            return Trigger::Multiple(Multiple { parallel, triggers });
        }
        triggers.pop().unwrap_or(Trigger::None)
    }

    /// What `child` of `event` says, if it is a definition, or refers to one that several events share.
    fn definition_in(&mut self, event: &Element, child: &Element) -> Option<Trigger> {
        if &*child.name == "eventDefinitionRef" {
            return self.shared_definition(event, Some(&child.text()));
        }
        child.name.ends_with("EventDefinition").then(|| self.definition(event, child))
    }

    /// The event definition of the file that `element` refers to.
    pub(super) fn shared_definition(
        &mut self,
        element: &Element,
        reference: Option<&str>,
    ) -> Option<Trigger> {
        let id = element.attribute("id").unwrap_or_default();
        let definition = self.shared(id, reference, "event definition")?;
        Some(self.definition(element, definition))
    }

    fn definition(&mut self, event: &Element, definition: &Element) -> Trigger {
        let id = event.attribute("id").unwrap_or_default();
        match &*definition.name {
            "messageEventDefinition" => Trigger::Message(self.message(event, definition)),
            "timerEventDefinition" => Trigger::Timer(self.timer(id, definition)),
            "errorEventDefinition" => {
                let error = self.shared(id, definition.attribute("errorRef"), "error");
                Trigger::Error(ErrorTrigger {
                    code: error
                        .and_then(|error| error.attribute("errorCode").or(error.attribute("id")))
                        .map(str::to_owned),
                    ..ErrorTrigger::default()
                })
            }
            "signalEventDefinition" => {
                let signal = self.shared(id, definition.attribute("signalRef"), "signal");
                let name = signal.and_then(|it| it.attribute("name").or(it.attribute("id")));
                Trigger::Signal { name: self.text(id, name.unwrap_or_default()) }
            }
            "escalationEventDefinition" => {
                let escalation =
                    self.shared(id, definition.attribute("escalationRef"), "escalation");
                Trigger::Escalation {
                    code: escalation
                        .and_then(|it| it.attribute("escalationCode").or(it.attribute("id")))
                        .map(str::to_owned),
                }
            }
            "terminateEventDefinition" => Trigger::Terminate,
            "conditionalEventDefinition" => self.conditional(id, definition),
            "linkEventDefinition" => {
                Trigger::Link { name: definition.attribute("name").unwrap_or_default().to_owned() }
            }
            "compensateEventDefinition" => Trigger::Compensation(CompensationTrigger {
                activity: definition.attribute("activityRef").map(local_name).map(Into::into),
                waits: definition.attribute("waitForCompletion") != Some("false"),
            }),
            "cancelEventDefinition" => Trigger::Cancel,
            other => {
                let what = other.trim_end_matches("EventDefinition");
                self.findings.push(Finding::error(
                    "unsupported_element",
                    id,
                    format!("an event of the kind {what} is not executed by this version"),
                    "model it with the elements that are: see docs/bpmn-elements.md",
                ));
                Trigger::None
            }
        }
    }

    /// The message that `holder` (a receive task or an event definition) refers to.
    pub(super) fn message(&mut self, element: &Element, holder: &Element) -> Message {
        let id = element.attribute("id").unwrap_or_default();
        let reference = holder.attribute("messageRef");
        let flow = self.flows.message_at(element);
        let job = self.job(element);
        // A job that sends it knows what it sends; what waits has to say for what.
        let is_thrown = matches!(&*element.name, "intermediateThrowEvent" | "endEvent");
        let is_known = reference.is_some() || flow.is_some() || is_thrown && job.is_some();
        if !is_known {
            self.findings.push(Finding::error(
                "no_message",
                id,
                "it does not say which message it is about",
                "set messageRef to a message of the file, or draw a message flow",
            ));
        }
        let message = match reference {
            Some(_) => self.shared(id, reference, "message"),
            None => self.shared(id, flow.and_then(|flow| flow.reference), "message"),
        };
        let name = message
            .and_then(|it| it.attribute("name").or(it.attribute("id")))
            .or(flow.map(|flow| flow.name));
        let extensions = message.and_then(|message| message.first(MODEL, "extensionElements"));
        let key = extensions
            .and_then(|extensions| extensions.first(ZEEBE, "subscription"))
            .and_then(|subscription| subscription.attribute("correlationKey"));
        let by_business_key =
            extensions.is_some_and(|it| it.first(FLOWMASTER, "businessKey").is_some());
        let correlation = match key {
            Some(key) => self.program(id, key).map_or(Correlation::None, Correlation::Key),
            None if by_business_key || flow.is_some_and(|flow| flow.is_between_elements) => {
                Correlation::BusinessKey
            }
            None => Correlation::None,
        };
        Message { name: self.text(id, name.unwrap_or_default()), correlation, job }
    }

    fn conditional(&mut self, id: &str, definition: &Element) -> Trigger {
        let filter = definition.first(MODEL, "extensionElements");
        if filter.is_some_and(|filter| filter.first(ZEEBE, "conditionalFilter").is_some()) {
            self.findings.push(Finding::warning(
                "condition_filter",
                id,
                "the filter of variables is not applied: every change lets the condition be looked at",
                "say in the condition itself what must be true",
            ));
        }
        let expression = definition.first(MODEL, "condition");
        let language = expression.and_then(|it| it.attribute("language")).unwrap_or_default();
        if !language.is_empty() && !language.to_ascii_lowercase().contains("feel") {
            self.foreign_expression(id, language);
            return Trigger::None;
        }
        let text = expression.map(Element::text).unwrap_or_default();
        if text.is_empty() {
            self.findings.push(Finding::error(
                "no_condition",
                id,
                "the event does not say which condition it waits for",
                "set the condition, for example =temperature > 40",
            ));
            return Trigger::None;
        }
        let condition = self.program(id, &text);
        condition.map_or(Trigger::None, |condition| Trigger::Conditional { condition })
    }

    fn timer(&mut self, id: &str, definition: &Element) -> TimerTrigger {
        let kinds = [
            ("timeDate", TimerKind::Date),
            ("timeDuration", TimerKind::Duration),
            ("timeCycle", TimerKind::Cycle),
        ];
        let given = kinds
            .into_iter()
            .find_map(|(name, kind)| Some((kind, definition.first(MODEL, name)?.text())));
        let Some((kind, text)) = given.filter(|(_, text)| !text.is_empty()) else {
            self.findings.push(Finding::error(
                "timer_without_time",
                id,
                "the timer does not say when it fires",
                "set timeDate, timeDuration or timeCycle, for example PT2H",
            ));
            let value = Text::Literal("PT0S".to_owned());
            return TimerTrigger { kind: TimerKind::Duration, value };
        };
        TimerTrigger { kind, value: self.text(id, &text) }
    }
}
