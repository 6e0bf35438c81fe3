//! The engine against a second, small interpreter of the semantics of BPMN, which shares nothing
//! with it: random processes, random paths through each, and after every command the same waits,
//! tokens, variables and completed activities.
//!
//! A called process is played on the side of its caller alone. Not played: policies, conditional and
//! multiple events, decisions, quantities of tokens, what instances throw, extensions for patterns.

mod ad_hoc;
mod build;
mod client;
mod game;
mod joins;
mod json;
mod model;
mod picture;
mod reached;
mod recipe;
mod rules;
mod small;
mod turns;
mod undo;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::*;
use crate::compact::CompactProcess;
use client::{Client, Move, moves};
use game::Game;
use model::Model;
use reached::Reached;
use recipe::recipes;

/// Processes in a run, at least.
const MODELS: u32 = 300;
/// Random paths through each.
const PATHS: usize = 10;

#[test]
fn the_engine_does_what_an_independent_token_game_does() {
    let config = ProptestConfig {
        // A night sets PROPTEST_CASES.
        cases: ProptestConfig::default().cases.max(MODELS),
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let reached = std::cell::RefCell::new(Reached::default());
    // A change plays the same processes each time, a night others.
    let mut runner = match config.cases {
        MODELS => {
            let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            TestRunner::new_with_rng(config, rng)
        }
        _ => TestRunner::new(config),
    };
    let paths = proptest::collection::vec(moves(), PATHS);
    let result = runner.run(&(recipes(), paths), |(recipe, paths)| {
        let model = recipe.build();
        let definition = read(&model);
        for path in &paths {
            play(&model, &definition, path, &mut reached.borrow_mut())
                .map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, _)) => panic!("{why}"),
        Err(TestError::Abort(why)) => panic!("aborted: {why}"),
    }
    println!("proof: R7 token game: {}", reached.into_inner().proof());
}

fn read(model: &Model) -> Definition {
    let compact: CompactProcess = serde_json::from_value(model.to_json()).unwrap();
    let process = compact.to_process().unwrap_or_else(|findings| {
        panic!("{findings:?} in {}", model.to_json());
    });
    let findings = crate::validate::validate(&process, &crate::validate::Surroundings::default());
    let errors: Vec<_> =
        findings.iter().filter(|it| it.severity == crate::finding::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?} in {}", model.to_json());
    Definition::new(process, Arc::new(Decisions::default()))
}

/// The state of the token game that looks like that of the engine, which is sound.
fn compare(
    model: &Model,
    definition: &Definition,
    client: &Client,
    mut outcomes: BTreeMap<String, Game>,
) -> Result<Game, String> {
    let shown = picture::picture(&client.instance);
    let Some(game) = outcomes.remove(&shown) else {
        let expected: Vec<&String> = outcomes.keys().collect();
        return Err(format!(
            "{}\nthe engine: {shown}\nthe token game: {expected:#?}\nmodel.json: {}",
            client.scenario(),
            model.to_json()
        ));
    };
    assert_sound(definition, &client.instance);
    // Who waits for ever is told why.
    if game.over.is_none() && client.choices(definition.process()) == 0 {
        let joins = crate::flow::waiting_joins(definition.process(), &client.instance);
        assert!(!joins.is_empty(), "{shown}");
    }
    Ok(game)
}

/// Plays one path. What differs is told with a scenario that shows it.
fn play(
    model: &Model,
    definition: &Definition,
    path: &[Move],
    reached: &mut Reached,
) -> Result<(), String> {
    reached.paths += 1;
    let mut client = Client::start(model, definition, path.first());
    let values = client.started_with();
    let Some(mut outcomes) = Game::start(model, values).outcomes(model) else {
        reached.left += 1;
        return Ok(());
    };
    let mut rest = path.iter().skip(1);
    loop {
        reached.commands += 1;
        reached.certain += u64::from(outcomes.len() == 1);
        let game = compare(model, definition, &client, outcomes)?;
        let told = rest.next().filter(|_| game.over.is_none());
        // Where tokens wait for one that never comes, nothing is left to do.
        let told = told.and_then(|step| client.step(definition, model, &game, *step));
        let Some(told) = told else {
            reached.ended += u64::from(game.over.is_some());
            reached.note(model, &client.journal);
            assert_eq!(replay("i", &client.journal), client.instance);
            return Ok(());
        };
        let mut game = game;
        game.tell(model, &told);
        match game.outcomes(model) {
            Some(next) => outcomes = next,
            None => {
                reached.left += 1;
                return Ok(());
            }
        }
    }
}
