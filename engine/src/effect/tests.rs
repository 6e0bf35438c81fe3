use std::collections::BTreeSet;

use flowmaster_kernel::{Principal, PrincipalKind};
use serde_json::json;

use super::*;
use crate::command::{ChildOutcome, Command, StartedBy};
use crate::decide::{Env, advance};
use crate::governance::Authority;
use crate::testing::model;

struct World {
    definition: Definition,
    instance: Instance,
    position: u64,
}

impl World {
    fn new(notation: &str) -> Self {
        let definition = Definition::new(model(notation), Arc::default());
        Self { definition, instance: Instance::new("i"), position: 0 }
    }

    /// The effects of a command.
    fn tell(&mut self, command: Command) -> Vec<Effect> {
        let actor = Principal {
            id: "anna".to_owned(),
            kind: PrincipalKind::Person,
            roles: BTreeSet::new(),
            groups: BTreeSet::new(),
        };
        let authority = Authority::default();
        let env = Env { now: Timestamp::from_millis(0), actor: &actor, authority: &authority };
        let decided = advance(&self.definition, &self.instance, command, &env).unwrap();
        self.instance = decided.instance;
        let mut effects = Vec::new();
        for event in &decided.events {
            effects.extend(effect(&self.definition, &self.instance, event, self.position));
            self.position += 1;
        }
        effects
    }

    fn start(&mut self) -> Vec<Effect> {
        let variables =
            [("a".to_owned(), json!(1)), ("b".to_owned(), json!(2))].into_iter().collect();
        let business_key = Some("K".to_owned());
        self.tell(Command::Start {
            variables,
            business_key,
            at: None,
            by: StartedBy::Command,
            caller: None,
        })
    }

    fn key(&self, element: &str) -> Key {
        self.instance.waits().find(|(_, wait)| &*wait.element == element).unwrap().0
    }
}

/// What an effect is about, in a word or two.
fn brief(effect: &Effect) -> String {
    match &effect.kind {
        EffectKind::OpenHumanTask(task) => format!("task {}", task.item.element),
        EffectKind::CreateJob(job) => format!("job {} x{}", job.item.element, job.retries),
        EffectKind::AskAgent(work) => format!("agent {} by {}", work.item.element, work.agent),
        EffectKind::RetryWork { retries, .. } => format!("retry x{retries}"),
        EffectKind::CloseWork { .. } => "close work".to_owned(),
        EffectKind::CancelWork { .. } => "cancel work".to_owned(),
        EffectKind::StartTimer { due_at, .. } => format!("timer {due_at}"),
        EffectKind::CancelTimer { .. } => "cancel timer".to_owned(),
        EffectKind::OpenSubscription { subscription, .. } => match subscription {
            Subscription::Message { name, correlation } => {
                format!("message {name} {}", correlation.as_deref().unwrap_or("-"))
            }
            Subscription::Signal { name } => format!("signal {name}"),
        },
        EffectKind::CloseSubscription { .. } => "close subscription".to_owned(),
        EffectKind::CallProcess { process, instance, .. } => {
            format!("call {process} as {instance}")
        }
        EffectKind::CancelChild { instance } => format!("cancel {instance}"),
        EffectKind::PublishMessage { name, .. } => format!("publish {name}"),
        EffectKind::BroadcastSignal { name, .. } => format!("broadcast {name}"),
        EffectKind::EscalateCaller { code, .. } => format!("escalate {code}"),
        EffectKind::InstanceEnded { state, .. } => state.as_str().to_owned(),
        EffectKind::Publish { topic } => (*topic).to_owned(),
    }
}

fn check(effects: &[Effect], expected: &[&str]) {
    let brief: Vec<String> = effects.iter().map(brief).collect();
    assert_eq!(brief, expected);
}

#[test]
fn work_timers_and_subscriptions() {
    let mut world = World::new(
        "
        start s
        user approve
        input approve sum = a + b
        on approve late timer PT1H
        on approve gone message gone key a
        job charge
        agent think
        catch go signal go
        end e
        s -> approve -> e
        s -> charge -> e
        s -> think -> e
        s -> go -> e",
    );
    let effects = world.start();
    check(
        &effects,
        &[
            "instance.started",
            "task approve",
            "timer 1970-01-01T01:00:00Z",
            "message gone 1",
            "job charge x3",
            "agent think by helper",
            "signal go",
        ],
    );
    let ids: BTreeSet<&str> = effects.iter().map(|effect| effect.id.as_str()).collect();
    assert_eq!(ids.len(), effects.len());
    let EffectKind::OpenHumanTask(task) = &effects[1].kind else { panic!("not a task") };
    assert_eq!(task.item.key, world.key("approve"));
    assert_eq!(
        task.item.variables.to_json(),
        *json!({ "a": 1, "b": 2, "sum": 3 }).as_object().unwrap()
    );

    let key = world.key("approve");
    let done = Command::CompleteWork { key, variables: VariableMap::new() };
    check(&world.tell(done), &["close work", "cancel timer", "close subscription"]);
    let key = world.key("charge");
    let (message, back_off) = ("503".to_owned(), Some(1_000));
    let failed = Command::FailWork { key, message, retries: 2, back_off };
    let effects = world.tell(failed);
    check(&effects, &["retry x2"]);
    assert!(matches!(
        effects[0].kind,
        EffectKind::RetryWork { retry_at: Some(at), .. } if at == Timestamp::from_millis(1_000)
    ));
    let message = "503".to_owned();
    let failed = Command::FailWork { key, message, retries: 0, back_off: None };
    check(&world.tell(failed), &["retry x0", "incident.raised"]);
    let cancelled = world.tell(Command::Cancel { reason: None });
    check(&cancelled, &["close subscription", "cancel work", "cancel work", "cancelled"]);
}

#[test]
fn calls_messages_and_the_end() {
    let mut world = World::new(
        "
        start s
        throw note message hello key a
        throw shout signal all
        call sub child
        end e
        s -> note -> shout -> sub -> e",
    );
    let effects = world.start();
    check(&effects, &["instance.started", "publish hello", "broadcast all", "call child as i-5"]);
    let EffectKind::CallProcess { caller, variables, business_key, .. } = &effects[3].kind else {
        panic!("not a call")
    };
    assert_eq!((caller.key, business_key.as_deref()), (world.key("sub"), Some("K")));
    assert_eq!(variables.len(), 2);
    let key = world.key("sub");
    let variables = VariableMap::one("c", json!(3));
    let outcome = ChildOutcome::Completed { variables };
    let effects = world.tell(Command::ChildEnded { key, outcome });
    check(&effects, &["completed"]);
    let EffectKind::InstanceEnded { variables, caller: None, .. } = &effects[0].kind else {
        panic!("not the end")
    };
    assert_eq!(variables.to_json(), *json!({ "a": 1, "b": 2, "c": 3 }).as_object().unwrap());
}

#[test]
fn what_the_transition_took_back_has_no_effect() {
    let mut world = World::new(
        "
        start s
        parallel fork
        user a
        pass quick
        end stop terminate
        s -> fork -> a
        fork -> quick -> stop",
    );
    check(&world.start(), &["instance.started", "cancel work", "completed"]);
}

#[test]
fn a_called_instance_answers_its_caller() {
    let mut world = World::new("start s\nthrow t escalation UP\nend e error E\ns -> t -> e");
    let caller = Some(Caller { instance: "parent".into(), key: Key(9), starter: None });
    let start = Command::Start {
        variables: VariableMap::new(),
        business_key: None,
        at: None,
        by: StartedBy::Command,
        caller: caller.clone(),
    };
    let effects = world.tell(start);
    check(&effects, &["instance.started", "escalate UP", "failed"]);
    assert!(matches!(
        &effects[2].kind,
        EffectKind::InstanceEnded { caller: answered, error: Some((code, None)), .. }
            if *answered == caller && code == "E"
    ));
}
