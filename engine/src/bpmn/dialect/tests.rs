//! Small models as each modeler exports them.

use serde_json::json;

use crate::bpmn::{Document, write};
use crate::compact::{CompactElement, CompactEvent, CompactProcess, Next, Target};
use crate::finding::{Finding, Severity};
use crate::model::{Text, Trigger};

/// Also of Operaton, whose namespace is the only difference.
const CAMUNDA_7: &str = r##"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" id="Definitions_1" targetNamespace="http://bpmn.io/schema/bpmn" exporter="Camunda Modeler">
  <bpmn:error id="E1" name="full" errorCode="FULL" camunda:errorMessage="x"/>
  <bpmn:message id="M1" name="returned-${branch}"/>
  <bpmn:process id="lend" name="Lend a book" isExecutable="true" camunda:versionTag="7" camunda:historyTimeToLive="30">
    <bpmn:startEvent id="begin" camunda:initiator="who" camunda:asyncBefore="true"><bpmn:outgoing>f1</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="f1" sourceRef="begin" targetRef="check"/>
    <bpmn:userTask id="check" name="Check" camunda:assignee="${librarian}" camunda:candidateGroups="desk,${branch}" camunda:candidateUsers="ann"
        camunda:dueDate="${dateTime}" camunda:priority="70" camunda:formKey="embedded:app:check.html">
      <bpmn:extensionElements><camunda:formData><camunda:formField id="copies" label="Copies" type="long"><camunda:validation>
        <camunda:constraint name="required"/></camunda:validation></camunda:formField>
        <camunda:formField id="state" type="enum"><camunda:value id="new" name="New"/><camunda:value id="worn"/></camunda:formField></camunda:formData>
        <camunda:inputOutput><camunda:inputParameter name="book">${order.items[0]}</camunda:inputParameter>
          <camunda:inputParameter name="fixed">7</camunda:inputParameter>
          <camunda:inputParameter name="both"><camunda:list><camunda:value>a</camunda:value><camunda:value>${b}</camunda:value></camunda:list></camunda:inputParameter>
          <camunda:inputParameter name="named"><camunda:map><camunda:entry key="the key">${b == 'x' ? 1 : 2}</camunda:entry></camunda:map></camunda:inputParameter>
          <camunda:outputParameter name="checked">${!empty copies}</camunda:outputParameter></camunda:inputOutput>
        <camunda:properties><camunda:property name="shelf" value="A"/></camunda:properties></bpmn:extensionElements></bpmn:userTask>
    <bpmn:sequenceFlow id="f2" sourceRef="check" targetRef="many"/>
    <bpmn:exclusiveGateway id="many" default="f4"/>
    <bpmn:sequenceFlow id="f3" sourceRef="many" targetRef="send"><bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">${a.b == 'x' &amp;&amp; !done}</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="f4" sourceRef="many" targetRef="rate"/>
    <bpmn:serviceTask id="send" camunda:type="external" camunda:topic="send-mail" camunda:taskPriority="${urgency}">
      <bpmn:extensionElements><camunda:failedJobRetryTimeCycle>R5/PT10M</camunda:failedJobRetryTimeCycle></bpmn:extensionElements>
      <bpmn:multiInstanceLoopCharacteristics isSequential="true" camunda:collection="readers" camunda:elementVariable="reader">
        <bpmn:completionCondition xsi:type="bpmn:tFormalExpression">${nrOfCompletedInstances &gt;= 2}</bpmn:completionCondition></bpmn:multiInstanceLoopCharacteristics></bpmn:serviceTask>
    <bpmn:boundaryEvent id="full" attachedToRef="send"><bpmn:errorEventDefinition errorRef="E1" camunda:errorCodeVariable="code"/></bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="f5" sourceRef="full" targetRef="done"/>
    <bpmn:sequenceFlow id="f6" sourceRef="send" targetRef="done"/>
    <bpmn:businessRuleTask id="rate" camunda:decisionRef="rating" camunda:resultVariable="rate" camunda:mapDecisionResult="singleEntry"/>
    <bpmn:sequenceFlow id="f7" sourceRef="rate" targetRef="sum"/>
    <bpmn:serviceTask id="sum" camunda:expression="${rate * 2}" camunda:resultVariable="double"/>
    <bpmn:sequenceFlow id="f8" sourceRef="sum" targetRef="deliver"/>
    <bpmn:callActivity id="deliver" calledElement="deliver-${kind}"><bpmn:extensionElements><camunda:in source="order" target="parcel"/>
        <camunda:in sourceExpression="${a + 1}" target="next"/><camunda:in businessKey="#{execution.processBusinessKey}"/><camunda:out variables="all"/></bpmn:extensionElements></bpmn:callActivity>
    <bpmn:sequenceFlow id="f9" sourceRef="deliver" targetRef="wait"/>
    <bpmn:intermediateCatchEvent id="wait"><bpmn:timerEventDefinition><bpmn:timeDuration xsi:type="bpmn:tFormalExpression">${delay}</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>
    <bpmn:sequenceFlow id="f10" sourceRef="wait" targetRef="done"/>
    <bpmn:endEvent id="done"><bpmn:messageEventDefinition messageRef="M1" camunda:type="external" camunda:topic="tell"/></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>"##;

const FLOWABLE: &str = r#"<?xml version='1.0' encoding='UTF-8'?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:flowable="http://flowable.org/bpmn"
    expressionLanguage="http://www.w3.org/1999/XPath" typeLanguage="http://www.w3.org/2001/XMLSchema" targetNamespace="http://flowable.org/test">
  <process id="repair" isExecutable="true" flowable:candidateStarterGroups="desk">
    <startEvent id="s" flowable:formFieldValidation="true"/>
    <sequenceFlow id="f1" sourceRef="s" targetRef="work"/>
    <userTask id="work" name="Repair" flowable:candidateGroups="workshop"><extensionElements><flowable:formProperty id="hours" name="Hours" type="double" required="true"/></extensionElements>
      <multiInstanceLoopCharacteristics isSequential="false" flowable:collection="${parts}" flowable:elementVariable="part"><loopCardinality>${n}</loopCardinality></multiInstanceLoopCharacteristics></userTask>
    <sequenceFlow id="f2" sourceRef="work" targetRef="tell"/>
    <serviceTask id="tell" flowable:type="external-worker" flowable:topic="tell-owner" flowable:async="true"/>
    <sequenceFlow id="f3" sourceRef="tell" targetRef="call"/>
    <callActivity id="call" calledElement="invoice" flowable:inheritVariables="true" flowable:calledElementType="key"><extensionElements><flowable:out source="total" target="paid"/></extensionElements></callActivity>
    <sequenceFlow id="f4" sourceRef="call" targetRef="e"><conditionExpression xsi:type="tFormalExpression" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><![CDATA[${hours gt 2}]]></conditionExpression></sequenceFlow>
    <endEvent id="e"/>
  </process>
</definitions>"#;

/// Pools, one of them a black box with an empty process; names and ids that nobody gave.
const SIGNAVIO: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:signavio="http://www.signavio.com" exporter="Signavio Process Editor" id="sid-1" targetNamespace="http://www.signavio.com">
  <collaboration id="sid-2"><extensionElements><signavio:signavioDiagramMetaData metaKey="revisionid" metaValue="x"/></extensionElements>
    <participant id="sid-3" name="Reader" processRef="sid-4"/><participant id="sid-5" name="Library" processRef="sid-6"/><participant id="sid-5b" name="Printer"/></collaboration>
  <process id="sid-4" isClosed="false" isExecutable="false" name="Reader"/>
  <process id="sid-6" isClosed="false" isExecutable="false" name="Library">
    <extensionElements><signavio:signavioMetaData metaKey="bgcolor" metaValue="fff"/></extensionElements>
    <laneSet id="sid-7"><lane id="sid-8" name="Desk"><extensionElements><signavio:signavioMetaData metaKey="bgcolor" metaValue=""/></extensionElements><flowNodeRef>sid-9</flowNodeRef><flowNodeRef>sid-10</flowNodeRef></lane></laneSet>
    <startEvent id="sid-9" name=""><extensionElements><signavio:signavioMetaData metaKey="bgcolor" metaValue="fff"/></extensionElements><outgoing>sid-11</outgoing></startEvent>
    <task completionQuantity="1" id="sid-10" isForCompensation="false" startQuantity="1"><incoming>sid-11</incoming></task>
    <sequenceFlow id="sid-11" sourceRef="sid-9" targetRef="sid-10"/>
    <sequenceFlow sourceRef="sid-10" targetRef="sid-12"/>
    <endEvent id="sid-12" name=""/>
    <textAnnotation><text>Note</text></textAnnotation>
  </process>
</definitions>"#;

/// A model of Camunda 8 in which somebody went on writing JUEL.
const CAMUNDA_8: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="D" targetNamespace="http://bpmn.io/schema/bpmn" modeler:executionPlatform="Camunda Cloud">
  <bpmn:process id="greet" isExecutable="true"><bpmn:startEvent id="s"/><bpmn:sequenceFlow id="f" sourceRef="s" targetRef="t"/>
    <bpmn:serviceTask id="t"><bpmn:extensionElements><zeebe:taskDefinition type="greet-${language}" retries="3"/>
      <zeebe:ioMapping><zeebe:input source="=&quot;${kept}&quot;" target="a"/><zeebe:input source="${user.name}" target="b"/></zeebe:ioMapping>
      <zeebe:taskHeaders><zeebe:header key="text" value="Hello ${name}"/></zeebe:taskHeaders></bpmn:extensionElements></bpmn:serviceTask></bpmn:process>
</bpmn:definitions>"#;

/// The main process of `xml`, which is kept as it is, and means the same when it is written anew.
fn read(xml: &str) -> (CompactProcess, Vec<Finding>) {
    let document = Document::parse(xml.as_bytes()).unwrap();
    assert_eq!(Document::parse(document.to_xml().as_bytes()).unwrap(), document);
    let loaded = document.load();
    let process = loaded.definitions.main_process().unwrap();
    let compact = CompactProcess::from(&**process);
    let written = Document::parse(write(process).to_xml().as_bytes()).unwrap().load();
    assert_eq!(CompactProcess::from(&**written.definitions.main_process().unwrap()), compact);
    (compact, loaded.findings)
}

fn element<'a>(process: &'a CompactProcess, id: &str) -> &'a CompactElement {
    process.elements.iter().find(|element| element.id == id).unwrap()
}

fn condition(process: &CompactProcess, id: &str) -> Option<String> {
    let Next::Many(targets) = &element(process, id).next else { return None };
    targets.iter().find_map(|target| match target {
        Target::Conditional(target) => target.when.clone(),
        Target::Plain(_) => None,
    })
}

fn said(findings: &[Finding]) -> Vec<(Severity, &str, &str)> {
    let mut said: Vec<_> = findings
        .iter()
        .map(|it| (it.severity, it.code.as_str(), it.element.as_deref().unwrap_or_default()))
        .collect();
    said.sort_unstable();
    said
}

#[test]
fn models_of_camunda_7_and_operaton_are_understood() {
    use Severity::Info;
    let operaton = CAMUNDA_7
        .replace("http://camunda.org/schema/1.0/bpmn", "http://operaton.org/schema/1.0/bpmn")
        .replace("xmlns:camunda", "xmlns:operaton")
        .replace("camunda:", "operaton:");
    for xml in [CAMUNDA_7, &operaton] {
        let (process, findings) = read(xml);
        let expected = [
            (Info, "business_key", "deliver"),
            (Info, "decision_result", "rate"),
            (Info, "ignored_setting", "E1"),
            (Info, "ignored_setting", "begin"),
            (Info, "ignored_setting", "lend"),
        ];
        assert_eq!(said(&findings), expected, "{findings:#?}");
        let check = element(&process, "check");
        let assignment = check.assignment.as_ref().unwrap();
        assert_eq!(assignment.assignee.as_deref(), Some("=librarian"));
        assert_eq!(assignment.groups.as_deref(), Some("=\"desk,\" + string(branch)"));
        assert_eq!(
            (assignment.users.as_deref(), assignment.priority.as_deref()),
            (Some("ann"), Some("70"))
        );
        assert_eq!(assignment.due.as_deref(), Some("=dateTime"));
        let form = json!({ "type": "object", "required": ["copies"], "properties": {
            "copies": { "type": "integer", "title": "Copies" }, "state": { "type": "string", "enum": ["new", "worn"] } } });
        assert_eq!(assignment.form, Some(form));
        let input = |name: &str| check.inputs[name].as_str();
        assert_eq!(
            [input("book"), input("fixed"), input("both"), input("named")],
            ["=order.items[1]", "7", "=[\"a\", b]", "={\"the key\": if b = \"x\" then 1 else 2}"]
        );
        assert_eq!(check.outputs["checked"], "=not(list contains([null, \"\", [], {}], copies))");
        assert_eq!(check.headers["shelf"], "A");
        assert_eq!(condition(&process, "many").as_deref(), Some("a.b = \"x\" and not(done)"));
        let send = element(&process, "send");
        assert_eq!((send.job.as_deref(), send.retries.as_deref()), (Some("send-mail"), Some("5")));
        assert_eq!(send.priority.as_deref(), Some("=urgency"));
        let each = send.for_each.as_ref().unwrap();
        assert_eq!(
            (each.collection.as_deref(), each.item.as_deref()),
            (Some("readers"), Some("reader"))
        );
        assert_eq!(each.until.as_deref(), Some("numberOfCompletedInstances >= 2"));
        let rate = element(&process, "rate");
        assert_eq!(
            (rate.decision.as_deref(), rate.result.as_deref()),
            (Some("rating"), Some("rate"))
        );
        let sum = element(&process, "sum");
        assert_eq!(
            (sum.script.as_deref(), sum.result.as_deref()),
            (Some("rate * 2"), Some("double"))
        );
        let call = element(&process, "deliver");
        assert_eq!(call.process.as_deref(), Some("=\"deliver-\" + string(kind)"));
        assert_eq!((&*call.inputs["parcel"], &*call.inputs["next"]), ("=order", "=a + 1"));
        assert_eq!((call.propagate_in, call.propagate_out), (None, None));
        assert_eq!(
            element(&process, "wait").event,
            Some(CompactEvent::Duration("=delay".to_owned()))
        );
        let done = element(&process, "done");
        assert!(
            matches!(&done.event, Some(CompactEvent::Message { name, .. }) if name == "=\"returned-\" + string(branch)")
        );
    }
}

#[test]
fn models_of_flowable_are_understood() {
    let (process, findings) = read(FLOWABLE);
    let ignored: Vec<&str> = findings.iter().map(|finding| finding.what.as_str()).collect();
    assert!(findings.iter().all(|finding| finding.code == "ignored_setting"), "{findings:#?}");
    for setting in
        ["candidateStarterGroups", "formFieldValidation", "flowable:async", "calledElementType"]
    {
        assert!(ignored.iter().any(|what| what.contains(setting)), "{setting}: {ignored:?}");
    }
    let work = element(&process, "work");
    assert_eq!(work.for_each.as_ref().unwrap().collection.as_deref(), Some("parts"));
    assert_eq!(
        work.assignment.as_ref().unwrap().form.as_ref().unwrap()["required"],
        json!(["hours"])
    );
    assert_eq!(element(&process, "tell").job.as_deref(), Some("tell-owner"));
    let call = element(&process, "call");
    assert_eq!(
        (call.process.as_deref(), call.propagate_in, call.propagate_out),
        (Some("invoice"), None, None)
    );
    assert_eq!(call.outputs["paid"], "=total");
    assert_eq!(condition(&process, "call").as_deref(), Some("hours > 2"));
}

#[test]
fn models_of_signavio_are_understood() {
    let (process, findings) = read(SIGNAVIO);
    assert_eq!((&*process.id, process.name.as_deref()), ("sid-6", Some("Library")));
    assert_eq!(said(&findings), [(Severity::Warning, "no_id", "sequenceFlow_1")], "{findings:#?}");
    assert_eq!(process.elements.len(), 3);
}

#[test]
fn juel_in_models_of_camunda_8_is_translated_or_said() {
    let (process, findings) = read(CAMUNDA_8);
    assert_eq!(said(&findings), [(Severity::Warning, "expression_as_text", "t")]);
    let task = element(&process, "t");
    assert_eq!(task.job.as_deref(), Some("=\"greet-\" + string(language)"));
    assert_eq!((&*task.inputs["a"], &*task.inputs["b"]), ("=\"${kept}\"", "=user.name"));
    assert_eq!(task.headers["text"], "Hello ${name}");
}

#[test]
fn what_is_not_executed_is_refused_by_name() {
    let file = |body: &str| {
        format!(
            "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL' xmlns:camunda='http://camunda.org/schema/1.0/bpmn'>\
             <process id='p' isExecutable='true'>{body}</process></definitions>"
        )
    };
    for (body, severity, code) in [
        (
            "<serviceTask id='x' camunda:delegateExpression='${senders.first()}'/>",
            Severity::Error,
            "java_code",
        ),
        (
            "<serviceTask id='x' camunda:expression='${sender.send(order)}'/>",
            Severity::Error,
            "java_code",
        ),
        (
            "<serviceTask id='x' camunda:expression='${sender.send(order)}' camunda:resultVariable='r'/>",
            Severity::Error,
            "expression_untranslated",
        ),
        ("<serviceTask id='x' camunda:type='mail'/>", Severity::Error, "vendor_task"),
        (
            "<userTask id='x'><extensionElements><camunda:taskListener event='create' class='org.example.Tell'/></extensionElements></userTask>",
            Severity::Error,
            "java_code",
        ),
        (
            "<task id='x'><extensionElements><camunda:inputOutput><camunda:inputParameter name='a'><camunda:script scriptFormat='groovy'>1</camunda:script></camunda:inputParameter></camunda:inputOutput></extensionElements></task>",
            Severity::Error,
            "java_code",
        ),
        (
            "<scriptTask id='x' scriptFormat='groovy' camunda:resultVariable='r'><script>x = 1</script></scriptTask>",
            Severity::Error,
            "expression_language",
        ),
        (
            "<callActivity id='x' camunda:caseRef='c' calledElement='y'/>",
            Severity::Error,
            "java_code",
        ),
        (
            "<userTask id='x' camunda:assignee='${finder.find(execution)}'/>",
            Severity::Error,
            "expression_untranslated",
        ),
        (
            "<businessRuleTask id='x' camunda:decisionRef='d'/>",
            Severity::Error,
            "no_result_variable",
        ),
        ("<userTask id='x' name='For ${name}'/>", Severity::Warning, "expression_as_text"),
        (
            "<userTask id='x'><documentation>For ${name}</documentation></userTask>",
            Severity::Warning,
            "expression_as_text",
        ),
        ("<task id='x' camunda:asyncBefore='true'/>", Severity::Info, "ignored_setting"),
    ] {
        let loaded = Document::parse(file(body).as_bytes()).unwrap().load();
        let found =
            loaded.findings.iter().find(|it| it.code == code && it.element.as_deref() == Some("x"));
        assert_eq!(found.map(|it| it.severity), Some(severity), "{body}: {:#?}", loaded.findings);
    }
    let script = "<startEvent id='s'/><sequenceFlow id='f' sourceRef='s' targetRef='x'/>\
                  <scriptTask id='x' scriptFormat='juel' camunda:resultVariable='r'><script>${a + 1}</script></scriptTask>";
    let (process, findings) = read(&file(script));
    assert_eq!((findings, element(&process, "x").script.as_deref()), (vec![], Some("a + 1")));
}

#[test]
fn who_may_do_a_task_is_read_from_plain_bpmn() {
    let owner = |kind: &str, text: &str| {
        format!(
            "<{kind}><resourceAssignmentExpression><formalExpression>{text}</formalExpression></resourceAssignmentExpression></{kind}>"
        )
    };
    let file = format!(
        "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL'><process id='p' isExecutable='true'><userTask id='x'>{}{}</userTask></process></definitions>",
        owner("potentialOwner", "desk, user(ann), group(office)"),
        owner("humanPerformer", "${boss}"),
    );
    let (process, findings) = read(&file);
    assert_eq!(findings, vec![]);
    let assignment = element(&process, "x").assignment.clone().unwrap();
    assert_eq!(
        [assignment.assignee, assignment.groups, assignment.users].map(Option::unwrap),
        ["=boss", "desk,office", "ann"]
    );
}

#[test]
fn what_java_code_did_is_left_to_a_worker() {
    let file = |task: &str| {
        format!(
            "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL' xmlns:camunda='http://camunda.org/schema/1.0/bpmn'>\
             <message id='m' name='told'/><process id='p' isExecutable='true'><startEvent id='s'/>\
             <sequenceFlow id='f' sourceRef='s' targetRef='x'/>{task}</process></definitions>"
        )
    };
    let injected = "<extensionElements><camunda:field name='to' stringValue='sales'/>\
         <camunda:field name='subject'><camunda:string>New order</camunda:string></camunda:field>\
         <camunda:field name='total' expression='${order.net * 2}'/></extensionElements>";
    for (task, job) in [
        (
            format!(
                "<serviceTask id='x' camunda:class='org.example.Send'>{injected}</serviceTask>"
            ),
            "org.example.Send",
        ),
        (
            format!(
                "<sendTask id='x' camunda:delegateExpression='#{{sender}}'>{injected}</sendTask>"
            ),
            "sender",
        ),
    ] {
        let (process, findings) = read(&file(&task));
        let read = element(&process, "x");
        assert_eq!(read.job.as_deref(), Some(job), "{task}");
        assert_eq!(json!(read.headers), json!({ "to": "sales", "subject": "New order" }));
        assert_eq!(json!(read.inputs), json!({ "total": "=order.net * 2" }));
        let said = findings.iter().map(|it| (&*it.code, it.severity)).collect::<Vec<_>>();
        assert_eq!(said, [("java_code", Severity::Warning)], "{findings:?}");
    }
    // Also what sends a message, which then need not be named.
    for end in ["camunda:class='Tell'", "messageRef='m' camunda:topic='Tell'"] {
        let end = format!("<endEvent id='x'><messageEventDefinition {end}/></endEvent>");
        let loaded = Document::parse(file(&end).as_bytes()).unwrap().load();
        assert!(loaded.findings.iter().all(|it| it.code == "java_code"), "{:?}", loaded.findings);
        let process = loaded.definitions.main_process().unwrap();
        let Some(Trigger::Message(message)) = process.node(process.find("x").unwrap()).trigger()
        else {
            panic!("{end}")
        };
        let job = message.job.as_ref().unwrap();
        assert!(matches!(&job.job_type, Text::Literal(job) if job == "Tell"), "{end}");
    }
}

#[test]
fn xpath_of_data_objects_becomes_feel() {
    let file = |language: &str, condition: &str| {
        format!(
            "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL' xmlns:bpmn='http://www.omg.org/spec/BPMN/20100524/MODEL'>\
             <process id='p' isExecutable='true'><exclusiveGateway id='g'/><task id='t'/>\
             <sequenceFlow id='f' sourceRef='g' targetRef='t'><conditionExpression{language}>{condition}</conditionExpression>\
             </sequenceFlow></process></definitions>"
        )
    };
    let xpath = " language='http://www.w3.org/1999/XPath'";
    for (language, written, read_as) in [
        ("", "<![CDATA[not(bpmn:getDataObject('approved'))]]>", "not(approved)"),
        (xpath, "getDataObject('order')/total &gt; 5", "order.total > 5"),
        (xpath, "true()", "true"),
    ] {
        let (process, findings) = read(&file(language, written));
        assert_eq!(condition(&process, "g").as_deref(), Some(read_as), "{findings:?}");
        assert!(findings.is_empty(), "{findings:?}");
    }
    let (_, findings) = read(&file(xpath, "count(getDataObject('items')) &gt; 1"));
    assert_eq!(&*findings[0].code, "expression_language");
}
