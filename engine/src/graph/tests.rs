//! Twins of stored definitions, one for each way in which they were damaged.

use serde_json::json;

use super::*;

mod data;

use crate::compact::{CompactElement, Next, Target};

fn only(stored: &Value) -> Import {
    let mut imports = import(stored);
    assert_eq!(imports.len(), 1, "{stored}");
    imports.remove(0)
}

fn codes(import: &Import) -> Vec<&str> {
    import.report.repairs.iter().map(|repair| repair.code.as_str()).collect()
}

fn errors(import: &Import) -> Vec<&str> {
    import.findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// The process and that it can be executed, with exactly these repairs.
#[track_caller]
fn repaired(stored: &Value, repairs: &[&str]) -> CompactProcess {
    let import = only(stored);
    assert_eq!(codes(&import), repairs, "{import:#?}");
    let verdict = match repairs {
        [] => Verdict::Executable,
        _ => Verdict::ExecutableAfterRepairs,
    };
    assert_eq!(import.report.verdict, verdict, "{import:#?}");
    import.process.unwrap()
}

#[track_caller]
fn rejected(stored: &Value, error: &str) {
    let import = only(stored);
    assert_eq!(import.report.verdict, Verdict::Rejected, "{import:#?}");
    assert!(errors(&import).contains(&error), "{import:#?}");
    assert!(import.process.is_none());
}

/// `a -> b` for every edge, in order.
fn flow(process: &CompactProcess) -> Vec<String> {
    let mut flow = Vec::new();
    for element in &process.elements {
        let targets = match &element.next {
            Next::One(to) => vec![to.clone()],
            Next::Many(targets) => targets
                .iter()
                .map(|target| match target {
                    Target::Plain(to) => to.clone(),
                    Target::Conditional(target) => format!(
                        "{}{}{}",
                        target.to,
                        target.when.as_ref().map(|when| format!(" if {when}")).unwrap_or_default(),
                        if target.default { " else" } else { "" }
                    ),
                })
                .collect(),
        };
        flow.extend(targets.into_iter().map(|to| format!("{} -> {to}", element.id)));
    }
    flow
}

fn element<'a>(process: &'a CompactProcess, id: &str) -> &'a CompactElement {
    process.elements.iter().find(|element| element.id == id).unwrap()
}

fn node(key: &str, node_type: &str, title: &str) -> Value {
    json!({ "_key": key, "type": node_type, "title": title, "config": { "actors": ["office"] } })
}

fn edge(from: &str, to: &str) -> Value {
    json!({ "_from": format!("node_def/{from}"), "_to": format!("node_def/{to}"), "type": "sequence" })
}

fn embedded(nodes: &[Value], edges: &[Value]) -> Value {
    json!({ "_key": "4711", "name": "Borrow a book", "status": "active", "nodes": nodes, "edges": edges })
}

/// start, ask, lend, end
fn steps() -> Vec<Value> {
    vec![
        node("start_1", "start", "Start"),
        node("ask", "human", "Ask for it"),
        node("lend", "human", "Lend it"),
        node("end_1", "end", "End"),
    ]
}

fn line() -> Vec<Value> {
    vec![edge("start_1", "ask"), edge("ask", "lend"), edge("lend", "end_1")]
}

const LINE: [&str; 3] = ["start_1 -> ask", "ask -> lend", "lend -> end_1"];

#[test]
fn an_undamaged_definition_is_executable_in_every_form() {
    let plain = repaired(&embedded(&steps(), &line()), &[]);
    assert_eq!(plain.id, "p_4711");
    assert_eq!(flow(&plain), LINE);
    assert_eq!(
        element(&plain, "ask").assignment.as_ref().unwrap().groups.as_deref(),
        Some("office")
    );
    let process = json!({ "_key": "4711", "name": "Borrow a book" });
    let snapshot = json!({ "process": process, "nodes": steps(), "edges": line() });
    let defines: Vec<Value> = ["start_1", "ask", "lend", "end_1"]
        .map(|to| json!({ "_from": "process_def/4711", "_to": format!("node_def/{to}") }))
        .into();
    let collections = json!({ "process_def": [process], "node_def": steps(),
        "proc_def_defines_node": defines, "proc_def_node_flow": line() });
    for form in [
        snapshot.clone(),
        json!({ "process_id": "4711", "version_number": "1.0.3", "snapshot": snapshot }),
        json!({ "process_def": process, "process_versions": [{ "process_id": "4711", "snapshot": snapshot }] }),
        collections,
        json!([embedded(&steps(), &line())]),
    ] {
        assert_eq!(repaired(&form, &[]), plain, "{form}");
    }
    for none in [json!(7), json!({}), json!([]), json!({ "id": "x", "elements": [] })] {
        assert!(import(&none).is_empty(), "{none}");
    }
}

#[test]
fn of_places_that_disagree_the_first_with_a_flow_is_taken() {
    let definition = json!({
        "process_def": { "_key": "4711", "nodes": steps(), "edges": line() },
        "node_def": steps(),
        "proc_def_node_flow": [],
        "process_versions": [
            { "process_id": "4711", "is_latest": true, "snapshot": { "nodes": steps(), "edges": [edge("start_1", "lend")] } },
            { "process_id": "4711", "snapshot": { "nodes": [], "edges": [] } },
        ],
    });
    let process = repaired(&definition, &["sources_disagree", "sources_disagree"]);
    assert_eq!(flow(&process), LINE);
}

#[test]
fn without_edges_the_stored_order_is_the_flow() {
    let defines: Vec<Value> = [("end_1", 4), ("lend", 3), ("start_1", 1), ("ask", 2)]
        .map(|(to, order)| json!({ "_from": "process_def/9", "_to": format!("node_def/{to}"), "order": order }))
        .into();
    let definition = json!({ "process_def": { "_key": "9" }, "node_def": steps(), "proc_def_defines_node": defines });
    assert_eq!(
        flow(&repaired(&definition, &["no_edges"])),
        ["lend -> end_1", "start_1 -> ask", "ask -> lend"]
    );
    rejected(&embedded(&steps(), &[]), "order_unknown");
}

#[test]
fn a_shared_node_has_the_title_of_its_own_process() {
    let row = |from: &str, to: &str| json!({ "_from": format!("process_def/{from}"), "_to": format!("node_def/{to}") });
    let mut shared = steps();
    shared[1]["title"] = json!("Ask for leave");
    let mut definition = json!({
        "process_def": { "_key": "4711", "nodes": steps(), "edges": line() },
        "node_def": shared,
        "proc_def_defines_node": [row("4711", "start_1"), row("4711", "ask"), row("4711", "lend"),
            row("4711", "end_1"), row("12", "ask")],
        "proc_def_node_flow": line(),
    });
    let process = repaired(&definition, &["shared_node"]);
    assert_eq!(element(&process, "ask").name.as_deref(), Some("Ask for it"));
    definition["process_def"] = json!({ "_key": "4711" });
    let import = only(&definition);
    assert_eq!(
        (errors(&import), import.report.verdict),
        (vec!["shared_node"], Verdict::Executable)
    );
}

#[test]
fn dangling_edges_are_left_out() {
    let mut edges = line();
    edges.extend([edge("ask", "gone"), edge("gone", "lend"), edge("gone", "lost"), json!({})]);
    let process = repaired(&embedded(&steps(), &edges), &["dangling_edge"; 4]);
    assert_eq!(flow(&process), LINE);
}

#[test]
fn the_edge_of_the_template_beside_the_real_path_is_left_out() {
    let mut edges = line();
    edges.insert(0, edge("start_1", "end_1"));
    assert_eq!(flow(&repaired(&embedded(&steps(), &edges), &["bypass"])), LINE);
    let shell = [node("start_1", "start", "Start"), node("end_1", "end", "End")];
    let process = repaired(&embedded(&shell, &[edge("start_1", "end_1")]), &[]);
    assert_eq!(flow(&process), ["start_1 -> end_1"]);
}

#[test]
fn start_and_end_are_found_whatever_their_type() {
    let mut nodes = steps();
    (nodes[0]["type"], nodes[3]["type"]) = (json!("agent"), json!("agent"));
    let process = repaired(&embedded(&nodes, &line()), &["start_type", "end_type"]);
    assert_eq!(
        (&*element(&process, "start_1").kind, &*element(&process, "end_1").kind),
        ("startEvent", "endEvent")
    );
    // One that names its agent is work.
    nodes[0]["agentRef"] = json!("clerk");
    let process = repaired(&embedded(&nodes, &line()), &["end_type", "no_start"]);
    assert_eq!(flow(&process)[..2], ["start -> start_1", "start_1 -> ask"]);
    let process = repaired(&embedded(&steps()[1..], &line()[1..]), &["no_start"]);
    assert_eq!(flow(&process)[0], "start -> ask");
    let mut two = steps();
    two.remove(0);
    let lines = [edge("ask", "end_1"), edge("lend", "end_1")];
    rejected(&embedded(&two, &lines), "start_unknown");
    two[1]["isEntryNode"] = json!(true);
    rejected(&embedded(&two, &lines), "unreachable");
}

#[test]
fn titles_are_found_under_every_name() {
    let mut nodes = steps();
    nodes[1] = json!({ "id": "ask", "type": "human", "data": { "label": "Ask" } });
    nodes[2] = json!({ "id": "lend", "type": "human", "title": "Lend it", "name": "Lend" });
    nodes.push(json!({ "id": "thank", "type": "human" }));
    let edges = [
        edge("start_1", "ask"),
        edge("ask", "lend"),
        edge("lend", "thank"),
        edge("thank", "end_1"),
    ];
    let process = repaired(&embedded(&nodes, &edges), &["two_titles", "no_title"]);
    let name = |id| element(&process, id).name.clone().unwrap();
    assert_eq!([name("ask"), name("lend"), name("thank")], ["Ask", "Lend it", "thank"]);
}

#[test]
fn a_decision_has_a_way_on_whatever_the_data() {
    let mut nodes = steps();
    nodes.insert(1, node("many", "decision", "How many?"));
    let decided = |edges: &[Value]| {
        let mut all = vec![edge("start_1", "many"), edge("ask", "lend"), edge("lend", "end_1")];
        all.extend_from_slice(edges);
        embedded(&nodes, &all)
    };
    let when = |to: &str, condition: Value| json!({ "source": "many", "target": to, "condition": condition });
    let process = repaired(&decided(&[edge("many", "ask")]), &["decision_of_one"]);
    assert_eq!(flow(&process)[1], "many -> ask");
    let process = repaired(
        &decided(&[when("ask", json!("amount >= 1000 && amount < 10000")), edge("many", "lend")]),
        &["default_edge"],
    );
    assert_eq!(
        flow(&process)[1..3],
        ["many -> ask if amount >= 1000 and amount < 10000", "many -> lend else"]
    );
    let triple = json!({ "field": "amount", "operator": ">", "value": 0 });
    let process =
        repaired(&decided(&[when("ask", triple.clone()), when("lend", json!("otherwise"))]), &[]);
    assert_eq!(flow(&process)[1..3], ["many -> ask if amount > 0", "many -> lend else"]);
    let both = json!([triple, { "any": [{ "field": "kind", "operator": "in", "value": ["a", "b"] }, "=vip"] }]);
    let process = repaired(&decided(&[when("ask", both), when("lend", json!("else"))]), &[]);
    assert_eq!(
        flow(&process)[1],
        "many -> ask if (amount > 0) and ((list contains([\"a\", \"b\"], kind)) or (vip))"
    );
    let labelled = json!({ "source": "many", "target": "ask", "label": "amount > 5" });
    let process = repaired(
        &decided(&[labelled, edge("many", "lend")]),
        &["condition_in_label", "default_edge"],
    );
    assert_eq!(flow(&process)[1], "many -> ask if amount > 5");
    rejected(&decided(&[edge("many", "ask"), edge("many", "lend")]), "decision_unclear");
    for unclear in [
        json!("bean.ask()"),
        json!({ "field": "a", "operator": "~", "value": 1 }),
        json!(3),
        json!({ "field": "a" }),
    ] {
        rejected(&decided(&[when("ask", unclear), edge("many", "lend")]), "condition_unclear");
    }
}

#[test]
fn conditions_behind_a_step_get_their_decision() {
    let edges = [
        edge("start_1", "ask"),
        json!({ "source": "ask", "target": "lend", "condition": "there == true" }),
        edge("ask", "end_1"),
        edge("lend", "end_1"),
    ];
    let process = repaired(&embedded(&steps(), &edges), &["decision_missing", "default_edge"]);
    assert_eq!(
        flow(&process)[1..4],
        [
            "ask -> ask_decision",
            "ask_decision -> lend if there = true",
            "ask_decision -> end_1 else"
        ]
    );
}

#[test]
fn the_style_of_a_line_is_no_type() {
    let mut edges = line();
    (edges[0]["type"], edges[1]["type"]) = (json!("smoothstep"), json!("default"));
    let import = only(&embedded(&steps(), &edges));
    assert_eq!(codes(&import), ["line_style"]);
    assert!(
        import.report.repairs[0].what.contains("2 edges")
            && import.report.repairs[0].what.contains("default, smoothstep")
    );
    assert_eq!(flow(&import.process.unwrap()), LINE);
}

#[test]
fn parallel_paths_get_their_gateways() {
    let mut nodes = vec![
        node("start_1", "start", "Start"),
        node("end_1", "end", "End"),
        node("sum", "human", "Sum up"),
    ];
    let mut edges = vec![edge("sum", "end_1")];
    for part in ["claims", "members", "sales", "finance", "service", "reports"] {
        let link = json!({ "subprocess_id": part, "wait_for_completion": true, "propagate_variables": false });
        nodes.push(json!({ "_key": part, "type": "subprocess", "title": part, "config": link }));
        edges.extend([edge("start_1", part), edge(part, "sum")]);
    }
    let process = repaired(&embedded(&nodes, &edges), &["parallel_edges", "parallel_meeting"]);
    let flow = flow(&process);
    assert!(
        flow.contains(&"start_1 -> start_1_split".to_owned())
            && flow.contains(&"sum_join -> sum".to_owned())
    );
    assert_eq!(flow.iter().filter(|edge| edge.starts_with("start_1_split -> ")).count(), 6);
    assert_eq!(flow.iter().filter(|edge| edge.ends_with(" -> sum_join")).count(), 6);
    let call = element(&process, "claims");
    assert_eq!(
        (call.process.as_deref(), call.propagate_in, call.propagate_out),
        (Some("claims"), Some(false), Some(false))
    );
    // Nothing has to wait at an end.
    edges.retain(|edge| {
        edge["_to"] != json!("node_def/sum") && edge["_from"] != json!("node_def/sum")
    });
    nodes.remove(2);
    edges.extend(
        ["claims", "members", "sales", "finance", "service", "reports"]
            .map(|part| edge(part, "end_1")),
    );
    repaired(&embedded(&nodes, &edges), &["parallel_edges"]);
}

#[test]
fn unknown_types_are_said_and_never_passed_over() {
    for (node_type, kind) in [
        ("task", "userTask"),
        ("startEvent", "startEvent"),
        ("human_external", "userTask"),
        ("employee_task", "userTask"),
        ("Approval", "userTask"),
        ("machine", "serviceTask"),
        ("external_third_party", "serviceTask"),
        ("webhook", "serviceTask"),
    ] {
        let mut nodes = steps();
        let at = if kind == "startEvent" { 0 } else { 2 };
        nodes[at]["type"] = json!(node_type);
        let import = only(&embedded(&nodes, &line()));
        assert_ne!(import.report.verdict, Verdict::Rejected, "{import:#?}");
        assert_eq!(import.process.unwrap().elements[at].kind, kind, "{node_type}");
    }
    for unknown in [json!("teleport"), json!(""), json!(7)] {
        let mut nodes = steps();
        nodes[2]["type"] = unknown;
        rejected(&embedded(&nodes, &line()), "unknown_node_type");
    }
    rejected(&embedded(&[], &[]), "no_nodes");
}

#[test]
fn work_becomes_the_task_of_who_does_it() {
    let requirements = json!([
        { "field": "title", "type": "string", "required": true, "description": "Of the book" },
        { "field": "due", "type": "date", "required": false },
        { "field": "state", "type": "string", "required": true, "enum": ["new", "worn"] },
    ]);
    let nodes = [
        json!({ "_key": "s", "type": "start", "data_requirements": requirements }),
        json!({ "_key": "h", "type": "action", "title": "Look", "action_type": "approval", "description": "Look at it",
            "config": { "actors": ["HR", "Law"], "instructions": "Twice" }, "data_requirements": requirements }),
        json!({ "_key": "a", "type": "task", "title": "Read", "config": { "agent_id": "reader", "agent_type": "specialist",
            "system_prompt": "x", "context_mapping": { "book": "$.order.book" }, "output_mapping": { "summary": "result.text", "n": 1 } } }),
        json!({ "_key": "w", "type": "machine", "title": "Send", "toolRef": "mail-send", "config": { "to": "a@b", "times": 2, "x": {} } }),
        json!({ "_key": "c", "type": "action", "title": "Count", "action_type": "script", "config": { "expression": "a + b * 2", "result_variable": "n" } }),
        json!({ "_key": "12", "type": "process_link", "title": "Other", "linkedProcessId": 309_386 }),
        json!({ "_key": "t", "type": "event", "title": "Wait", "config": { "event_type": "timer", "duration": "PT1H" } }),
        json!({ "_key": "e", "type": "end" }),
        json!({ "_key": "d", "type": "data_object", "title": "Book" }),
    ];
    let edges: Vec<Value> =
        [("s", "h"), ("h", "a"), ("a", "w"), ("w", "c"), ("c", "12"), ("12", "t"), ("t", "e")]
            .map(|(from, to)| edge(from, to))
            .into();
    let process = repaired(&embedded(&nodes, &edges), &[]);
    let schema = json!({ "type": "object", "required": ["title", "state"], "properties": {
        "title": { "type": "string", "description": "Of the book" },
        "due": { "type": "string", "format": "date" },
        "state": { "type": "string", "enum": ["new", "worn"] } } });
    assert_eq!(process.input, Some(schema.clone()));
    let human = element(&process, "h");
    let assignment = human.assignment.as_ref().unwrap();
    assert_eq!((assignment.groups.as_deref(), &assignment.form), (Some("HR,Law"), &Some(schema)));
    assert_eq!(
        human.documentation.as_deref(),
        Some(
            "Look at it\n\nTwice\n\nData: title (string, required), due (date), state (string, required)"
        )
    );
    let agent = element(&process, "a");
    assert_eq!((&*agent.kind, agent.agent.as_deref()), ("agentTask", Some("reader")));
    assert_eq!(agent.inputs["book"], "=order.book");
    assert_eq!((&*agent.outputs["summary"], &*agent.outputs["n"]), ("=result.text", "=1"));
    let worker = element(&process, "w");
    assert_eq!(
        (worker.job.as_deref(), worker.headers.len(), &*worker.headers["times"]),
        (Some("mail-send"), 2, "2")
    );
    assert_eq!(element(&process, "c").script.as_deref(), Some("a + b * 2"));
    assert_eq!(element(&process, "n_12").process.as_deref(), Some("p_309386"));
    let import = only(&embedded(&nodes, &edges));
    assert_eq!(errors(&import), ["data_object", "agent_settings"]);
    for (at, node, code) in [
        (2, json!({ "_key": "a", "type": "agent", "title": "Read" }), "agent_unknown"),
        (
            4,
            json!({ "_key": "c", "type": "script", "title": "Count", "config": { "script": "var a = 1;" } }),
            "script_unclear",
        ),
        (
            5,
            json!({ "_key": "12", "type": "subprocess", "title": "Other" }),
            "called_process_unknown",
        ),
        (6, json!({ "_key": "t", "type": "event", "title": "Wait" }), "event_unclear"),
        (6, json!({ "_key": "t", "type": "data_object", "title": "Wait" }), "data_in_flow"),
        (
            3,
            json!({ "_key": "w", "type": "machine", "title": "Send", "config": { "input_mapping": { "a": "b(" } } }),
            "mapping_unclear",
        ),
    ] {
        let mut nodes = nodes.to_vec();
        nodes[at] = node;
        rejected(&embedded(&nodes, &edges), code);
    }
}

#[test]
fn an_import_is_deterministic_and_what_it_gives_goes_into_bpmn_and_back() {
    let mut edges = line();
    edges.extend([
        edge("start_1", "end_1"),
        edge("ask", "ask"),
        edge("ask", "lend"),
        edge("end_1", "ask"),
        edge("lend", "start_1"),
    ]);
    let mut nodes = steps();
    nodes.push(node("ask", "human", "Ask again"));
    nodes.push(node("start_2", "start", "Start"));
    let stored = embedded(&nodes, &edges);
    let (one, two) = (only(&stored), only(&stored));
    assert_eq!(
        (&one.process, &one.report, &one.findings),
        (&two.process, &two.report, &two.findings)
    );
    let process = repaired(&embedded(&nodes, &line()), &["duplicate_node", "unconnected_event"]);
    let model = process.to_process().unwrap();
    let xml = crate::bpmn::write(&model).to_xml();
    let again = crate::bpmn::read(xml.as_bytes()).unwrap();
    let again = CompactProcess::from(&**again.main_process().unwrap());
    assert_eq!(CompactProcess::from(&*model), again);
}
