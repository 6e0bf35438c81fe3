//! The namespaces of BPMN files.

/// BPMN 2.0 model.
pub(super) const MODEL: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
/// BPMN 2.0 diagram interchange.
pub(super) const BPMNDI: &str = "http://www.omg.org/spec/BPMN/20100524/DI";
/// Diagram common: bounds.
pub(super) const DC: &str = "http://www.omg.org/spec/DD/20100524/DC";
/// Diagram interchange: waypoints.
pub(super) const DI: &str = "http://www.omg.org/spec/DD/20100524/DI";
/// XML Schema instance.
pub(super) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// Camunda 8.
pub(super) const ZEEBE: &str = "http://camunda.org/schema/zeebe/1.0";
/// FlowMaster's own extensions.
pub const FLOWMASTER: &str = "http://flowmaster.dev/schema/bpmn/1.0";

/// The engines whose extensions are translated: Camunda 7, Operaton, Flowable, Activiti. They name
/// the same things in the same way.
pub(super) const VENDORS: [&str; 4] = [
    "http://camunda.org/schema/1.0/bpmn",
    "http://operaton.org/schema/1.0/bpmn",
    "http://flowable.org/bpmn",
    "http://activiti.org/bpmn",
];
