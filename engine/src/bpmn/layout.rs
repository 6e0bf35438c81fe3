//! A simple diagram for a process that has none: columns by distance from the start, rows by
//! branch, sub-processes around their content. Whole pixels, left to right.

use std::collections::BTreeMap;

use crate::model::{Flow, NodeIx, NodeKind, Process};

const COLUMN: i64 = 180;
const ROW: i64 = 120;
const MARGIN: i64 = 40;

/// Where a node is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Bounds {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
}

/// Where everything is drawn.
pub(super) struct Layout(BTreeMap<NodeIx, Bounds>);

impl Layout {
    pub(super) fn bounds(&self, ix: NodeIx) -> Bounds {
        self.0.get(&ix).copied().unwrap_or_default()
    }

    /// From the right side of the source to the left side of the target, with a bend between rows.
    pub(super) fn waypoints(&self, flow: &Flow) -> Vec<(i64, i64)> {
        let (from, to) = (self.bounds(flow.source), self.bounds(flow.target));
        let start = (from.x + from.width, from.y + from.height / 2);
        let end = (to.x, to.y + to.height / 2);
        if start.1 == end.1 {
            return vec![start, end];
        }
        let bend = i64::midpoint(start.0, end.0);
        vec![start, (bend, start.1), (bend, end.1), end]
    }
}

impl Layout {
    /// From the bottom of a compensation boundary event to the left side of its handler.
    pub(super) fn association(&self, event: NodeIx, handler: NodeIx) -> Vec<(i64, i64)> {
        let (from, to) = (self.bounds(event), self.bounds(handler));
        let start = (from.x + from.width / 2, from.y + from.height);
        let end = (to.x, to.y + to.height / 2);
        vec![start, (start.0, end.1), end]
    }
}

pub(super) fn layout(process: &Process) -> Layout {
    let mut layout = Layout(BTreeMap::new());
    place_scope(process, None, (MARGIN, MARGIN), &mut layout);
    layout
}

/// Places what is directly inside `scope` from `origin` on; gives the size taken.
fn place_scope(
    process: &Process,
    scope: Option<NodeIx>,
    origin: (i64, i64),
    layout: &mut Layout,
) -> (i64, i64) {
    let columns = columns(process, scope);
    let mut x = origin.0;
    let mut bottom = origin.1;
    let last = columns.values().copied().max().unwrap_or(0);
    for column in 0..=last {
        let mut y = origin.1;
        let mut widest = 100;
        for (&ix, _) in columns.iter().filter(|(_, at)| **at == column) {
            let (width, height) = match process.node(ix).kind {
                NodeKind::SubProcess(_) => {
                    let inside = place_scope(process, Some(ix), (x + MARGIN, y + MARGIN), layout);
                    (inside.0 + 2 * MARGIN, inside.1 + 2 * MARGIN)
                }
                NodeKind::Task(_) | NodeKind::CallActivity(_) => (100, 80),
                NodeKind::Gateway(_) | NodeKind::ComplexGateway { .. } => (50, 50),
                _ => (36, 36),
            };
            let centred = y + (80_i64.saturating_sub(height)).max(0) / 2;
            layout.0.insert(ix, Bounds { x, y: centred, width, height });
            y += height.max(80) + ROW - 80;
            widest = widest.max(width);
        }
        bottom = bottom.max(y);
        x += widest + COLUMN - 100;
    }
    place_boundary_events(process, scope, layout);
    (x - origin.0, bottom - origin.1)
}

/// The column of each node: its longest distance from a node without predecessors, loops cut.
fn columns(process: &Process, scope: Option<NodeIx>) -> BTreeMap<NodeIx, i64> {
    let nodes: Vec<NodeIx> = process
        .children(scope)
        .filter(|(_, node)| !matches!(node.kind, NodeKind::BoundaryEvent { .. }))
        .map(|(ix, _)| ix)
        .collect();
    let mut columns: BTreeMap<NodeIx, i64> = nodes.iter().map(|&ix| (ix, 0)).collect();
    // Relaxing as often as there are nodes is enough without loops, and stops with them.
    for _ in 0..nodes.len().min(200) {
        let mut moved = false;
        for &ix in &nodes {
            let node = process.node(ix);
            let own = columns.get(&ix).copied().unwrap_or(0);
            let from_boundary =
                node.boundary.iter().flat_map(|&event| &process.node(event).outgoing);
            let flows = node.outgoing.iter().chain(from_boundary);
            let targets = flows.map(|&flow| process.flow(flow).target);
            let handlers = node.boundary.iter().filter_map(|&event| process.node(event).handler);
            for target in targets.chain(process.link_target(node)).chain(handlers) {
                let Some(column) = columns.get_mut(&target) else { continue };
                if *column <= own && target > ix {
                    *column = own + 1;
                    moved = true;
                }
            }
        }
        if !moved {
            break;
        }
    }
    columns
}

fn place_boundary_events(process: &Process, scope: Option<NodeIx>, layout: &mut Layout) {
    for (ix, node) in process.children(scope) {
        let NodeKind::BoundaryEvent { attached_to, .. } = node.kind else { continue };
        let host = layout.bounds(attached_to);
        let among = process.node(attached_to).boundary.iter().position(|&event| event == ix);
        let offset = i64::try_from(among.unwrap_or(0)).unwrap_or(0) * 46;
        let bounds =
            Bounds { x: host.x + 10 + offset, y: host.y + host.height - 18, width: 36, height: 36 };
        layout.0.insert(ix, bounds);
    }
}
