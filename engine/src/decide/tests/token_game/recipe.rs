//! Random processes: nested blocks, and in them arbitrary graphs. All are well formed, and what
//! happens again and again waits for somebody each time.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::model::{AdHoc, Each, Repeat, While};

/// How deep blocks are nested.
const DEPTH: u32 = 6;

#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) parts: Vec<Part>,
    pub(super) handlers: Vec<Handler>,
}

#[derive(Clone, Debug)]
pub(super) enum Part {
    Task {
        kind: u8,
        edges: Vec<Edge>,
        more: More,
    },
    Catch(u8),
    Throw(u8),
    End(u8),
    Line(Vec<Part>),
    /// By a link.
    Leap,
    Split {
        gate: u8,
        ways: Vec<Part>,
        conditions: u16,
        join: u8,
    },
    Race(Vec<(u8, Part)>),
    Again {
        inside: Box<Part>,
        condition: u8,
    },
    Sub {
        inside: Vec<Part>,
        edges: Vec<Edge>,
        handlers: Vec<Handler>,
        more: More,
    },
    /// A sub-process that can be given up; `way` is that of the boundary event.
    Transaction {
        inside: Vec<Part>,
        edges: Vec<Edge>,
        more: More,
        way: u8,
    },
    /// An ad-hoc sub-process; `first` says what begins in it by itself.
    Free {
        inside: Vec<Part>,
        edges: Vec<Edge>,
        handlers: Vec<Handler>,
        more: More,
        ad_hoc: AdHoc,
        first: u8,
    },
    Web {
        nodes: Vec<u8>,
        links: Vec<(u8, u8)>,
        conditions: u16,
    },
}

/// A boundary event.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) trigger: u8,
    pub(super) interrupts: bool,
    /// Whether its path ends, goes to a task, or joins that of the activity.
    pub(super) way: u8,
}

/// An event sub-process.
#[derive(Clone, Debug)]
pub(super) struct Handler {
    pub(super) trigger: u8,
    pub(super) interrupts: bool,
    pub(super) inside: Vec<Part>,
}

/// What an activity has besides.
#[derive(Clone, Debug)]
pub(super) struct More {
    pub(super) repeat: Option<Repeat>,
    pub(super) own: Option<(u8, u8)>,
    pub(super) leaves: Option<(u8, u8)>,
    pub(super) undone: bool,
}

pub(super) fn recipes() -> impl Strategy<Value = Recipe> {
    let parts_of_it =
        prop_oneof![5 => vec(parts(), 1..4), 1 => nested().prop_map(|part| vec![part])];
    (parts_of_it, vec(handler(parts().boxed()), 0..3))
        .prop_map(|(parts, handlers)| Recipe { parts, handlers })
}

/// Sub-processes and event sub-processes, one inside the other, with something to undo inside.
fn nested() -> impl Strategy<Value = Part> {
    let level = (prop::bool::weighted(0.3), 0_u8..6, any::<bool>(), edges(), more());
    (parts(), more(), vec(level, 5..7)).prop_map(|(part, more, levels)| {
        let work = |more: &More| Part::Task { kind: 0, edges: Vec::new(), more: more.clone() };
        let undone = work(&More { undone: true, ..more });
        let innermost = Part::Line(vec![undone, Part::Throw(2), part]);
        levels.into_iter().fold(
            innermost,
            |inner, (is_handler, trigger, interrupts, edges, more)| {
                let (inside, handlers) = match is_handler {
                    false => (vec![inner], Vec::new()),
                    true => (
                        vec![work(&more)],
                        vec![Handler { trigger, interrupts, inside: vec![inner] }],
                    ),
                };
                Part::Sub { inside, edges, handlers, more }
            },
        )
    })
}

fn parts() -> impl Strategy<Value = Part> {
    // Boxed: what is generated lies on the stack.
    let leaf = prop_oneof![
        8 => (0_u8..10, edges(), more())
            .prop_map(|(kind, edges, more)| Part::Task { kind, edges, more }).boxed(),
        1 => any::<u8>().prop_map(Part::Catch).boxed(),
        3 => any::<u8>().prop_map(Part::Throw).boxed(),
        2 => any::<u8>().prop_map(Part::End).boxed(),
        1 => Just(Part::Leap).boxed(),
    ];
    leaf.prop_recursive(DEPTH, 24, 4, |inner| composed(&inner))
}

fn composed(inner: &BoxedStrategy<Part>) -> impl Strategy<Value = Part> + use<> {
    let several = |most: usize| vec(inner.clone(), 1..most);
    let handlers = || vec(handler(inner.clone()), 0..2);
    let line = several(4).prop_map(Part::Line);
    let split = (any::<u8>(), vec(inner.clone(), 2..4), any::<u16>(), 0_u8..16)
        .prop_map(|(gate, ways, conditions, join)| Part::Split { gate, ways, conditions, join });
    let race = vec((any::<u8>(), inner.clone()), 2..4).prop_map(Part::Race);
    let again = (inner.clone(), any::<u8>())
        .prop_map(|(inside, condition)| Part::Again { inside: Box::new(inside), condition });
    let sub = (several(3), edges(), handlers(), more())
        .prop_map(|(inside, edges, handlers, more)| Part::Sub { inside, edges, handlers, more });
    let transaction = (several(3), edges(), more(), 0_u8..3)
        .prop_map(|(inside, edges, more, way)| Part::Transaction { inside, edges, more, way });
    let free = (several(4), edges(), handlers(), more(), ad_hoc(), any::<u8>()).prop_map(
        |(inside, edges, handlers, more, ad_hoc, first)| Part::Free {
            inside,
            edges,
            handlers,
            more,
            ad_hoc,
            first,
        },
    );
    let links = vec((any::<u8>(), any::<u8>()), 0..6);
    let web = (vec(any::<u8>(), 2..8), links, any::<u16>())
        .prop_map(|(nodes, links, conditions)| Part::Web { nodes, links, conditions });
    prop_oneof![
        3 => line.boxed(),
        4 => split.boxed(),
        1 => race.boxed(),
        1 => again.boxed(),
        4 => sub.boxed(),
        2 => transaction.boxed(),
        2 => free.boxed(),
        2 => web.boxed(),
    ]
}

fn ad_hoc() -> impl Strategy<Value = AdHoc> {
    let until = option::weighted(0.6, (0_u8..3, 0_i64..3));
    (any::<bool>(), until, any::<bool>()).prop_map(|(sequential, until, cancels)| AdHoc {
        sequential,
        until,
        cancels,
    })
}

fn edges() -> impl Strategy<Value = Vec<Edge>> {
    let edge = (0_u8..12, any::<bool>(), 0_u8..3);
    let edge = edge.prop_map(|(trigger, interrupts, way)| Edge { trigger, interrupts, way });
    prop_oneof![2 => Just(Vec::new()), 1 => vec(edge, 1..3)]
}

fn handler(inner: BoxedStrategy<Part>) -> impl Strategy<Value = Handler> {
    (0_u8..14, any::<bool>(), vec(inner, 1..3)).prop_map(|(trigger, interrupts, inside)| Handler {
        trigger,
        interrupts,
        inside,
    })
}

fn more() -> impl Strategy<Value = More> {
    let each = (0_u32..4, any::<bool>(), option::weighted(0.3, 1_u32..3));
    let each = each.prop_map(|(times, sequential, enough)| Each { times, sequential, enough });
    let above = option::weighted(0.7, (0_u8..3, 0_i64..3));
    let fewer = option::weighted(0.3, 1_u32..4);
    let again = (any::<bool>(), option::weighted(0.7, 1_u32..4), above, fewer);
    let again = again.prop_map(|(before, most, above, fewer)| While { before, most, above, fewer });
    let repeat = prop_oneof![each.prop_map(Repeat::Each), again.prop_map(Repeat::While)];
    let mapping = || (0_u8..3, 0_u8..3);
    (
        option::weighted(0.3, repeat),
        option::weighted(0.15, mapping()),
        option::weighted(0.15, mapping()),
        prop::bool::weighted(0.5),
    )
        .prop_map(|(repeat, own, leaves, undone)| More { repeat, own, leaves, undone })
}
