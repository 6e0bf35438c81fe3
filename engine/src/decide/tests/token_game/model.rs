//! A process as the token game plays it.
//!
//! Variables are `v0` to `v2`, which are numbers; a condition asks whether one is greater than a
//! number, so that nothing has to be evaluated here.

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
    /// Whether it is a transaction.
    pub(super) transaction: bool,
    /// What begins first in an ad-hoc sub-process.
    pub(super) first: Vec<Ix>,
    pub(super) repeat: Option<Repeat>,
    /// A variable of its own, which begins as one more than another is.
    pub(super) own: Option<(u8, u8)>,
    /// The variable that it leaves, which becomes one more than another is inside; what else it
    /// brings stays inside then.
    pub(super) leaves: Option<(u8, u8)>,
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
    /// It is no sequence flow but a link.
    Linked,
    /// Whether the complex gateway it leaves starts, or is reset.
    Starting(bool),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Repeat {
    Each(Each),
    While(While),
}

/// A loop marker. All that is said has to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct While {
    /// Asked before the first turn too.
    pub(super) before: bool,
    /// The most turns.
    pub(super) most: Option<u32>,
    /// The variable is greater than the number.
    pub(super) above: Option<(u8, i64)>,
    /// There were fewer turns, as the condition says.
    pub(super) fewer: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AdHoc {
    /// One activity at a time.
    pub(super) sequential: bool,
    /// It is over when the variable is greater than the number.
    pub(super) until: Option<(u8, i64)>,
    /// Whether what still runs is cancelled then.
    pub(super) cancels: bool,
}

/// When a complex gateway goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enough {
    Tokens(u32),
    Flows(usize),
    Above(u8, i64),
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
    /// Calls a process; whether all that it gives comes back.
    Call {
        back: bool,
    },
    /// Undoes an activity.
    Undoes(Ix),
    Pass,
    Set(u8, i64),
    Exclusive,
    Parallel,
    Inclusive,
    Complex(Enough),
    Race,
    /// The throw event of a link.
    Leap,
    /// The catch event of a link.
    Land,
    Sub,
    AdHoc(AdHoc),
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
    /// A transaction that is given up.
    Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thrown {
    Nothing,
    Error(u8),
    Escalation(u8),
    Terminate,
    /// Undoes an activity, or all in the scope.
    Undo(Option<Ix>),
    /// Gives up the transaction.
    Cancel,
}

impl Kind {
    /// Whether it does not complete at once when it begins.
    pub(super) fn waits(self) -> bool {
        let is_around = matches!(self, Self::Sub | Self::AdHoc(_));
        let is_work = matches!(self, Self::Work | Self::Call { .. } | Self::Undoes(_));
        is_around || is_work || matches!(self, Self::Catch(_) | Self::Race)
    }

    /// Whether it is an activity that is begun by a token, or by somebody.
    pub(super) fn is_activity(self) -> bool {
        matches!(
            self,
            Self::Work
                | Self::Call { .. }
                | Self::Pass
                | Self::Set(..)
                | Self::Sub
                | Self::AdHoc(_)
        )
    }
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
        self.nodes.push(Node {
            id,
            kind,
            parent,
            transaction: false,
            first: Vec::new(),
            repeat: None,
            own: None,
            leaves: None,
        });
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
}

fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Start(..) => "start",
        Kind::End(_) => "end",
        Kind::Throw(_) => "throw",
        Kind::Catch(_) => "catch",
        Kind::Boundary { .. } => "on",
        Kind::Work => "work",
        Kind::Call { .. } => "call",
        Kind::Undoes(_) => "undo",
        Kind::Pass => "pass",
        Kind::Set(..) => "set",
        Kind::Exclusive => "xor",
        Kind::Parallel => "and",
        Kind::Inclusive => "or",
        Kind::Complex(_) => "enough",
        Kind::Race => "race",
        Kind::Leap => "leap",
        Kind::Land => "land",
        Kind::Sub => "sub",
        Kind::AdHoc(_) => "free",
        Kind::Handler => "handler",
    }
}
