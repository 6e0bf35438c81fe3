use super::*;

/// What is wrong with `text`.
fn refused(text: &str) -> String {
    Scenario::parse(text).unwrap_err().to_string()
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let cases = [
        ("name: x\nmodels: []\nstrat: {}\n", "strat", "line 3"),
        (
            "name: x\nmodels: []\nsteps:\n  - complete: { node: a, instanse: 1 }\n",
            "instanse",
            "line 4",
        ),
        ("name: x\nmodels: []\nsteps:\n  - finish: a\n", "finish", "line 4"),
        ("name: x\nmodels: []\nexpect:\n  sate: active\n", "sate", "line 4"),
        ("name: x\nmodels: []\nmocks:\n  a:\n    - { var: 1 }\n", "var", "line 5"),
        ("name: x\nmodels: []\nstart:\n  proces: a\n", "proces", "line 4"),
    ];
    for (text, key, line) in cases {
        let message = refused(text);
        assert!(message.contains(&format!("`{key}`")) && message.contains(line), "{message}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_refused() {
    for text in [
        "",
        "models: []",
        "name: x",
        "name: x\nmodels: []\nnow: today",
        "name: x\nmodels: []\nstart: later",
        "name: x\nmodels: []\nsteps: [ { fail: { node: a, retries: -1 } } ]",
        "- a\n- b",
    ] {
        assert!(Scenario::parse(text).is_err(), "{text}");
    }
}

#[test]
fn the_whole_format_is_read() {
    let text = include_str!("whole.yaml");
    let scenario = Scenario::parse(text).unwrap();
    assert_eq!(scenario.name, "manager approval above the limit");
    assert_eq!(scenario.steps.len(), 15);
}

#[test]
fn junit() {
    let mut report = Report::of(Case { name: "a < \"b\"".to_owned(), failure: None });
    let failure = Some(Difference::of_step(Some(2), "x & y", "z\u{1}"));
    report.extend(Report::of(Case { name: "c".to_owned(), failure }));
    assert_eq!(
        report.to_junit(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuite name=\"scenarios\" tests=\"2\" failures=\"1\">\n  \
           <testcase classname=\"scenario\" name=\"a &lt; &quot;b&quot;\"/>\n  \
           <testcase classname=\"scenario\" name=\"c\">\n    \
             <failure message=\"step 2, step: expected x &amp; y, actual z\u{FFFD}\"/>\n  \
           </testcase>\n\
         </testsuite>\n"
    );
    assert_eq!(
        report.to_string(),
        "ok    a < \"b\"\nFAIL  c: step 2, step: expected x & y, actual z\u{1}\n1 passed, 1 failed"
    );
}

#[test]
fn a_model_that_does_not_load_fails_the_case() {
    let scenario = Scenario::parse("name: x\nmodels: [gone.bpmn]").unwrap();
    let report = run(&scenario, |path| Err(flowmaster_kernel::Error::not_found("file", path)));
    let failure = report.cases[0].failure.clone().unwrap();
    assert!(failure.actual.contains("gone.bpmn"), "{failure}");
}
