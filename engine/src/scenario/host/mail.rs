//! Messages and signals between the instances of a world, and to the processes that they start.

use std::sync::Arc;

use flowmaster_kernel::{PrincipalKind, Timestamp};

use super::{Todo, World, start_at};
use crate::command::{Command, StartedBy};
use crate::decide::{StartTrigger, start_condition_holds, start_triggers};
use crate::model::ElementId;
use crate::scenario::principal;
use crate::scope::VariableMap;
use crate::wait::{Wait, WaitKind};

/// A message on its way.
#[derive(Clone, Debug)]
pub(in crate::scenario) struct Mail {
    pub(in crate::scenario) name: String,
    pub(in crate::scenario) correlation: Option<String>,
    pub(in crate::scenario) variables: VariableMap,
    pub(in crate::scenario) expires: Timestamp,
}

impl World<'_> {
    /// Publishes a message: to the first subscription of each process, else to the processes that
    /// it starts, else into the buffer.
    pub(in crate::scenario) fn publish(&mut self, mail: Mail) -> Result<(), String> {
        if !self.deliver(&mail)? && mail.expires > self.now {
            self.buffer.push(mail);
        }
        Ok(())
    }

    /// Whether anybody wanted the message.
    pub(in crate::scenario) fn deliver(&mut self, mail: &Mail) -> Result<bool, String> {
        let mut taken: Vec<ElementId> = Vec::new();
        let mut found = Vec::new();
        for running in &self.running {
            let process = &running.definition.process().id;
            let wanted = running.instance.waits().find(|(_, wait)| wants(wait, mail));
            if let Some((key, _)) = wanted
                && !taken.contains(process)
            {
                taken.push(ElementId::clone(process));
                found.push((Arc::clone(&running.instance.id), key));
            }
        }
        let system = principal("messages", PrincipalKind::System);
        for (id, key) in found {
            let (variables, message_id) = (mail.variables.clone(), None);
            self.tell(&id, Command::CorrelateMessage { key, variables, message_id }, &system)?;
        }
        let by = StartedBy::Message(mail.name.clone());
        let key = mail.correlation.as_deref();
        let started = self.start_all(&by, &mail.variables, key, &taken)?;
        Ok(started || !taken.is_empty())
    }

    fn start_all(
        &mut self,
        by: &StartedBy,
        variables: &VariableMap,
        correlation: Option<&str>,
        except: &[ElementId],
    ) -> Result<bool, String> {
        let mut any = false;
        for process in self.models.processes() {
            let starts = start_triggers(process, self.now);
            let start = starts.into_iter().find(|(_, trigger)| match (trigger, by) {
                (StartTrigger::Message(waited), StartedBy::Message(name))
                | (StartTrigger::Signal(waited), StartedBy::Signal(name)) => waited == name,
                _ => false,
            });
            if let Some((element, _)) = start
                && !except.contains(&process.id)
            {
                let business_key = process.business_key_at(&element, correlation);
                let start = start_at(&element, by.clone(), variables.clone(), business_key);
                self.start(process, None, start)?;
                any = true;
            }
        }
        Ok(any)
    }

    /// Broadcasts a signal; whether it started anything.
    pub(in crate::scenario) fn broadcast(
        &mut self,
        name: &str,
        variables: &VariableMap,
    ) -> Result<bool, String> {
        let system = principal("signals", PrincipalKind::System);
        let ids: Vec<_> = self.running.iter().map(|running| running.instance.id.clone()).collect();
        for id in ids {
            let (name, variables) = (name.to_owned(), variables.clone());
            self.tell(&id, Command::BroadcastSignal { name, variables }, &system)?;
        }
        self.start_all(&StartedBy::Signal(name.to_owned()), variables, None, &[])
    }

    /// Starts every process of which a conditional start event's condition holds with `variables`;
    /// whether there was one.
    pub(in crate::scenario) fn evaluate(
        &mut self,
        variables: &VariableMap,
        business_key: Option<&String>,
    ) -> Result<bool, String> {
        let mut any = false;
        for process in self.models.processes() {
            for (element, trigger) in start_triggers(process, self.now) {
                if trigger == StartTrigger::Condition
                    && start_condition_holds(process, &element, variables, self.now)
                        .map_err(|error| error.to_string())?
                {
                    let (variables, key) = (variables.clone(), business_key.cloned());
                    let start = start_at(&element, StartedBy::Condition, variables, key);
                    self.start(process, None, start)?;
                    any = true;
                }
            }
        }
        Ok(any)
    }

    pub(super) fn look_into_buffer(&mut self) -> Result<(), String> {
        let now = self.now;
        self.buffer.retain(|mail| mail.expires > now);
        for at in 0..self.buffer.len() {
            let Some(mail) = self.buffer.get(at).cloned() else { break };
            if self.deliver(&mail)? {
                self.buffer.remove(at);
                // What was delivered may have opened the next subscription.
                self.todo.push_back(Todo::LookIntoBuffer);
                break;
            }
        }
        Ok(())
    }
}

fn wants(wait: &Wait, mail: &Mail) -> bool {
    match &wait.kind {
        WaitKind::Message { name, correlation } => {
            *name == mail.name && (correlation.is_none() || *correlation == mail.correlation)
        }
        _ => false,
    }
}
