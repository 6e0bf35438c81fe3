mod files;

use super::*;
use crate::governance::{Action, Otherwise, Rule, Target};
use crate::model::{Gateway, Loop, NodeKind, SubProcess, Task, TimerKind, Trigger};

const ORDER: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<b:definitions xmlns:b="http://www.omg.org/spec/BPMN/20100524/MODEL"
    xmlns:z="http://camunda.org/schema/zeebe/1.0"
    xmlns:f="http://flowmaster.dev/schema/bpmn/1.0" id="file" targetNamespace="urn:t">
  <b:message id="m1" name="paid"><b:extensionElements><z:subscription correlationKey="=orderId"/></b:extensionElements></b:message>
  <b:error id="e1" errorCode="DECLINED"/>
  <b:process id="order" name="Order" isExecutable="true">
    <b:extensionElements>
      <f:contract tool="order_handle" result="approved"><f:whenToUse>Handles an order.</f:whenToUse>
        <f:input>{"type":"object","required":["orderId"]}</f:input></f:contract>
    </b:extensionElements>
    <b:laneSet id="ls"><b:lane id="l1" name="Sales"><b:flowNodeRef>approve</b:flowNodeRef></b:lane></b:laneSet>
    <b:startEvent id="start"/>
    <b:sequenceFlow id="f1" sourceRef="start" targetRef="route"/>
    <b:exclusiveGateway id="route" default="f3"/>
    <b:sequenceFlow id="f2" sourceRef="route" targetRef="approve"><b:conditionExpression>=amount &gt;= 1000</b:conditionExpression></b:sequenceFlow>
    <b:sequenceFlow id="f3" sourceRef="route" targetRef="charge"/>
    <b:userTask id="approve" name="Approve">
      <b:documentation>Look at it.</b:documentation>
      <b:extensionElements>
        <z:assignmentDefinition candidateGroups="manager"/><z:taskSchedule dueDate="=now() + duration(&quot;P1D&quot;)"/>
        <f:form>{"type":"object"}</f:form>
        <f:policy id="second-pair" on="complete" type="four_eyes" with="charge" starter="true"/>
        <f:policy id="sum" field="order.sum" type="condition" condition="=attempt.value &gt; 0" reason="none" otherwise="escalate" approvers="cfo, the board"/>
        <f:policy id="pair" on="complete deliver" type="condition" condition="=true" reason="never" otherwise="second_person"/>
        <f:policy id="tools" tool="payment_*" type="decision" decision="may_pay"/>
        <f:policy id="limit" type="mandate" domain="finance" action="approve" amount="=amount" currency="EUR" unit="=department"/>
      </b:extensionElements>
    </b:userTask>
    <b:boundaryEvent id="late" attachedToRef="approve" cancelActivity="false">
      <b:timerEventDefinition><b:timeDuration>PT2H</b:timeDuration></b:timerEventDefinition></b:boundaryEvent>
    <b:sequenceFlow id="f4" sourceRef="approve" targetRef="charge"/>
    <b:sequenceFlow id="f5" sourceRef="late" targetRef="end"/>
    <b:serviceTask id="charge"><b:extensionElements>
        <z:taskDefinition type="charge-card" retries="5"/><z:priorityDefinition priority="=urgency"/>
        <z:ioMapping><z:input source="=amount" target="sum"/><z:output source="=receipt" target="order.receipt"/></z:ioMapping>
        <z:taskHeaders><z:header key="currency" value="EUR"/></z:taskHeaders></b:extensionElements>
      <b:multiInstanceLoopCharacteristics isSequential="true"><b:extensionElements>
        <z:loopCharacteristics inputCollection="=cards" inputElement="card" outputCollection="receipts" outputElement="=receipt"/></b:extensionElements>
        <b:completionCondition>=numberOfCompletedInstances = 1</b:completionCondition></b:multiInstanceLoopCharacteristics>
    </b:serviceTask>
    <b:boundaryEvent id="declined" attachedToRef="charge"><b:errorEventDefinition errorRef="e1"/></b:boundaryEvent>
    <b:sequenceFlow id="f6" sourceRef="charge" targetRef="wait"/>
    <b:sequenceFlow id="f7" sourceRef="declined" targetRef="end"/>
    <b:intermediateCatchEvent id="wait"><b:messageEventDefinition messageRef="m1"/></b:intermediateCatchEvent>
    <b:sequenceFlow id="f8" sourceRef="wait" targetRef="sub"/>
    <b:subProcess id="sub"><b:startEvent id="s2"/><b:sequenceFlow id="f9" sourceRef="s2" targetRef="calc"/>
      <b:scriptTask id="calc"><b:extensionElements><z:script expression="=amount * 2" resultVariable="double"/></b:extensionElements></b:scriptTask></b:subProcess>
    <b:sequenceFlow id="f10" sourceRef="sub" targetRef="end"/>
    <b:endEvent id="end"/>
    <b:textAnnotation id="note"><b:text>kept</b:text></b:textAnnotation>
  </b:process>
</b:definitions>"#;

fn order() -> Arc<Process> {
    let loaded = Document::parse(ORDER.as_bytes()).unwrap().load();
    assert_eq!(loaded.findings, vec![]);
    Arc::clone(loaded.definitions.process("order").unwrap())
}

#[test]
fn elements_and_extensions_are_understood() {
    check_order(&order());
}

#[test]
fn a_written_model_reads_as_the_same_model() {
    let xml = write(&order()).to_xml();
    let loaded = Document::parse(xml.as_bytes()).unwrap().load();
    assert_eq!(loaded.findings, vec![], "{xml}");
    check_order(loaded.definitions.process("order").unwrap());
    assert!(xml.contains("BPMNShape") && xml.contains("waypoint"));
}

fn check_order(process: &Process) {
    let node = |id: &str| process.node(process.find(id).unwrap());
    assert_eq!(process.contract.tool.as_deref(), Some("order_handle"));
    assert_eq!(process.contract.result, ["approved"]);
    assert!(matches!(node("route").kind, NodeKind::Gateway(Gateway::Exclusive)));
    let condition =
        node("route").outgoing.iter().find_map(|&flow| process.flow(flow).condition.as_ref());
    assert_eq!(condition.unwrap().text(), "amount >= 1000");
    assert_eq!(&*process.flow(node("route").default_flow.unwrap()).id, "f3");
    let NodeKind::Task(Task::User(task)) = &node("approve").kind else { panic!("not a user task") };
    assert!(matches!(&task.candidate_groups, Some(Text::Literal(groups)) if groups == "manager"));
    assert!(task.form.is_some() && matches!(task.due_date, Some(Text::Feel(_))));
    let [eyes, sum, pair, tools, limit] = &node("approve").policies[..] else {
        panic!("five policies")
    };
    assert!(matches!(&sum.target, Some(Target::Field(path)) if path.root() == "order"));
    assert!(
        matches!(&sum.rule, Rule::Condition { otherwise: Otherwise::Escalate { approvers }, .. }
        if *approvers == ["cfo", "the board"])
    );
    assert!(matches!(&pair.rule, Rule::Condition { otherwise: Otherwise::SecondPerson, .. }));
    assert!(pair.on.contains(&Action::Deliver));
    assert!(matches!(&tools.target, Some(Target::Tool(pattern)) if pattern.matches("payment_x")));
    assert!(matches!(&tools.rule, Rule::Decision { decision } if decision == "may_pay"));
    assert!(
        eyes.on.contains(&Action::Complete)
            && matches!(&eyes.rule, Rule::FourEyes { starter: true, .. })
    );
    assert!(matches!(&limit.rule, Rule::Mandate { domain, .. } if domain == "finance"));
    assert!(matches!(&node("late").kind,
        NodeKind::BoundaryEvent { interrupting: false, trigger: Trigger::Timer(timer), .. } if timer.kind == TimerKind::Duration));
    assert!(matches!(&node("declined").kind,
        NodeKind::BoundaryEvent { interrupting: true, trigger: Trigger::Error(error), .. } if error.code.as_deref() == Some("DECLINED")));
    let charge = node("charge");
    assert!(matches!(&charge.kind, NodeKind::Task(Task::Job(job))
        if job.retries.is_some() && job.priority.is_some()));
    assert_eq!((charge.inputs.len(), charge.outputs.len()), (1, 1));
    assert_eq!(charge.outputs[0].target, "order.receipt");
    assert_eq!(charge.headers.get("currency").map(String::as_str), Some("EUR"));
    let Some(Loop::MultiInstance(marker)) = &charge.repeat else { panic!("multi-instance") };
    assert!(
        marker.sequential && marker.collection.is_some() && marker.completion_condition.is_some()
    );
    assert!(matches!(&node("wait").kind,
        NodeKind::IntermediateCatchEvent(Trigger::Message(message)) if message.correlation.is_given()));
    assert_eq!(node("calc").parent, process.find("sub"));
    assert_eq!(node("charge").boundary, vec![process.find("declined").unwrap()]);
}

/// As modelers draw it: an association in either direction, and others that lead to notes.
const BOOKING: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" isExecutable="true">
  <startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="book"/>
  <transaction id="book"><startEvent id="bs"/><sequenceFlow id="f2" sourceRef="bs" targetRef="pay"/>
    <task id="pay"/><boundaryEvent id="paid" attachedToRef="pay"><compensateEventDefinition/></boundaryEvent>
    <task id="refund" isForCompensation="true"/>
    <textAnnotation id="why"/><association id="a0" sourceRef="paid" targetRef="why"/>
    <association id="a1" associationDirection="One" sourceRef="paid" targetRef="refund"/>
    <sequenceFlow id="f3" sourceRef="pay" targetRef="no"/><endEvent id="no"><cancelEventDefinition/></endEvent></transaction>
  <boundaryEvent id="off" attachedToRef="book"><cancelEventDefinition/></boundaryEvent>
  <sequenceFlow id="f4" sourceRef="off" targetRef="back"/><sequenceFlow id="f5" sourceRef="book" targetRef="back"/>
  <intermediateThrowEvent id="back"><compensateEventDefinition activityRef="book" waitForCompletion="false"/></intermediateThrowEvent>
  <subProcess id="undo" isForCompensation="true"><startEvent id="us"/></subProcess>
  <boundaryEvent id="booked" attachedToRef="book"><compensateEventDefinition/></boundaryEvent>
  <association id="a2" sourceRef="undo" targetRef="booked"/>
</process></definitions>"#;

#[test]
fn compensation_goes_in_and_out_with_its_associations() {
    let check = |xml: &str| {
        let loaded = Document::parse(xml.as_bytes()).unwrap().load();
        assert_eq!(loaded.findings, vec![], "{xml}");
        let process = Arc::clone(loaded.definitions.process("p").unwrap());
        let node = |id: &str| process.node(process.find(id).unwrap());
        let handler = |id: &str| node(id).handler.map(|ix| process.node(ix).id.to_string());
        assert_eq!(handler("paid").as_deref(), Some("refund"));
        assert_eq!(handler("booked").as_deref(), Some("undo"));
        assert!(node("refund").for_compensation && node("undo").for_compensation);
        assert!(matches!(node("book").kind, NodeKind::SubProcess(SubProcess::Transaction)));
        assert!(matches!(node("no").trigger(), Some(Trigger::Cancel)));
        assert!(matches!(node("back").trigger(), Some(Trigger::Compensation(undone))
            if undone.activity.as_deref() == Some("book") && !undone.waits));
        process
    };
    let process = check(BOOKING);
    let written = write(&process).to_xml();
    check(&written);
    assert_eq!(written.matches("bpmnElement=\"paid-handler\"").count(), 1, "{written}");
}

#[test]
fn events_with_several_definitions_and_instantiating_elements_go_in_and_out() {
    let file = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL">
  <message id="m" name="hello"/><error id="x" errorCode="X"/><signal id="g" name="go"/>
  <process id="p" isExecutable="true">
  <receiveTask id="r" instantiate="true" messageRef="m"/><sequenceFlow id="f1" sourceRef="r" targetRef="c"/>
  <eventBasedGateway id="e" instantiate="true" eventGatewayType="Parallel"/>
  <intermediateCatchEvent id="c" parallelMultiple="true"><signalEventDefinition signalRef="g"/>
    <timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>
  <boundaryEvent id="b" attachedToRef="r"><extensionElements><f:errorVariables xmlns:f="http://flowmaster.dev/schema/bpmn/1.0" code="code"/></extensionElements>
    <signalEventDefinition signalRef="g"/><errorEventDefinition errorRef="x"/></boundaryEvent>
  <endEvent id="t"><signalEventDefinition signalRef="g"/><terminateEventDefinition/></endEvent>
</process></definitions>"#;
    let check = |xml: &str| {
        let loaded = Document::parse(xml.as_bytes()).unwrap().load();
        assert_eq!(loaded.findings, vec![], "{xml}");
        let process = Arc::clone(loaded.definitions.process("p").unwrap());
        let node = |id: &str| process.node(process.find(id).unwrap());
        assert!(node("r").instantiates && node("e").instantiates);
        assert!(matches!(node("e").kind, NodeKind::Gateway(Gateway::ParallelEventBased)));
        let parts = |id: &str| node(id).trigger().unwrap().parts();
        assert!(matches!(parts("c"), [Trigger::Signal { .. }, Trigger::Timer(_)]));
        assert!(node("c").trigger().unwrap().is_parallel());
        assert!(matches!(parts("b"), [Trigger::Signal { .. }, Trigger::Error(error)]
            if error.code_variable.as_deref() == Some("code")));
        assert!(matches!(parts("t"), [Trigger::Signal { .. }, Trigger::Terminate]));
        assert!(!node("t").trigger().unwrap().is_parallel());
        process
    };
    let process = check(file);
    check(&write(&process).to_xml());
}

#[test]
fn quantities_behavior_and_shared_event_definitions_go_in_and_out() {
    let file = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:f="http://flowmaster.dev/schema/bpmn/1.0">
  <signal id="g" name="voted"/><escalation id="x" escalationCode="X"/>
  <signalEventDefinition id="sd" signalRef="g"/><escalationEventDefinition id="ed" escalationRef="x"/>
  <process id="p" isExecutable="true">
  <startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="none"/>
  <task id="none" startQuantity="2" completionQuantity="3"><multiInstanceLoopCharacteristics behavior="None" noneBehaviorEventRef="sd">
    <loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></task>
  <task id="one"><multiInstanceLoopCharacteristics behavior="One">
    <loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics></task>
  <task id="complex"><extensionElements><f:criticalSection name="desk"/><f:cancellationSet refs="one f1"/></extensionElements>
    <multiInstanceLoopCharacteristics behavior="Complex"><loopCardinality>3</loopCardinality>
    <complexBehaviorDefinition><condition>=loopCounter = 2</condition><event id="ev"><eventDefinitionRef>ed</eventDefinitionRef></event></complexBehaviorDefinition>
    </multiInstanceLoopCharacteristics></task>
  <boundaryEvent id="b" attachedToRef="complex"><extensionElements><f:completesActivity/></extensionElements><eventDefinitionRef>sd</eventDefinitionRef></boundaryEvent>
</process></definitions>"#;
    let check = |xml: &str| {
        let loaded = Document::parse(xml.as_bytes()).unwrap().load();
        assert_eq!(loaded.findings, vec![], "{xml}");
        let process = Arc::clone(loaded.definitions.process("p").unwrap());
        let node = |id: &str| process.node(process.find(id).unwrap());
        assert_eq!((node("none").start_quantity, node("none").completion_quantity), (2, 3));
        assert_eq!((node("one").start_quantity, node("one").completion_quantity), (1, 1));
        assert_eq!(node("complex").critical_section.as_deref(), Some("desk"));
        assert_eq!(node("complex").cancellation_set, ["one".into(), "f1".into()]);
        assert!(node("b").completes_activity && !node("complex").completes_activity);
        assert!(matches!(node("b").trigger(), Some(Trigger::Signal { .. })));
        let behavior = |id: &str| match &node(id).repeat {
            Some(Loop::MultiInstance(repeat)) => format!("{:?}", repeat.behavior),
            other => panic!("{other:?}"),
        };
        assert_eq!(behavior("none"), "None(Signal { name: Literal(\"voted\") })");
        assert_eq!(behavior("one"), "One(Signal { name: Literal(\"one\") })");
        let complex = behavior("complex");
        assert!(
            complex.contains("=loopCounter = 2") && complex.contains("Escalation"),
            "{complex}"
        );
        process
    };
    let process = check(file);
    check(&write(&process).to_xml());
    let odd = file
        .replace("behavior=\"One\"", "behavior=\"Two\"")
        .replace("startQuantity=\"2\"", "startQuantity=\"x\"");
    let found = Document::parse(odd.as_bytes()).unwrap().load().findings;
    let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["token_quantity", "multi_instance_behavior"]);
}

#[test]
fn lanes_become_part_of_the_nodes() {
    let process = order();
    assert_eq!(process.node(process.find("approve").unwrap()).lane.as_deref(), Some("Sales"));
}

#[test]
fn mistakes_become_findings() {
    let file = |body: &str| {
        format!(
            "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL' \
             xmlns:zeebe='http://camunda.org/schema/zeebe/1.0'><process id='p'>{body}</process></definitions>"
        )
    };
    for (body, code) in [
        (
            "<scriptTask id='s'><extensionElements><zeebe:script expression='=1 +' resultVariable='x'/></extensionElements></scriptTask>",
            "expression_invalid",
        ),
        (
            "<scriptTask id='s' scriptFormat='javascript'><script>1</script></scriptTask>",
            "expression_language",
        ),
        ("<startEvent id='s'><timerEventDefinition/></startEvent>", "timer_without_time"),
        ("<receiveTask id='s'/>", "no_message"),
        ("<endEvent id='s'><messageEventDefinition/></endEvent>", "no_message"),
        (
            "<receiveTask id='s'><extensionElements><zeebe:taskDefinition type='wait'/></extensionElements></receiveTask>",
            "no_message",
        ),
        ("<startEvent id='s'><conditionalEventDefinition/></startEvent>", "no_condition"),
        (
            "<startEvent id='s'><conditionalEventDefinition><condition language='groovy'>x</condition></conditionalEventDefinition></startEvent>",
            "expression_language",
        ),
        (
            "<startEvent id='s'><conditionalEventDefinition><extensionElements><zeebe:conditionalFilter variableNames='x'/></extensionElements><condition>=x</condition></conditionalEventDefinition></startEvent>",
            "condition_filter",
        ),
        ("<receiveTask id='s' messageRef='gone'/>", "dangling_reference"),
        ("<startEvent id='s'><moonEventDefinition/></startEvent>", "unsupported_element"),
        ("<task id='s'><standardLoopCharacteristics loopMaximum='many'/></task>", "loop_maximum"),
        (
            "<task id='s'><standardLoopCharacteristics><loopCondition language='groovy'>x</loopCondition></standardLoopCharacteristics></task>",
            "expression_language",
        ),
        (
            "<complexGateway id='s'><activationCondition>1 +</activationCondition></complexGateway>",
            "expression_invalid",
        ),
        (
            "<adHocSubProcess id='s'><extensionElements><zeebe:adHoc outputCollection='x'/></extensionElements></adHocSubProcess>",
            "ad_hoc_output",
        ),
        ("<adHocSubProcess id='s' ordering='Any'/>", "ad_hoc_ordering"),
        ("<startEvent id='s'/><endEvent id='s'/>", "process_not_linked"),
        (
            "<startEvent id='s'/><sequenceFlow id='f' sourceRef='s' targetRef='gone'/>",
            "process_not_linked",
        ),
        ("<callActivity id='s'/>", "called_process_missing"),
        ("<task/>", "no_id"),
    ] {
        let loaded = Document::parse(file(body).as_bytes()).unwrap().load();
        let codes: Vec<&str> =
            loaded.findings.iter().map(|finding| finding.code.as_str()).collect();
        assert!(codes.contains(&code), "{body}: {codes:?}");
    }
    assert!(matches!(Document::parse(b"<a/>"), Err(BpmnError::NotBpmn(_))));
}

#[test]
fn a_collaboration_says_which_messages_its_processes_send_and_wait_for() {
    let file = include_str!("../scenario/tests/files/library.bpmn");
    let document = Document::parse(file.as_bytes()).unwrap();
    let loaded = document.load();
    let codes: Vec<&str> = loaded.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["message_flow_shown"], "{:#?}", loaded.findings);
    assert_eq!(loaded.findings[0].severity, crate::finding::Severity::Info);
    let library = loaded.definitions.process("library").unwrap();
    let reader = loaded.definitions.process("reader").unwrap();
    let message = |process: &Process, id: &str| {
        let node = process.node(process.find(id).unwrap());
        let message = match &node.kind {
            NodeKind::Task(Task::Send(message) | Task::Receive(message)) => message.clone(),
            _ => match node.trigger() {
                Some(Trigger::Message(message)) => message.clone(),
                other => panic!("{id}: {other:?}"),
            },
        };
        let Text::Literal(name) = message.name else { panic!("{id}") };
        (name, matches!(message.correlation, crate::model::Correlation::BusinessKey))
    };
    for (process, id, name) in [
        (reader, "ask", "Request"),
        (library, "asked", "Request"),
        (library, "answered", "Answer"),
        (reader, "wait", "Answer"),
    ] {
        assert_eq!(message(process, id), (name.to_owned(), true), "{id}");
    }
    let look = library.node(library.find("look").unwrap());
    assert_eq!(
        (look.lane.as_deref(), library.lane_group(look)),
        (Some("Desk"), Some("librarians"))
    );
    let inside: Vec<_> =
        library.lanes.iter().map(|lane| (&*lane.name, lane.inside.as_deref())).collect();
    assert_eq!(inside, [("House", None), ("Desk", Some("House")), ("Office", Some("House"))]);
    // By itself, a process keeps what the flows said.
    for process in [reader, library] {
        let written = write(process).to_xml();
        let again = Document::parse(written.as_bytes()).unwrap().load();
        assert_eq!(again.findings, vec![], "{written}");
        let again = again.definitions.main_process().unwrap();
        let compact = crate::compact::CompactProcess::from(&**process);
        assert_eq!(crate::compact::CompactProcess::from(&**again), compact, "{written}");
        let back = compact.to_process().unwrap();
        assert_eq!(crate::compact::CompactProcess::from(&*back), compact);
    }
}

#[test]
fn message_flows_that_cannot_be_are_said() {
    let file = |flow: &str| {
        format!(
            "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL'>\
             <collaboration id='c'><participant id='pa' processRef='a'/><participant id='pb' processRef='b'/>\
             <messageFlow id='f' {flow}/></collaboration>\
             <process id='a'><startEvent id='sa'/><task id='ta'/><endEvent id='ea'/></process>\
             <process id='b'><startEvent id='sb'/><exclusiveGateway id='gb'/></process></definitions>"
        )
    };
    for (flow, codes) in [
        ("sourceRef='ta' targetRef='pb'", vec![]),
        ("sourceRef='pa' targetRef='pb'", vec![]),
        ("sourceRef='ta' targetRef='gone'", vec!["dangling_reference"]),
        ("targetRef='pb'", vec!["dangling_reference"]),
        ("sourceRef='ta' targetRef='sa'", vec!["message_flow_inside"]),
        ("sourceRef='sa' targetRef='pb'", vec!["message_flow_source"]),
        ("sourceRef='ta' targetRef='gb'", vec!["message_flow_target"]),
        ("sourceRef='sa' targetRef='gb'", vec!["message_flow_source", "message_flow_target"]),
    ] {
        let loaded = Document::parse(file(flow).as_bytes()).unwrap().load();
        let found: Vec<&str> = loaded.findings.iter().map(|it| it.code.as_str()).collect();
        assert_eq!(found, codes, "{flow}");
    }
}

#[test]
fn data_associations_are_mappings() {
    let association = |kind: &str, body: &str| format!("<{kind}>{body}</{kind}>");
    let input = |body: &str| association("dataInputAssociation", body);
    let output = |body: &str| association("dataOutputAssociation", body);
    let ends = |source: &str, target: &str| {
        format!("<sourceRef>{source}</sourceRef><targetRef>{target}</targetRef>")
    };
    let check = |body: &str, inputs: &[(&str, &str)], outputs: &[(&str, &str)]| {
        let file = format!(
            "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL'><process id='p' isExecutable='true'>\
             <dataObject id='do1' name='order'/><dataObjectReference id='dor1' name='The order' dataObjectRef='do1'/>\
             <dataObject id='do2' name='two words'/><dataStoreReference id='ds' name='shelf'/>\
             <property id='pr' name='total'/><task id='t'><ioSpecification><dataInput id='i1' name='wanted'/><dataInput id='i2' name='order'/>\
             <dataOutput id='o1' name='found'/></ioSpecification>{body}</task></process></definitions>"
        );
        let document = Document::parse(file.as_bytes()).unwrap();
        let loaded = document.load();
        assert_eq!(loaded.findings, vec![], "{body}");
        let process = loaded.definitions.main_process().unwrap();
        let node = process.node(process.find("t").unwrap());
        let said = |mappings: &[crate::model::Mapping]| -> Vec<(String, String)> {
            let source = |text: &Text| match text {
                Text::Feel(program) => program.text().to_owned(),
                Text::Literal(text) => text.clone(),
            };
            mappings.iter().map(|it| (source(&it.source), it.target.clone())).collect()
        };
        let expected = |mappings: &[(&str, &str)]| -> Vec<(String, String)> {
            mappings.iter().map(|(one, two)| ((*one).to_owned(), (*two).to_owned())).collect()
        };
        assert_eq!(said(&node.inputs), expected(inputs), "{body}");
        assert_eq!(said(&node.outputs), expected(outputs), "{body}");
    };
    check(&input(&ends("dor1", "i1")), &[("order", "wanted")], &[]);
    check(&input(&ends("dor1", "i2")), &[], &[]);
    check(&input(&ends("do2", "i1")), &[("do2", "wanted")], &[]);
    check(&input(&ends("ds", "i1")), &[], &[]);
    check(&output(&ends("o1", "pr")), &[], &[("found", "total")]);
    check(&output("<targetRef>dor1</targetRef>"), &[], &[]);
    check(
        &input(
            "<targetRef>i1</targetRef><assignment><from>=order.sum * 2</from><to>i1</to></assignment>\
                <assignment><from>7</from><to>other.part</to></assignment>",
        ),
        &[("order.sum * 2", "wanted"), ("7", "other.part")],
        &[],
    );
    check(
        &output(
            "<sourceRef>o1</sourceRef><targetRef>dor1</targetRef><transformation>found + 1</transformation>",
        ),
        &[],
        &[("found + 1", "order")],
    );
    let marked = "<dataInputAssociation><sourceRef>dor1</sourceRef><targetRef>i1</targetRef></dataInputAssociation>\
        <multiInstanceLoopCharacteristics><loopDataInputRef>i1</loopDataInputRef><loopDataOutputRef>o1</loopDataOutputRef>\
        <inputDataItem id='x' name='one'/><outputDataItem id='y'/></multiInstanceLoopCharacteristics>";
    check(marked, &[("order", "wanted")], &[]);
    let file = format!(
        "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL'><process id='p'><dataObject id='do1' name='order'/>\
         <dataObjectReference id='dor1' dataObjectRef='do1'/><task id='t'><ioSpecification><dataInput id='i1' name='wanted'/>\
         <dataOutput id='o1' name='found'/></ioSpecification>{marked}</task></process></definitions>"
    );
    let loaded = Document::parse(file.as_bytes()).unwrap().load();
    let process = loaded.definitions.main_process().unwrap();
    let Some(Loop::MultiInstance(marker)) = &process.node(process.find("t").unwrap()).repeat else {
        panic!("multi-instance")
    };
    assert_eq!(marker.collection.as_ref().unwrap().text(), "order");
    assert_eq!(marker.input_element.as_deref(), Some("one"));
    assert_eq!(marker.output_collection.as_deref(), Some("found"));
    assert_eq!(marker.output_element.as_ref().unwrap().text(), "y");
}
