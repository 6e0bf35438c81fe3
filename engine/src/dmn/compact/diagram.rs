//! A simple diagram (DMN 1.5 §13), so that modellers open the file: inputs in the lowest row, each
//! decision above all that it requires.

use std::collections::BTreeMap;

use crate::xml::Element;

const DMNDI: &str = "https://www.omg.org/spec/DMN/20230324/DMNDI/";
const DC: &str = "http://www.omg.org/spec/DMN/20180521/DC/";
const DI: &str = "http://www.omg.org/spec/DMN/20180521/DI/";

const WIDTH: usize = 180;
const HEIGHT: usize = 80;
const COLUMN: usize = 220;
const ROW: usize = 160;
const MARGIN: usize = 80;

/// Where an element is drawn.
#[derive(Clone, Copy)]
struct Place {
    x: usize,
    y: usize,
}

/// Adds the diagram of `root`, whose requirements have ids.
pub(super) fn add(mut root: Element) -> Element {
    let ids: Vec<&str> = root.elements().filter(|it| is_drawn(it)).filter_map(id).collect();
    let edges: Vec<(&str, &str, &str)> = root.elements().flat_map(edges).collect();
    let levels = levels(&ids, &edges);
    let height = levels.values().copied().max().unwrap_or(0);
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    let mut places: BTreeMap<&str, Place> = BTreeMap::new();
    for at in &ids {
        let level = levels.get(at).copied().unwrap_or(0);
        let column = taken.entry(level).or_default();
        let place = Place { x: MARGIN + *column * COLUMN, y: MARGIN + (height - level) * ROW };
        *column += 1;
        places.insert(at, place);
    }
    let mut diagram = made("dmndi", DMNDI, "DMNDiagram").with("id", "diagram_1");
    for at in &ids {
        if let Some(place) = places.get(at) {
            diagram.push(shape(at, *place));
        }
    }
    for (requirement, from, to) in edges {
        if let (Some(from), Some(to)) = (places.get(from), places.get(to)) {
            diagram.push(edge(requirement, *from, *to));
        }
    }
    let mut whole = made("dmndi", DMNDI, "DMNDI");
    whole.push(diagram);
    root.push(whole);
    declare(root)
}

fn is_drawn(element: &Element) -> bool {
    ["inputData", "decision"].contains(&&*element.name)
}

fn id(element: &Element) -> Option<&str> {
    element.attribute("id")
}

/// The requirements of a decision: their ids, and where they begin and end.
fn edges(decision: &Element) -> impl Iterator<Item = (&str, &str, &str)> {
    let requirements = decision.elements().filter(|it| &*it.name == "informationRequirement");
    requirements.filter_map(move |requirement| {
        let target = requirement.elements().next()?.attribute("href")?.strip_prefix('#')?;
        Some((requirement.attribute("id")?, target, decision.attribute("id")?))
    })
}

/// How many requirements lie between an element and the lowest row, at most. There are no circles:
/// requirements that are found by name leave out what would close one.
fn levels<'a>(ids: &[&'a str], edges: &[(&str, &str, &'a str)]) -> BTreeMap<&'a str, usize> {
    let mut levels: BTreeMap<&str, usize> = ids.iter().map(|id| (*id, 0)).collect();
    for _ in ids {
        let mut is_settled = true;
        for (_, from, to) in edges {
            let above = levels.get(from).map_or(0, |level| level + 1);
            if let Some(level) = levels.get_mut(to)
                && *level < above
            {
                *level = above;
                is_settled = false;
            }
        }
        if is_settled {
            break;
        }
    }
    levels
}

fn shape(element: &str, place: Place) -> Element {
    let bounds = made("dc", DC, "Bounds")
        .with("x", place.x.to_string())
        .with("y", place.y.to_string())
        .with("width", WIDTH.to_string())
        .with("height", HEIGHT.to_string());
    let mut shape = made("dmndi", DMNDI, "DMNShape")
        .with("id", format!("shape_{element}"))
        .with("dmnElementRef", element);
    shape.push(bounds);
    shape
}

fn edge(requirement: &str, from: Place, to: Place) -> Element {
    let mut edge = made("dmndi", DMNDI, "DMNEdge")
        .with("id", format!("edge_{requirement}"))
        .with("dmnElementRef", requirement);
    for (place, y) in [(from, from.y), (to, to.y + HEIGHT)] {
        let point = made("di", DI, "waypoint");
        let x = place.x + WIDTH / 2;
        edge.push(point.with("x", x.to_string()).with("y", y.to_string()));
    }
    edge
}

fn made(prefix: &str, namespace: &str, name: &str) -> Element {
    Element::new(Some(prefix), namespace, name)
}

/// Declares the namespaces of the diagram.
fn declare(mut root: Element) -> Element {
    for (prefix, namespace) in [("dmndi", DMNDI), ("dc", DC), ("di", DI)] {
        root.attributes.push(crate::xml::Attribute {
            prefix: Some("xmlns".into()),
            namespace: "".into(),
            name: prefix.into(),
            value: namespace.to_owned(),
        });
    }
    root
}
