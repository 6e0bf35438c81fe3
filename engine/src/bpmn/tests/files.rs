//! Whole files: which of their processes count, and models that others made.

use std::fs;
use std::path::PathBuf;

use crate::bpmn::{Document, read};

#[test]
fn a_pool_that_is_not_executable_may_be_a_picture() {
    let file = |executable: &str| {
        format!(
            "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL'>\
             <process id='shown'><startEvent id='a'><timerEventDefinition/></startEvent></process>\
             <process id='told'><startEvent id='b'/></process>\
             <process id='run' isExecutable='{executable}'><startEvent id='c'/></process></definitions>"
        )
    };
    let definitions = read(file("true").as_bytes()).unwrap();
    let ids: Vec<&str> = definitions.processes.iter().map(|process| &*process.id).collect();
    assert_eq!(ids, ["told", "run"]);
    // Where none says so, each of them counts.
    assert!(read(file("false").as_bytes()).is_err());
}

/// The reference models of the BPMN Model Interchange Working Group, kept beside the repository.
#[test]
fn reference_models_go_in_and_out_without_loss() {
    let folder = std::env::var_os("FLOWMASTER_TEST_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/conformance"),
        PathBuf::from,
    );
    let folder = folder.join("bpmn-miwg");
    let files = fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!(
            "no conformance data in {}: {error}; set FLOWMASTER_TEST_CONFORMANCE",
            folder.display()
        )
    });
    let mut checked = 0;
    for file in files {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "bpmn") {
            continue;
        }
        let read = Document::parse(&fs::read(&path).unwrap()).unwrap();
        let again = Document::parse(read.to_xml().as_bytes()).unwrap();
        if read != again {
            let (first, second) = (format!("{read:#?}"), format!("{again:#?}"));
            let differing = first.lines().zip(second.lines()).find(|(one, two)| one != two);
            panic!("{}: {differing:?}", path.display());
        }
        let loaded = read.load();
        assert!(
            !loaded.definitions.processes.is_empty(),
            "{}: {:?}",
            path.display(),
            loaded.findings
        );
        checked += 1;
    }
    assert!(checked > 0, "no .bpmn file in {}", folder.display());
}
