//! What a modification does, found out before any of it is done. Everything that is wrong with it is
//! said at once.

use std::collections::BTreeSet;

use crate::element::compensation;
use crate::event::Change;
use crate::finding::Finding;
use crate::flow;
use crate::instance::{Instance, Key};
use crate::model::{ElementId, Node, NodeIx, NodeKind, Process, SubProcess};
use crate::modification::{Instruction, Which};
use crate::scope::VariableMap;

/// The most instructions of one modification.
const MAX_INSTRUCTIONS: usize = 200;
/// The most element instances and tokens that one modification ends.
const MAX_ENDED: usize = 1_000;

/// A modification that can be carried out.
#[derive(Clone, Debug)]
pub(in crate::decide) struct Plan {
    pub(super) reason: Option<String>,
    pub(super) changes: Vec<Change>,
    pub(in crate::decide) variables: Vec<(Key, VariableMap)>,
    pub(in crate::decide) activations: Vec<Activation>,
    pub(in crate::decide) ended: Vec<Source>,
}

/// An element to be started.
#[derive(Clone, Debug)]
pub(in crate::decide) struct Activation {
    pub(in crate::decide) place: NodeIx,
    pub(super) target: Target,
    pub(in crate::decide) variables: VariableMap,
    /// The element that its token is moved from.
    pub(super) from: Option<NodeIx>,
}

/// Where an element is to be started: in the innermost of the sub-processes that are missing, of which
/// the outermost is started in the scope `within`.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) within: Key,
    pub(super) missing: Vec<NodeIx>,
}

/// What ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::decide) enum Source {
    Element(Key),
    /// A token that waits at a joining gateway.
    Token {
        scope: Key,
        flow: ElementId,
    },
}

/// Plans `instructions`.
///
/// # Errors
/// Everything that is wrong with them.
pub(in crate::decide) fn plan(
    process: &Process,
    instance: &Instance,
    instructions: Vec<Instruction>,
    reason: Option<String>,
) -> Result<Plan, Vec<Finding>> {
    let count = instructions.len();
    if count == 0 || count > MAX_INSTRUCTIONS {
        let what = format!("a modification has 1 to {MAX_INSTRUCTIONS} instructions, not {count}");
        let fix = "send fewer instructions at once, and at least one";
        return Err(vec![Finding::error("instruction_count", "", what, fix)]);
    }
    let mut planner = Planner { process, instance, ending: BTreeSet::new(), findings: Vec::new() };
    let sources = planner.sources(&instructions);
    let mut plan = Plan {
        reason,
        changes: Vec::new(),
        variables: Vec::new(),
        activations: Vec::new(),
        ended: Vec::new(),
    };
    for ((at, instruction), sources) in (1..).zip(instructions).zip(sources) {
        if let Err(trouble) = planner.instruction(&mut plan, instruction, sources) {
            planner.findings.push(trouble.at(at));
        }
    }
    if planner.findings.is_empty() { Ok(plan) } else { Err(planner.findings) }
}

/// What is wrong with one instruction.
struct Trouble {
    code: &'static str,
    element: ElementId,
    what: String,
    fix: &'static str,
}

impl Trouble {
    fn new(code: &'static str, element: &str, what: impl Into<String>, fix: &'static str) -> Self {
        Self { code, element: element.into(), what: what.into(), fix }
    }

    fn at(self, instruction: usize) -> Finding {
        let what = format!("instruction {instruction}: {}", self.what);
        Finding::error(self.code, &self.element, what, self.fix)
    }
}

struct Planner<'a> {
    process: &'a Process,
    instance: &'a Instance,
    /// The element instances that end, with everything in them.
    ending: BTreeSet<Key>,
    findings: Vec<Finding>,
}

impl Planner<'_> {
    /// What each instruction ends. It is known before anything is placed, because nothing can be
    /// started in what ends.
    fn sources(&mut self, instructions: &[Instruction]) -> Vec<Vec<Source>> {
        let (mut all, mut seen, mut count) = (Vec::new(), BTreeSet::new(), 0);
        for (at, instruction) in (1..).zip(instructions) {
            let found = match instruction {
                Instruction::Terminate { which } | Instruction::Move { which, .. } => {
                    self.meant(which)
                }
                Instruction::Activate { .. } | Instruction::SetVariables { .. } => Ok(Vec::new()),
            };
            let sources = found.unwrap_or_else(|trouble| {
                self.findings.push(trouble.at(at));
                Vec::new()
            });
            if let Some(twice) = sources.iter().find(|source| seen.contains(*source)) {
                let trouble = Trouble::new(
                    "named_twice",
                    &self.element_of(twice),
                    "what it ends is ended by an earlier instruction already",
                    "name each element instance once",
                );
                self.findings.push(trouble.at(at));
            }
            count += sources.len();
            seen.extend(sources.iter().cloned());
            all.push(sources);
        }
        if count > MAX_ENDED {
            let what = format!("{count} element instances are more than {MAX_ENDED} at once");
            let fix = "name some of them by their keys, and do the others afterwards";
            self.findings.push(Finding::error("too_many_instances", "", what, fix));
        }
        for source in &seen {
            if let Source::Element(key) = source
                && self.ending.insert(*key)
            {
                self.ending.extend(self.instance.inside(*key));
            }
        }
        all
    }

    fn meant(&self, which: &Which) -> Result<Vec<Source>, Trouble> {
        let fix = "read the instance in detail to see what runs, with its keys";
        let element = match which {
            Which::One(key) if self.instance.element(*key).is_some() => {
                return Ok(vec![Source::Element(*key)]);
            }
            Which::One(key) => {
                let what = format!("there is no running element instance {key}");
                return Err(Trouble::new("not_running", "", what, fix));
            }
            Which::Every(element) => element,
        };
        self.node(element)?;
        let running = self.instance.elements().filter(|(_, it)| it.element == *element);
        let outer = running.filter(|(_, it)| it.index.is_none());
        let mut sources: Vec<Source> = outer.map(|(key, _)| Source::Element(key)).collect();
        for token in self.instance.tokens() {
            if flow::target_of(self.process, &token.flow)
                .is_some_and(|target| self.process.node(target).id == *element)
            {
                let flow = ElementId::clone(&token.flow);
                sources.push(Source::Token { scope: token.scope, flow });
            }
        }
        if sources.is_empty() {
            let what = format!("{element:?} does not run, and no token waits at it");
            return Err(Trouble::new("not_running", element, what, fix));
        }
        Ok(sources)
    }

    /// The element that `source` is an instance of, or a token at.
    fn element_of(&self, source: &Source) -> ElementId {
        let found = match source {
            Source::Element(key) => self.instance.element(*key).map(|it| &it.element),
            Source::Token { flow, .. } => {
                flow::target_of(self.process, flow).map(|target| &self.process.node(target).id)
            }
        };
        found.map_or_else(|| "".into(), ElementId::clone)
    }

    fn node(&self, element: &ElementId) -> Result<NodeIx, Trouble> {
        self.process.find(element).ok_or_else(|| {
            let what = format!("the process has no element {element:?}");
            Trouble::new("unknown_element", element, what, "use an id of the model")
        })
    }

    fn instruction(
        &self,
        plan: &mut Plan,
        instruction: Instruction,
        sources: Vec<Source>,
    ) -> Result<(), Trouble> {
        match instruction {
            Instruction::Activate { element, within, variables } => {
                let place = self.startable(&element, &variables)?;
                let target = self.locate(place, within.unwrap_or(Key::PROCESS))?;
                plan.activations.push(Activation { place, target, variables, from: None });
                plan.changes.push(Change::Activated { element });
            }
            Instruction::Terminate { .. } => {
                for source in sources {
                    let (element, key) = (self.element_of(&source), source.key());
                    plan.changes.push(Change::Terminated { element, key });
                    plan.ended.push(source);
                }
            }
            Instruction::Move { to, within, variables, .. } => {
                let place = self.startable(&to, &variables)?;
                for source in sources {
                    let within = within.unwrap_or_else(|| self.around(&source, place));
                    let (element, key) = (self.element_of(&source), source.key());
                    plan.activations.push(Activation {
                        place,
                        target: self.locate(place, within)?,
                        variables: variables.clone(),
                        from: self.process.find(&element),
                    });
                    plan.changes.push(Change::Moved { element, key, to: ElementId::clone(&to) });
                    plan.ended.push(source);
                }
            }
            Instruction::SetVariables { scope, variables } => {
                self.check_scope(scope)?;
                plan.variables.push((scope, variables));
            }
        }
        Ok(())
    }

    /// The place of an element that can be started from outside.
    fn startable(&self, element: &ElementId, variables: &VariableMap) -> Result<NodeIx, Trouble> {
        let place = self.node(element)?;
        let node = self.process.node(place);
        let (what, fix) = match &node.kind {
            NodeKind::StartEvent { .. } => {
                ("a start event", "activate the element that follows the start event")
            }
            NodeKind::BoundaryEvent { .. } => (
                "a boundary event, which waits with its activity",
                "activate the activity, or the element that follows the boundary event",
            ),
            NodeKind::SubProcess(SubProcess::Event) => (
                "an event sub-process, which its event starts",
                "activate an element in it, or send what its start event waits for",
            ),
            _ if node.for_compensation => (
                "for compensation: it begins when something is undone",
                "activate an event that throws a compensation",
            ),
            _ if flow::is_join(node) && !variables.is_empty() => (
                "a joining gateway, which has no variables of its own",
                "set the variables in an instruction of their own",
            ),
            _ => return Ok(place),
        };
        let what = format!("{element:?} is {what}");
        Err(Trouble::new("not_startable", element, what, fix))
    }

    fn check_scope(&self, scope: Key) -> Result<(), Trouble> {
        if !self.instance.has_scope(scope) {
            let what = format!("there is no running element instance {scope}");
            let fix = "read the instance in detail to see what runs, with its keys";
            return Err(Trouble::new("not_running", "", what, fix));
        }
        if self.ending.contains(&scope) {
            let what = format!("the element instance {scope} ends by this modification");
            let fix = "leave out the scope, or do not end it";
            return Err(Trouble::new("scope_ends", "", what, fix));
        }
        Ok(())
    }

    /// The nearest scope around `source` in which the element at `place` lies.
    fn around(&self, source: &Source, place: NodeIx) -> Key {
        let mut scope = match source {
            Source::Element(key) => self.instance.element(*key).map_or(Key::PROCESS, |it| it.scope),
            Source::Token { scope, .. } => *scope,
        };
        while let Some(element) = self.instance.element(scope) {
            let holds = self.instance.place(self.process, scope);
            let holds = holds.is_some_and(|(ix, _)| self.process.is_inside(place, ix));
            if holds && element.repetition.is_none() && !self.ending.contains(&scope) {
                return scope;
            }
            scope = element.scope;
        }
        Key::PROCESS
    }

    /// Where the element at `place` is to be started inside `within`: in the scope that runs there,
    /// and in a new one where none does.
    fn locate(&self, place: NodeIx, within: Key) -> Result<Target, Trouble> {
        self.check_scope(within)?;
        if compensation::is_undone(self.instance, self.process, within) {
            let what = format!("the element instance {within} completed and is being undone");
            let fix = "leave out the scope, or name one that runs";
            return Err(Trouble::new("scope_is_undone", "", what, fix));
        }
        let node = self.process.node(place);
        let outermost = self.instance.place(self.process, within).map(|(ix, _)| ix);
        if outermost.is_some_and(|ix| !self.process.is_inside(place, ix)) {
            let what = format!("{:?} does not lie in the element instance {within}", node.id);
            let fix = "name the scope that the element lies in, or one further out";
            return Err(Trouble::new("not_an_ancestor", &node.id, what, fix));
        }
        let mut missing = Vec::new();
        let mut parent = node.parent;
        let scope = loop {
            let Some(ix) = parent else { break Key::PROCESS };
            let around = self.process.node(ix);
            let running = self.running(around, within);
            match running.as_slice() {
                [scope] => break *scope,
                [] if around.repeat.is_some() => {
                    let what = format!("{:?} lies in {:?}, which repeats", node.id, around.id);
                    let fix = "give the key of a running repetition, or activate what repeats";
                    return Err(Trouble::new("inside_repetition", &node.id, what, fix));
                }
                [] => missing.push(ix),
                _ => {
                    let count = running.len();
                    let what = format!("{:?} runs {count} times around {:?}", around.id, node.id);
                    let fix = "give the key of the one that is meant";
                    return Err(Trouble::new("ambiguous_scope", &node.id, what, fix));
                }
            }
            parent = around.parent;
        };
        missing.reverse();
        Ok(Target { within: scope, missing })
    }

    /// The running instances of the sub-process `node` that are `within` or lie in it, without those
    /// that end.
    fn running(&self, node: &Node, within: Key) -> Vec<Key> {
        let is_meant = |key: Key| {
            let mut scope = key;
            while scope != within {
                match self.instance.element(scope) {
                    Some(element) => scope = element.scope,
                    None => return false,
                }
            }
            true
        };
        self.instance
            .elements()
            .filter(|(_, it)| it.element == node.id && it.repetition.is_none())
            .map(|(key, _)| key)
            .filter(|key| !self.ending.contains(key) && is_meant(*key))
            .filter(|key| !compensation::is_undone(self.instance, self.process, *key))
            .collect()
    }
}

impl Source {
    /// The element instance, or the scope that the token lies in.
    pub(in crate::decide) fn key_or_scope(&self) -> Key {
        match self {
            Self::Element(key) | Self::Token { scope: key, .. } => *key,
        }
    }

    fn key(&self) -> Option<Key> {
        match self {
            Self::Element(key) => Some(*key),
            Self::Token { .. } => None,
        }
    }
}
