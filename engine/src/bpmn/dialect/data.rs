//! The data of other engines: parameters, properties, collections, form fields.

use serde_json::{Map, Value, json};

use super::vendor::Vendor;
use super::{Pass, is_vendor, zeebe};
use crate::bpmn::names::MODEL;
use crate::juel::quoted;
use crate::xml::Element;

/// The deepest nesting of lists and maps in a parameter.
const MAX_DEPTH: usize = 16;

impl Pass {
    /// `inputOutput` and `properties`.
    pub(super) fn mappings(
        &mut self,
        vendor: &mut Vendor<'_>,
        extensions: &mut Vec<Element>,
        id: &str,
    ) {
        let mut made = zeebe("ioMapping");
        for parameters in vendor.take_all("inputOutput") {
            for parameter in parameters.elements() {
                let name = match &*parameter.name {
                    "inputParameter" => "input",
                    "outputParameter" => "output",
                    _ => continue,
                };
                let Some(source) = self.parameter(parameter, id) else { continue };
                let target = parameter.attribute("name").unwrap_or_default();
                made.push(zeebe(name).with("source", source).with("target", target));
            }
        }
        if !made.children.is_empty() {
            extensions.push(made);
        }
        let mut properties = zeebe("properties");
        for property in vendor.take_all("properties").into_iter().flat_map(Element::elements) {
            if let (Some(name), Some(value)) =
                (property.attribute("name"), property.attribute("value"))
            {
                if crate::juel::is_template(value) {
                    self.as_text(id, &format!("the property {name}"));
                }
                properties.push(zeebe("property").with("name", name).with("value", value));
            }
        }
        if !properties.children.is_empty() {
            extensions.push(properties);
        }
    }

    /// The value of a parameter: text, a list, a map. A script is refused.
    fn parameter(&mut self, parameter: &Element, id: &str) -> Option<String> {
        let inner = parameter.elements().find(|inner| is_vendor(&inner.namespace));
        match inner {
            None => self.value(id, &parameter.text()),
            Some(inner) => self.feel(inner, id, 0).map(|feel| format!("={feel}")),
        }
    }

    /// A list, a map or a value in one of them, as FEEL.
    fn feel(&mut self, element: &Element, id: &str, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH {
            self.java(id, "a parameter that is nested too deep");
            return None;
        }
        match &*element.name {
            "list" => {
                let items = element.elements().map(|item| self.feel(item, id, depth + 1));
                let items: Option<Vec<String>> = items.collect();
                Some(format!("[{}]", items?.join(", ")))
            }
            "map" => {
                let mut entries = Vec::new();
                for entry in element.elements() {
                    let key = quoted(entry.attribute("key").unwrap_or_default());
                    let value = match entry.elements().find(|inner| is_vendor(&inner.namespace)) {
                        Some(inner) => self.feel(inner, id, depth + 1)?,
                        None => self.literal(&entry.text(), id)?,
                    };
                    entries.push(format!("{key}: {value}"));
                }
                Some(format!("{{{}}}", entries.join(", ")))
            }
            "value" | "string" => self.literal(&element.text(), id),
            other => {
                self.java(id, &format!("a parameter of the kind {other}"));
                None
            }
        }
    }

    fn literal(&mut self, text: &str, id: &str) -> Option<String> {
        let value = self.value(id, text)?;
        Some(value.strip_prefix('=').map_or_else(|| quoted(&value), str::to_owned))
    }

    /// What a multi-instance activity goes through: the collection of another engine, or the data
    /// input of BPMN itself (BPMN 2.0.2 §10.3.8).
    pub(super) fn collection(
        &mut self,
        original: &Element,
        vendor: &mut Vendor<'_>,
        extensions: &mut Vec<Element>,
        id: &str,
    ) {
        let element = vendor.take("elementVariable");
        let Some(collection) = vendor.take("collection") else { return };
        let is_ours = original
            .first(MODEL, "extensionElements")
            .is_some_and(|it| it.first(super::ZEEBE, "loopCharacteristics").is_some());
        if is_ours {
            return;
        }
        // Without the signs of an expression it is the name of a variable.
        let text = match crate::juel::is_template(collection) {
            true => collection.to_owned(),
            false => format!("${{{collection}}}"),
        };
        if let Some(collection) = self.value(id, &text) {
            extensions.push(
                zeebe("loopCharacteristics")
                    .with("inputCollection", collection)
                    .with_some("inputElement", element),
            );
        }
    }
}

/// JSON Schema of form fields.
pub(super) fn form(fields: &[&Element]) -> Option<Value> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let Some(name) = field.attribute("id") else { continue };
        let mut property = Map::new();
        let kind = match field.attribute("type").unwrap_or_default() {
            "long" | "integer" => Some("integer"),
            "double" | "float" | "decimal" => Some("number"),
            "boolean" => Some("boolean"),
            "string" | "enum" | "date" => Some("string"),
            _ => None,
        };
        if let Some(kind) = kind {
            property.insert("type".to_owned(), json!(kind));
        }
        if let Some(label) = field.attribute("label").or(field.attribute("name")) {
            property.insert("title".to_owned(), json!(label));
        }
        let values: Vec<&str> = field
            .elements()
            .filter(|value| &*value.name == "value")
            .filter_map(|value| value.attribute("id"))
            .collect();
        if !values.is_empty() {
            property.insert("enum".to_owned(), json!(values));
        }
        let constraints = field
            .elements()
            .filter(|inner| &*inner.name == "validation")
            .flat_map(Element::elements);
        let mut names = constraints.filter_map(|constraint| constraint.attribute("name"));
        if field.attribute("required") == Some("true") || names.any(|name| name == "required") {
            required.push(name);
        }
        properties.insert(name.to_owned(), Value::Object(property));
    }
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    (!fields.is_empty()).then_some(schema)
}
