//! Activities that are performed again and again (BPMN 2.0.2 §10.3.8, §13.3.6, §13.3.7).

use super::game::{Game, Id, Move, Values};
use super::model::{Ix, Model, Repeat, While};

impl Game {
    pub(super) fn begin_turns(&mut self, model: &Model, id: Id, node: Ix) {
        self.at(id).turns = Some((0, 0));
        let first = match model.nodes[node].repeat.unwrap() {
            Repeat::Each(each) if each.sequential => each.times.min(1),
            Repeat::Each(each) => each.times,
            Repeat::While(again) if again.before => u32::from(self.goes_on(id, again, 0)),
            Repeat::While(_) => 1,
        };
        if first == 0 {
            return self.complete(model, id, &Values::new());
        }
        for _ in 0..first {
            self.begin_turn(id);
        }
    }

    fn begin_turn(&mut self, around: Id) {
        let node = self.running[&around].node.unwrap();
        let turn = self.activate(around, node);
        let (began, _) = self.at(around).turns.as_mut().unwrap();
        *began += 1;
        let nth = *began;
        self.at(turn).turn = Some(nth - 1);
        self.moving.push(Move::Begin(turn));
    }

    /// Whether there is another turn after so many, as seen from `from`.
    fn goes_on(&self, from: Id, again: While, turns: u32) -> bool {
        again.most.is_none_or(|most| turns < most)
            && again.above.is_none_or(|(variable, than)| self.value(from, variable) > than)
            && again.fewer.is_none_or(|than| turns < than)
    }

    pub(super) fn complete_turn(&mut self, model: &Model, id: Id, node: Ix, around: Id) {
        let (began, completed) = self.running[&around].turns.unwrap();
        let completed = completed + 1;
        let (is_over, begins) = match model.nodes[node].repeat.unwrap() {
            Repeat::Each(each) => (
                completed == each.times || each.enough.is_some_and(|enough| completed >= enough),
                began < each.times && each.sequential,
            ),
            Repeat::While(again) => {
                let goes_on = self.goes_on(id, again, completed);
                (!goes_on, goes_on)
            }
        };
        self.remove(model, id);
        self.at(around).turns = Some((began, completed));
        if is_over {
            self.kill_inside(around);
            self.complete(model, around, &Values::new());
        } else if begins {
            self.begin_turn(around);
        }
    }
}
