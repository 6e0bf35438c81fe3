//! What is fuzzed: everything that reads a file or a text that somebody else wrote. A target takes
//! any bytes; it must neither panic nor hang, and what it promises about good input must hold.

use std::fmt::Debug;
use std::path::Path;

use anyhow::Context as _;
use flowmaster_engine::bpmn::{self, Document};
use flowmaster_engine::compact::CompactProcess;
use flowmaster_engine::dmn::Decisions;
use flowmaster_engine::dmn::analyze::analyze;
use flowmaster_engine::dmn::compact::CompactRules;
use flowmaster_engine::dmn::table;
use flowmaster_engine::feel::Program;
use flowmaster_engine::graph::{self, Verdict as Imported};
use flowmaster_engine::juel;
use flowmaster_engine::scenario::{self, Scenario};
use flowmaster_engine::xml::Element;
use flowmaster_engine::{Event, replay};
use flowmaster_kernel::{Error, Timestamp};
use flowmaster_mind::rules::{csv, spreadsheet};
use flowmaster_prompts::PromptFile;
use proptest::test_runner::TestCaseError;
use serde_json::{Map, Value, json};

/// Whether an input was taken as it should be.
pub(crate) type Verdict = Result<(), TestCaseError>;

/// Something that reads.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Good files, from the root of the repository.
    seeds: &'static [&'static str],
    /// Good texts.
    texts: &'static [&'static str],
    pub(crate) take: fn(&[u8]) -> Verdict,
}

/// All of them.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "bpmn",
        seeds: &[
            "engine/src/scenario/tests/files/order.bpmn",
            "engine/src/scenario/tests/files/checks.bpmn",
            "engine/src/scenario/tests/files/library.bpmn",
        ],
        texts: VENDORS,
        take: bpmn,
    },
    Target {
        name: "compact",
        seeds: &[
            "engine/src/scenario/tests/files/delivery.json",
            "mcp-server/demo/invoice-approval.json",
            "tests/scenarios/patterns/wcp-36-dynamic-partial-join-multiple-instances.json",
            "tests/scenarios/elements/activities/multi-instance-behavior-complex.json",
            "tests/scenarios/elements/activities/cancellation-set.json",
        ],
        texts: &[LANES],
        take: compact,
    },
    Target {
        name: "dmn",
        seeds: &[
            "engine/src/scenario/tests/files/discount.dmn",
            "mcp-server/demo/invoice-route.dmn",
            "tests/product/zebra.dmn",
        ],
        texts: &[],
        take: dmn,
    },
    Target { name: "rules", seeds: &[], texts: RULES, take: rules },
    Target { name: "csv", seeds: &[], texts: SHEETS, take: csv_table },
    Target { name: "xlsx", seeds: &[], texts: SHEETS, take: xlsx },
    Target { name: "feel", seeds: &[], texts: FEEL, take: feel },
    Target { name: "graph", seeds: &[], texts: GRAPHS, take: graph },
    Target { name: "juel", seeds: &[], texts: JUEL, take: juel },
    Target {
        name: "prompt",
        seeds: &[
            "prompts/library/invoice/extract.prompt.md",
            "prompts/library/invoice/pay.prompt.md",
        ],
        texts: &[],
        take: prompt,
    },
    Target {
        name: "scenario",
        seeds: &[
            "engine/src/scenario/tests/whole.yaml",
            "tests/scenarios/invoice/automatic.yaml",
            "tests/scenarios/invoice/director.yaml",
            "tests/scenarios/invoice/four-eyes.yaml",
        ],
        texts: &[],
        take: scenario,
    },
    Target {
        name: "journal",
        seeds: &[
            "engine/src/decide/tests/golden/journal-1.jsonl",
            "engine/src/decide/tests/golden/journal-selection.jsonl",
        ],
        texts: &[],
        take: journal,
    },
];

const FEEL: &[&str] = &[
    "amount * 2 + len / 3 ** 2 - -1",
    "if amount > 10 and list[1] = 2 then \"much\" else upper case(name)",
    "for x in list, y in 1..3 return x * y + count(partial)",
    "some x in list satisfies x >= amount or every y in list satisfies y in [1..10]",
    "{ a: 1, b: a + 1, f: function(x: number) x * b, c: f(3) }.c",
    "date and time(\"2026-01-05T09:00:00Z\") + duration(\"P1Y2M\") < now()",
    "sort(list, function(a, b) a < b)[item > 1]",
    "substring(replace(name, \"a+\", \"b\"), 2, 3) in (\"x\", \"y\", not(\"z\"))",
    "context put(order, [\"total\"], sum(list)) instance of context<total: number>",
    "@\"PT3H\" between @\"PT1H\" and duration(\"P1D\")",
];

const RULES: &[&str] = &[
    r#"{"id":"r","inputs":[{"name":"amount","type":"number","allowed":"[0..100]"},{"name":"s of it","type":"string"},
        {"name":"d","type":"Any"}],"decisions":[{"id":"a","name":"A","table":{"hit":"FIRST","when":[{"input":"amount"},
        {"input":"s of it","allowed":"\"x\", \"y\""},{"input":"date(d)","type":"date"}],"then":[{"type":"number","default":"0"}],
        "notes":["why"],"rows":[["< 10.5","not(\"x\")","<= date(\"2026-01-05\")","1","so"],["[10..20)","-","-","2"]]}},
        {"id":"b","literal":"A + amount"}]}"#,
    r#"{"id":"p","inputs":[{"name":"m"}],"decisions":[{"id":"d","table":{"hit":"PRIORITY","when":[{"input":"m","type":"dateTime"}],
        "then":[{"name":"x","allowed":"3, 1"},{"name":"y"}],"rows":[["> @\"2026-01-05T00:00:00Z\"","1","m"],
        ["null, != @\"2026-01-05T00:00:01Z\"","3","\"t\""]]}}]}"#,
];

const SHEETS: &[&str] = &[
    "decision,d\nname,D\nhit policy,COLLECT SUM\nkind,input,input,output,annotation\nname,amount,s,rate,why\n\
     label,Amount,,,\ntype,number,string,number,\nallowed values,[0..10],,,\ndefault,,,0,\n\
     r-1,< 5,\"\"\"x\"\", \"\"y\"\"\",1,\"'=two\nlines\"\nrule 2,'- 5,-,2.5,",
    "decision;d\nkind;input;output\nname;a;\n;'=1;5\n;;null",
];

const JUEL: &[&str] = &[
    "amount >= 1000 && (amount < 10000 || !vip) and not empty note",
    "order.items[0].price * 2 div 3 mod 4 == map['the key']",
    "a ? 'it' : b ne \"x\" ? -c : null",
    "execution.getVariable('a') + bean.call(b, 1.5)",
];

const VENDORS: &[&str] = &["<b:definitions xmlns:b='http://www.omg.org/spec/BPMN/20100524/MODEL' \
     xmlns:c='http://camunda.org/schema/1.0/bpmn'><b:process id='p' isExecutable='true'>\
     <b:startEvent id='s'/><b:sequenceFlow id='f' sourceRef='s' targetRef='u'>\
     <b:conditionExpression>${a.b == 'x' &amp;&amp; !done}</b:conditionExpression></b:sequenceFlow>\
     <b:userTask id='u' c:assignee='${who}' c:candidateGroups='a,${b}'><b:extensionElements>\
     <c:inputOutput><c:inputParameter name='i'><c:list><c:value>${x}</c:value></c:list>\
     </c:inputParameter></c:inputOutput></b:extensionElements>\
     <b:multiInstanceLoopCharacteristics c:collection='items' c:elementVariable='item'/>\
     </b:userTask></b:process></b:definitions>"];

const LANES: &str = r#"{"id":"p","lanes":[{"name":"House"},{"name":"Desk","group":"g","in":"House"}],
    "elements":[{"id":"s","type":"startEvent","event":{"message":{"name":"m","businessKey":true}},"next":"u"},
    {"id":"u","type":"userTask","lane":"Desk","next":"c"},{"id":"c","type":"callActivity","process":"q",
    "lane":"Office","inputs":{"a":"=b"},"propagateIn":true,"next":"t"},
    {"id":"t","type":"sendTask","event":{"message":{"name":"n","correlation":"a"}}}]}"#;

const GRAPHS: &[&str] = &[
    r#"{"_key":"1","nodes":[{"id":"s","type":"start"},{"id":"d","type":"decision"},
        {"id":"a","type":"human","config":{"actors":["x"]}},{"id":"b","type":"task","toolRef":"t"},
        {"id":"e","type":"end"}],"edges":[{"source":"s","target":"d","type":"smoothstep"},
        {"source":"d","target":"a","condition":"n >= 10 && n < 20"},{"source":"d","target":"b"},
        {"source":"a","target":"e"},{"source":"b","target":"e"},{"source":"s","target":"e"}]}"#,
    r#"{"process_def":[{"_key":"1"}],"node_def":[{"_key":"s","type":"start"},{"_key":"h","type":"human"},
        {"_key":"k","type":"agent"},{"_key":"e","type":"end"}],"proc_def_defines_node":[
        {"_from":"p/1","_to":"n/s","order":1},{"_from":"p/1","_to":"n/h","order":2},
        {"_from":"p/1","_to":"n/k","order":3},{"_from":"p/1","_to":"n/e","order":4}],
        "process_versions":[{"process_id":"1","snapshot":{"nodes":[],"edges":[{"_from":"s","_to":"h"}]}}]}"#,
];

impl Target {
    /// Its seeds: the good ones, and what once was a bug (`fuzz/seeds/<name>`).
    pub(crate) fn seeds(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = fuzz.parent().context("the folder of this crate has no parent")?;
        let mut seeds: Vec<Vec<u8>> =
            self.texts.iter().map(|text| text.as_bytes().into()).collect();
        for path in self.seeds {
            seeds.push(std::fs::read(root.join(path)).with_context(|| (*path).to_owned())?);
        }
        if let Ok(bugs) = std::fs::read_dir(fuzz.join("seeds").join(self.name)) {
            for bug in bugs {
                seeds.push(std::fs::read(bug?.path())?);
            }
        }
        Ok(seeds)
    }
}

/// Fails with the place where two values differ.
fn same<T: PartialEq + Debug>(what: &str, before: &T, after: &T) -> Verdict {
    if before == after {
        return Ok(());
    }
    let (before, after) = (format!("{before:?}"), format!("{after:?}"));
    let common = before.chars().zip(after.chars()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| -> String {
        text.chars().skip(common.saturating_sub(120)).take(240).collect()
    };
    let (before, after) = (around(&before), around(&after));
    Err(TestCaseError::fail(format!("{what}:\n  before …{before}…\n  after  …{after}…")))
}

/// A document is written back without loss; what is executable runs without a panic.
fn bpmn(bytes: &[u8]) -> Verdict {
    let Ok(document) = Document::parse(bytes) else { return Ok(()) };
    let again = Document::parse(document.to_xml().as_bytes())
        .map_err(|error| TestCaseError::fail(format!("what was written is not read: {error}")))?;
    same("a document changed by writing it", document.root(), again.root())?;
    let loaded = document.load();
    for process in &loaded.definitions.processes {
        let _ = CompactProcess::from(&**process);
    }
    if bpmn::read(bytes).is_ok() {
        run("model.bpmn", bytes);
    }
    Ok(())
}

/// What becomes a process becomes the same process again by way of its compact form and of BPMN.
fn compact(bytes: &[u8]) -> Verdict {
    let Ok(compact) = serde_json::from_slice::<CompactProcess>(bytes) else { return Ok(()) };
    let Ok(process) = compact.to_process() else { return Ok(()) };
    let once = CompactProcess::from(&*process);
    let again = once.to_process().map_err(|findings| {
        TestCaseError::fail(format!("its own form is refused: {findings:?}"))
    })?;
    same("the compact form", &json!(once), &json!(CompactProcess::from(&*again)))?;
    let written = bpmn::write(&process).to_xml();
    let read = Document::parse(written.as_bytes())
        .map_err(|error| TestCaseError::fail(format!("what was written is not read: {error}")))?
        .load();
    let read =
        read.definitions.main_process().map(|process| json!(CompactProcess::from(&**process)));
    same("by way of BPMN", &Some(json!(once)), &read)?;
    run("model.json", bytes);
    Ok(())
}

/// Runs a model for a day without answering its jobs.
fn run(name: &str, bytes: &[u8]) {
    let text = format!(
        "name: fuzz\nmodels: [{name}]\nstart: {{ variables: {{ amount: 12, items: [1, 2, 3] }} }}\n\
         steps:\n  - advance: P1D\n"
    );
    if let Ok(scenario) = Scenario::parse(&text) {
        let _ = scenario::run(&scenario, |_| Ok(bytes.to_vec()));
    }
}

fn dmn(bytes: &[u8]) -> Verdict {
    let mut decisions = Decisions::default();
    if decisions.add(bytes).is_err() {
        return Ok(());
    }
    let variables = variables();
    for id in decisions.ids() {
        let _ = decisions.evaluate(id, &variables, Timestamp::from_millis(0));
    }
    Ok(())
}

/// Rules that become a file become the same rules again from it, and their tables are analysed.
fn rules(bytes: &[u8]) -> Verdict {
    let Ok(compact) = serde_json::from_slice::<CompactRules>(bytes) else { return Ok(()) };
    let Ok(xml) = compact.to_dmn() else { return Ok(()) };
    let read = |xml: &str| {
        let root = Element::parse(xml.as_bytes()).map_err(|error| {
            TestCaseError::fail(format!("what was written is not read: {error}"))
        })?;
        for table in table::read(&root).tables {
            let _ = analyze(&table);
        }
        CompactRules::from_dmn(&root).map_err(|findings| {
            TestCaseError::fail(format!("its own file is refused: {findings:?}"))
        })
    };
    // Read once, they are as the reader says them.
    let once = read(&xml)?;
    let xml = once.to_dmn().map_err(|findings| {
        TestCaseError::fail(format!("its own form is refused: {findings:?}"))
    })?;
    same("the rules", &once, &read(&xml)?)
}

/// A table that is read is the same table after it was written, and is analysed.
fn csv_table(bytes: &[u8]) -> Verdict {
    let Ok(table) = csv::read(bytes) else { return Ok(()) };
    let _ = analyze(&table);
    let written = csv::write(&table).map_err(|error| TestCaseError::fail(error.to_string()))?;
    same("the table", &Ok(table), &csv::read(written.as_bytes()))
}

/// A workbook with the table that a text is gives that table; so do its bytes when they are changed, or
/// findings.
fn xlsx(bytes: &[u8]) -> Verdict {
    let Ok(table) = csv::read(bytes) else {
        let _ = spreadsheet::read(bytes);
        return Ok(());
    };
    let mut written =
        spreadsheet::write(&[&table]).map_err(|error| TestCaseError::fail(error.to_string()))?;
    same("the table", &Ok(vec![table]), &spreadsheet::read(&written))?;
    for place in (0..written.len()).step_by(997) {
        if let Some(byte) = written.get_mut(place) {
            *byte ^= 0x55;
        }
        let _ = spreadsheet::read(&written);
    }
    Ok(())
}

fn feel(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let Ok(program) = Program::compile(text) else { return Ok(()) };
    let value = program.evaluate(&variables(), Timestamp::from_millis(1_767_603_600_000));
    let again = program.evaluate(&variables(), Timestamp::from_millis(1_767_603_600_000));
    same("evaluated twice", &value, &again)
}

/// What is translated compiles.
fn juel(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let Ok(feel) = juel::to_feel(text) else { return Ok(()) };
    let compiled = Program::compile(&feel).map(|program| program.text().to_owned());
    same("the translation", &Ok(feel), &compiled)
}

/// The same definition gives the same process, and one that is not rejected is a process.
fn graph(bytes: &[u8]) -> Verdict {
    let Ok(stored) = serde_json::from_slice::<Value>(bytes) else { return Ok(()) };
    for (import, again) in graph::import(&stored).into_iter().zip(graph::import(&stored)) {
        same("imported twice", &json!(import.process), &json!(again.process))?;
        same("imported twice", &import.report, &again.report)?;
        let is_process = import.process.is_some_and(|process| process.to_process().is_ok());
        same("a process", &(import.report.verdict != Imported::Rejected), &is_process)?;
    }
    Ok(())
}

fn variables() -> Map<String, Value> {
    let variables = json!({
        "amount": 12.5, "list": [3, 1, 2], "name": "Aaron", "order": { "id": 7 },
        "match": "matched", "customer": "gold", "len": 2
    });
    variables.as_object().cloned().unwrap_or_default()
}

/// A prompt that is accepted is the same prompt after it was written as text.
fn prompt(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    // Written anew it can be longer than it was, and so over the limit.
    if text.len() > 32 * 1024 {
        return Ok(());
    }
    let Ok(file) = PromptFile::parse(text) else { return Ok(()) };
    let _ = file.render(&json!({ "document": "d", "invoice": {}, "amount": 1 }));
    let again = file
        .to_text()
        .and_then(|text| PromptFile::parse(&text))
        .map_err(|error| TestCaseError::fail(format!("what was written is not read: {error}")))?;
    same("a prompt changed by writing it", &file, &again)
}

fn scenario(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let Ok(scenario) = Scenario::parse(text) else { return Ok(()) };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."));
    let _ = scenario::run(&scenario, |path| {
        let name = Path::new(path).file_name().unwrap_or_default();
        let places = ["mcp-server/demo", "engine/src/scenario/tests/files"];
        places
            .iter()
            .find_map(|place| std::fs::read(root.join(place).join(name)).ok())
            .ok_or_else(|| Error::invalid("no_model", "there is no such model"))
    });
    Ok(())
}

/// A journal that can be read can be replayed, to a state that can be stored and read again.
fn journal(bytes: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    let events: Result<Vec<Event>, _> = text.lines().map(serde_json::from_str).collect();
    let Ok(events) = events else { return Ok(()) };
    let instance = replay("fuzz", &events);
    let stored = serde_json::to_value(&instance)
        .map_err(|error| TestCaseError::fail(format!("the state is not stored: {error}")))?;
    let again = serde_json::from_value(stored)
        .map_err(|error| TestCaseError::fail(format!("the state is not read: {error}")))?;
    same("the state", &instance, &again)
}
