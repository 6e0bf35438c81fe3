//! The one XML reader and writer: a small tree that keeps everything (unknown elements, attribute
//! order, comments), so that a file goes in and out without loss.
//!
//! Limits, checked while reading: size, depth, attributes per element, total nodes. A document type
//! definition is refused, so there are no entities to expand beyond the five of XML itself.

mod write;

use std::borrow::Cow;
use std::sync::Arc;

use quick_xml::events::attributes::Attribute as XmlAttribute;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, QName, ResolveResult};
use quick_xml::reader::NsReader;

/// The largest document, in bytes.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// The deepest nesting of elements.
pub const MAX_DEPTH: usize = 100;
/// The most attributes of one element.
pub const MAX_ATTRIBUTES: usize = 256;
/// The most elements, texts and comments.
pub const MAX_NODES: usize = 1_000_000;

/// An element with everything in it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Element {
    /// The prefix as written, for writing it back.
    pub prefix: Option<Arc<str>>,
    /// The namespace the prefix stands for; empty for none. Names are compared by it.
    pub namespace: Arc<str>,
    /// The local name.
    pub name: Arc<str>,
    /// Attributes as written, namespace declarations included.
    pub attributes: Vec<Attribute>,
    /// What is inside, in order.
    pub children: Vec<Node>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The prefix as written.
    pub prefix: Option<Arc<str>>,
    /// The namespace of the prefix; empty for none.
    pub namespace: Arc<str>,
    /// The local name.
    pub name: Arc<str>,
    /// The value, unescaped.
    pub value: String,
}

/// What an element can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Character data, unescaped. Sections marked CDATA are text too.
    Text(String),
    /// A comment.
    Comment(String),
}

/// Why a document was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not text in UTF-8.
    #[error("the document is not UTF-8 text")]
    NotUtf8,
    /// Not well-formed.
    #[error("the document is not well-formed XML at byte {at}: {reason}")]
    Malformed {
        /// Byte position.
        at: u64,
        /// What is wrong.
        reason: String,
    },
    /// A document type definition.
    #[error("the document has a DOCTYPE, which is not accepted")]
    Doctype,
    /// An entity that XML does not define.
    #[error("the document uses the entity &{0};, which is not accepted")]
    Entity(String),
    /// Over a limit.
    #[error("the document is too large: {what} is limited to {limit}")]
    TooLarge {
        /// What was measured.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
}

impl Element {
    /// An element without content.
    pub fn new(prefix: Option<&str>, namespace: &str, name: &str) -> Self {
        Self {
            prefix: prefix.map(Arc::from),
            namespace: namespace.into(),
            name: name.into(),
            ..Self::default()
        }
    }

    /// Reads a document and gives its root.
    ///
    /// # Errors
    /// A document that is not well-formed or over a limit.
    pub fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        if bytes.len() > MAX_BYTES {
            return Err(XmlError::TooLarge { what: "its size in bytes", limit: MAX_BYTES });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
        Parser::new(text.strip_prefix('\u{feff}').unwrap_or(text)).document()
    }

    /// Whether this is the element `name` of `namespace`.
    #[must_use]
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        &*self.namespace == namespace && &*self.name == name
    }

    /// The attribute `name` without a prefix.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.prefix.is_none() && &*attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }

    /// The attribute `name` of `namespace`.
    #[must_use]
    pub fn attribute_of(&self, namespace: &str, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| &*attribute.namespace == namespace && &*attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }

    /// Adds or replaces the attribute `name` without a prefix.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push(Attribute {
            prefix: None,
            namespace: "".into(),
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// Adds the attribute `name` when there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds an element at the end.
    pub fn push(&mut self, child: Self) {
        self.children.push(Node::Element(child));
    }

    /// Adds text at the end.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.children.push(Node::Text(text.into()));
        self
    }

    /// The elements directly inside, in order.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) | Node::Comment(_) => None,
        })
    }

    /// The elements directly inside, in order, to be changed.
    pub fn elements_mut(&mut self) -> impl Iterator<Item = &mut Self> {
        self.children.iter_mut().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) | Node::Comment(_) => None,
        })
    }

    /// The elements `name` of `namespace` directly inside.
    pub fn named<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Self> {
        self.elements().filter(move |element| element.is(namespace, name))
    }

    /// The first element `name` of `namespace` directly inside.
    #[must_use]
    pub fn first(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.is(namespace, name))
    }

    /// The text directly inside, trimmed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for node in &self.children {
            if let Node::Text(part) = node {
                text.push_str(part);
            }
        }
        text.trim().to_owned()
    }
}

struct Parser<'a> {
    reader: NsReader<&'a [u8]>,
    open: Vec<Element>,
    root: Option<Element>,
    nodes: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, open: Vec::new(), root: None, nodes: 0 }
    }

    fn document(mut self) -> Result<Element, XmlError> {
        loop {
            let event = self.reader.read_event().map_err(|error| self.malformed(&error))?;
            match event {
                Event::Start(start) => self.start(&start)?,
                Event::End(_) => self.end(),
                Event::Text(text) => {
                    let text = text.xml10_content().into_owned();
                    self.text(&text)?;
                }
                Event::CData(text) => self.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let letter = self.reference(&reference)?;
                    self.text(letter.encode_utf8(&mut [0; 4]))?;
                }
                Event::Comment(text) => {
                    let text = text.xml10_content().into_owned();
                    self.add(Node::Comment(text))?;
                }
                Event::DocType(_) => return Err(XmlError::Doctype),
                Event::Eof => break,
                Event::Empty(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        match self.root.take() {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err(self.malformed(&"an element is not closed, or there is none")),
        }
    }

    fn malformed(&self, reason: &dyn std::fmt::Display) -> XmlError {
        XmlError::Malformed { at: self.reader.buffer_position(), reason: reason.to_string() }
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), XmlError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooLarge { what: "its depth", limit: MAX_DEPTH });
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(self.malformed(&"there is more than one root element"));
        }
        let (namespace, _) = self.reader.resolver().resolve_element(start.name());
        let namespace = self.namespace(namespace)?;
        let (name, prefix) = start.name().decompose();
        let mut element = Element::new(
            prefix.map(quick_xml::name::Prefix::into_inner),
            &namespace,
            name.into_inner(),
        );
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| self.malformed(&error))?;
            if element.attributes.len() >= MAX_ATTRIBUTES {
                return Err(XmlError::TooLarge {
                    what: "attributes of an element",
                    limit: MAX_ATTRIBUTES,
                });
            }
            if attribute.value.contains('<') {
                return Err(self.malformed(&"an attribute value holds <; write &lt;"));
            }
            let value = self.value(&attribute)?.into_owned();
            let (name, prefix) = attribute.key.decompose();
            let namespace = match attribute.key.as_namespace_binding() {
                Some(_) => Arc::from(""),
                None => {
                    self.namespace(self.reader.resolver().resolve_attribute(attribute.key).0)?
                }
            };
            element.attributes.push(Attribute {
                prefix: prefix.map(|prefix| Arc::from(prefix.into_inner())),
                namespace,
                name: name.into_inner().into(),
                value,
            });
        }
        self.count()?;
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) {
        let Some(mut element) = self.open.pop() else { return };
        // White space between elements is layout, not content.
        if element.elements().next().is_some() {
            element
                .children
                .retain(|child| !matches!(child, Node::Text(text) if text.trim().is_empty()));
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
    }

    /// The value of an attribute, normalised (XML 1.0 §3.3.3).
    fn value<'v>(&self, attribute: &XmlAttribute<'v>) -> Result<Cow<'v, str>, XmlError> {
        attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| self.malformed(&error))
    }

    fn namespace(&self, resolved: ResolveResult<'_>) -> Result<Arc<str>, XmlError> {
        match resolved {
            ResolveResult::Bound(Namespace(uri)) => {
                // Bindings are compared as the values of attributes, not as they are written.
                let binding = XmlAttribute { key: QName("xmlns"), value: uri.into() };
                Ok(self.value(&binding)?.into())
            }
            ResolveResult::Unbound => Ok("".into()),
            ResolveResult::Unknown(prefix) => {
                Err(self.malformed(&format!("the prefix {prefix:?} is not declared")))
            }
        }
    }

    /// Adds character data. A text can come in several parts: entities and CDATA sections split it.
    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        let Some(parent) = self.open.last_mut() else {
            return if text.trim().is_empty() {
                Ok(())
            } else {
                Err(self.malformed(&"there is text outside the root element"))
            };
        };
        if let Some(Node::Text(before)) = parent.children.last_mut() {
            before.push_str(text);
            return Ok(());
        }
        self.add(Node::Text(text.to_owned()))
    }

    fn reference(&self, reference: &BytesRef<'_>) -> Result<char, XmlError> {
        if let Some(letter) =
            reference.resolve_char_ref().map_err(|error| self.malformed(&error))?
        {
            return Ok(letter);
        }
        match &*reference.xml10_content() {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            other => Err(XmlError::Entity(other.to_owned())),
        }
    }

    fn add(&mut self, node: Node) -> Result<(), XmlError> {
        self.count()?;
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(node);
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), XmlError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(XmlError::TooLarge { what: "its number of nodes", limit: MAX_NODES });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
