//! Modification: what is started, what ends, what stays, and what is refused.

use serde_json::json;

use super::bed::Bed;
use super::*;
use crate::modification::{Instruction, Which};
use crate::scope::VariableMap;
use crate::wait::WaitKind;

impl Bed {
    fn modify(&mut self, instructions: Vec<Instruction>) {
        self.tell(Command::Modify { instructions, reason: None }).unwrap();
    }

    /// The codes of everything that is wrong.
    fn refused(&mut self, instructions: Vec<Instruction>) -> Vec<String> {
        let before = self.instance.clone();
        let refused = self.tell(Command::Modify { instructions, reason: None }).unwrap_err();
        assert_eq!(self.instance, before);
        let Rejected::Modification(findings) = refused else { panic!("{refused}") };
        findings.into_iter().map(|finding| finding.code).collect()
    }
}

fn activate(element: &str) -> Instruction {
    Instruction::activate(element, VariableMap::new())
}

fn activate_in(element: &str, within: Key) -> Instruction {
    let variables = VariableMap::new();
    Instruction::Activate { element: element.into(), within: Some(within), variables }
}

fn terminate(key: Key) -> Instruction {
    Instruction::Terminate { which: Which::One(key) }
}

fn terminate_every(element: &str) -> Instruction {
    Instruction::Terminate { which: Which::Every(element.into()) }
}

fn relocate(which: Which, to: &str) -> Instruction {
    Instruction::Move { which, to: to.into(), within: None, variables: VariableMap::new() }
}

fn relocate_every(element: &str, to: &str) -> Instruction {
    relocate(Which::Every(element.into()), to)
}

const NESTED: &str = "
    start s
    user first
    on first late timer PT1H
    sub outer
    on outer stop signal stop
    in outer start os
    in outer user around
    in outer sub inner
    input inner limit = base + 1
    on inner soon timer PT2H
    in inner start is
    in inner user deep
    in inner user other
    in inner end ie
    os -> around -> inner
    is -> deep -> other -> ie
    in outer handler watch
    in watch ~start seen message note
    in watch user look
    seen -> look
    end e
    s -> first -> outer -> e
    late -> e
    stop -> e";

#[test]
fn a_token_is_moved_with_all_that_belongs_to_it() {
    let mut bed = Bed::start(NESTED, json!({ "base": 1 }));
    assert_eq!(bed.shows(), "first late?");
    bed.modify(vec![relocate_every("first", "around")]);
    assert_eq!(bed.shows(), "around outer seen? stop?");
    bed.complete("around");
    bed.modify(vec![relocate_every("deep", "other")]);
    assert_eq!(bed.shows(), "inner other outer seen? soon? stop?");
    bed.complete("other");
    assert_eq!(bed.instance.state, InstanceState::Completed);
}

#[test]
fn scopes_that_are_missing_begin_once_and_without_their_start_events() {
    let mut bed = Bed::start(NESTED, json!({ "base": 1 }));
    let own = VariableMap::one("mine", json!(true));
    bed.modify(vec![Instruction::activate("deep", own), activate("other")]);
    assert_eq!(bed.shows(), "deep first inner late? other outer seen? soon? stop?");
    let (inner, deep) = (bed.keys("inner")[0], bed.keys("deep")[0]);
    assert_eq!(bed.instance.element(inner).unwrap().variables.get("limit"), Some(&json!(2)));
    assert_eq!(bed.instance.element(deep).unwrap().variables.get("mine"), Some(&json!(true)));
    // They run now, so what is started later goes into them.
    bed.modify(vec![activate("deep"), terminate_every("first")]);
    assert_eq!(bed.shows(), "deep deep inner other outer seen? soon? stop?");
    bed.modify(vec![activate_in("deep", bed.keys("outer")[0])]);
    assert_eq!(bed.keys("inner").len(), 1);
}

#[test]
fn a_scope_that_cannot_begin_is_an_incident() {
    let mut bed = Bed::start(NESTED, json!({ "base": {} }));
    bed.modify(vec![relocate_every("first", "deep"), activate("other")]);
    assert_eq!(bed.shows(), "inner outer seen? stop?");
    let (key, incident) = bed.instance.incidents().next().unwrap();
    assert_eq!(&*incident.element, "inner");
    let variables = VariableMap::one("base", json!(2));
    bed.tell(Command::ResolveIncident { key, variables }).unwrap();
    assert_eq!(bed.shows(), "deep inner outer seen? soon? stop?");
}

#[test]
fn what_is_left_empty_ends_outwards_and_nothing_goes_on_from_it() {
    let mut bed = Bed::start(NESTED, json!({ "base": 1 }));
    bed.modify(vec![activate("deep")]);
    bed.modify(vec![terminate(bed.keys("deep")[0])]);
    assert_eq!(bed.shows(), "first late?");
    bed.modify(vec![activate("deep"), terminate_every("first")]);
    // The scope of what is moved stays, because it gets a token in the same step.
    bed.modify(vec![relocate_every("deep", "around")]);
    assert_eq!(bed.shows(), "around outer seen? stop?");
    bed.modify(vec![terminate_every("outer")]);
    assert_eq!(bed.instance.state, InstanceState::Cancelled);
    assert!(matches!(
        bed.events.last(),
        Some(Event::InstanceCancelled { reason: Some(reason), .. }) if reason.contains("nothing")
    ));
}

const REPEATED: &str = "
    start s
    sub part
    each part items as item into out from item
    in part start ps
    in part user one
    in part user two
    in part end pe
    ps -> one -> two -> pe
    user done
    end e
    s -> part -> done -> e";

#[test]
fn a_repetition_is_named_by_its_key() {
    let mut bed = Bed::start(REPEATED, json!({ "items": ["a", "b"] }));
    let body = bed.keys("part")[0];
    let inner = bed.keys("part")[2];
    let task = bed.keys("one")[1];
    assert_eq!(bed.refused(vec![activate("two")]), ["ambiguous_scope"]);
    assert_eq!(bed.refused(vec![activate_in("two", body)]), ["ambiguous_scope"]);
    assert_eq!(bed.refused(vec![activate_in("done", inner)]), ["not_an_ancestor"]);
    bed.modify(vec![activate_in("two", inner)]);
    assert_eq!(bed.instance.element(bed.keys("two")[0]).unwrap().scope, inner);
    // What moves stays in its own repetition.
    bed.modify(vec![relocate(Which::One(task), "two")]);
    let scopes = bed.keys("two").into_iter().map(|key| bed.instance.element(key).unwrap().scope);
    assert_eq!(scopes.collect::<Vec<_>>(), [inner, inner]);
    bed.modify(vec![relocate_every("one", "two"), relocate_every("two", "one")]);
    assert_eq!(bed.shows(), "one one part part part two");
    bed.modify(vec![terminate(body), activate("done")]);
    assert_eq!(bed.shows(), "done");
    assert_eq!(bed.refused(vec![activate("two")]), ["inside_repetition"]);
    bed.modify(vec![relocate_every("done", "part")]);
    assert_eq!(bed.shows(), "one one part part part");
}

#[test]
fn a_repetition_that_was_ended_counts_and_the_others_go_on() {
    let mut bed = Bed::start(REPEATED, json!({ "items": ["a", "b"] }));
    // The last token of a repetition: it ends, and the activity does not.
    bed.modify(vec![terminate(bed.keys("one")[0])]);
    assert_eq!(bed.shows(), "one part part");
    bed.modify(vec![terminate(bed.keys("part")[1])]);
    assert_eq!(bed.shows(), "done");
    let results = json!([null, null]);
    assert_eq!(bed.instance.variables().get("out"), Some(&results));

    let mut bed = Bed::start(
        &REPEATED.replace("from item", "from item sequential"),
        json!({ "items": ["a", "b"] }),
    );
    bed.modify(vec![terminate(bed.keys("one")[0])]);
    assert_eq!(bed.shows(), "one part part");
    assert_eq!(bed.instance.view(bed.keys("one")[0]).collect().get("item"), Some(&json!("b")));
}

const FORKED: &str = "
    start s
    parallel fork
    user a
    user b
    user c
    parallel sync
    user after
    end e
    s -> fork
    fork -> a -> sync
    fork -> b -> sync
    fork -> c -> sync
    sync -> after -> e";

#[test]
fn a_token_that_is_moved_to_a_join_waits_there_for_the_others() {
    let mut bed = Bed::start(FORKED, json!({}));
    bed.modify(vec![relocate_every("b", "sync")]);
    assert_eq!(bed.shows(), "a b->sync* c");
    bed.modify(vec![relocate_every("a", "sync"), relocate_every("c", "sync")]);
    assert_eq!(bed.shows(), "after");

    // An instruction for each token that does not come by itself.
    let mut bed = Bed::start(FORKED, json!({}));
    bed.complete("b");
    bed.modify(vec![
        terminate_every("a"),
        terminate_every("c"),
        activate("sync"),
        activate("sync"),
    ]);
    assert_eq!(bed.shows(), "after");

    // What waits can be taken away, or moved on.
    let mut bed = Bed::start(FORKED, json!({}));
    bed.complete("b");
    bed.complete("c");
    bed.modify(vec![relocate_every("sync", "after")]);
    assert_eq!(bed.shows(), "a after after");
    bed.complete("a");
    bed.modify(vec![terminate_every("sync"), terminate_every("after")]);
    assert_eq!(bed.instance.state, InstanceState::Cancelled);
}

#[test]
fn an_inclusive_join_waits_only_for_what_can_still_come() {
    let model = FORKED.replace("parallel sync", "inclusive sync");
    let mut bed = Bed::start(&model, json!({}));
    bed.modify(vec![relocate_every("a", "sync")]);
    assert_eq!(bed.shows(), "a->sync* b c");
    bed.modify(vec![terminate_every("b"), terminate_every("c")]);
    assert_eq!(bed.shows(), "after");
}

#[test]
fn a_complex_gateway_gets_tokens_until_it_has_enough() {
    let model = FORKED.replace("parallel sync", "complex sync activatedFlows = 2");
    let mut bed = Bed::start(&model, json!({}));
    bed.modify(vec![relocate_every("a", "sync")]);
    assert_eq!(bed.shows(), "a->sync* b c");
    bed.modify(vec![relocate_every("c", "sync")]);
    assert_eq!(bed.shows(), "after b");
}

#[test]
fn an_ad_hoc_sub_process_goes_on_by_its_own_rule() {
    let model = "
        start s
        user before
        adhoc some
        in some user x
        in some user y
        user next
        end e
        s -> before -> some -> next -> e";
    let mut bed = Bed::start(model, json!({}));
    bed.modify(vec![activate("x"), activate("y")]);
    assert_eq!(bed.shows(), "before some x y");
    bed.modify(vec![terminate_every("x")]);
    assert_eq!(bed.shows(), "before some y");
    bed.modify(vec![terminate_every("y")]);
    assert_eq!(bed.shows(), "before next");
}

#[test]
fn everything_that_is_wrong_is_said_and_nothing_is_done() {
    let mut bed = Bed::start(NESTED, json!({ "base": 1 }));
    bed.modify(vec![activate("look"), activate("deep")]);
    let (outer, first) = (bed.keys("outer")[0], bed.keys("first")[0]);
    for (instructions, codes) in [
        (vec![], vec!["instruction_count"]),
        (vec![activate("first"); 201], vec!["instruction_count"]),
        (vec![activate("nobody")], vec!["unknown_element"]),
        (vec![activate("s")], vec!["not_startable"]),
        (vec![activate("is")], vec!["not_startable"]),
        (vec![activate("late")], vec!["not_startable"]),
        (vec![activate("watch")], vec!["not_startable"]),
        (vec![activate("seen")], vec!["not_startable"]),
        (vec![relocate_every("first", "late")], vec!["not_startable"]),
        (vec![activate_in("deep", Key(999))], vec!["not_running"]),
        (vec![activate_in("deep", first)], vec!["not_an_ancestor"]),
        (vec![activate_in("first", outer)], vec!["not_an_ancestor"]),
        (vec![terminate(Key(999))], vec!["not_running"]),
        (vec![terminate_every("other")], vec!["not_running"]),
        (vec![terminate_every("nobody")], vec!["unknown_element"]),
        (vec![terminate(first), relocate_every("first", "look")], vec!["named_twice"]),
        (vec![terminate(outer), activate_in("deep", outer)], vec!["scope_ends"]),
        (
            vec![
                activate("nobody"),
                activate("first"),
                terminate(Key(999)),
                Instruction::SetVariables { scope: Key(998), variables: VariableMap::new() },
            ],
            vec!["not_running", "unknown_element", "not_running"],
        ),
    ] {
        assert_eq!(bed.refused(instructions.clone()), codes, "{instructions:?}");
    }
    // What ends with a scope that ends is named once, and what is started is in a new one.
    bed.modify(vec![terminate(outer), activate("deep")]);
    assert_eq!(bed.shows(), "deep first inner late? outer seen? soon? stop?");
    assert_ne!(bed.keys("outer"), [outer]);

    let mut bed = Bed::start(FORKED, json!({}));
    let variables = VariableMap::one("x", json!(1));
    let join = Instruction::activate("sync", variables);
    assert_eq!(bed.refused(vec![join]), ["not_startable"]);
}

#[test]
fn variables_are_set_before_anything_begins() {
    let mut bed =
        Bed::start("start s\nuser u\nscript x y = a + 1\nend e\ns -> u\nx -> e", json!({}));
    bed.modify(vec![
        activate("x"),
        Instruction::SetVariables {
            scope: Key::PROCESS,
            variables: VariableMap::one("a", json!(1)),
        },
    ]);
    assert_eq!(bed.instance.variables().get("y"), Some(&json!(2)));
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let large = Instruction::activate("u", VariableMap::one("deep", deep));
    let refused = bed.tell(Command::Modify { instructions: vec![large], reason: None });
    assert!(matches!(refused, Err(Rejected::TooLarge { .. })));
}

#[test]
fn an_element_is_moved_away_from_its_incident_and_its_call() {
    let model = "
        start s
        exclusive x
        call child other
        user u
        end e
        s -> x
        x -> child if go
        child -> u -> e";
    let mut bed = Bed::start(model, json!({ "go": false }));
    assert_eq!(bed.instance.incidents().count(), 1);
    bed.modify(vec![relocate_every("x", "child")]);
    assert_eq!((bed.shows().as_str(), bed.instance.incidents().count()), ("child", 0));
    assert!(matches!(bed.instance.waits().next().unwrap().1.kind, WaitKind::Child { .. }));
    bed.modify(vec![relocate_every("child", "u")]);
    assert!(bed.events.iter().any(|event| matches!(event, Event::ChildCancelled { .. })));
}

#[test]
fn while_it_is_held_elements_can_only_be_ended() {
    let mut bed = Bed::start(FORKED, json!({}));
    bed.tell(Command::Pause).unwrap();
    let instructions = vec![activate("a")];
    let refused = bed.tell(Command::Modify { instructions, reason: None });
    assert_eq!(refused, Err(Rejected::Paused));
    bed.modify(vec![terminate_every("a")]);
    assert_eq!(bed.shows(), "b c");
}

#[test]
fn the_policies_are_asked_about_every_change_before_any_is_made() {
    let guarded = FORKED.to_owned() + "\npolicy c on control condition false";
    let mut bed = Bed::start(&guarded, json!({}));
    let before = bed.instance.clone();
    bed.modify(vec![relocate_every("a", "sync"), terminate_every("c")]);
    assert!(crate::event::refusal(&bed.events).is_some());
    assert_eq!((bed.events.len(), &bed.instance), (1, &before));
    bed.modify(vec![relocate_every("a", "sync")]);
    assert_eq!(bed.shows(), "a->sync* b c");
}
