//! Writes a tree as indented XML 1.0 in UTF-8.

use std::fmt::Write;

use super::{Attribute, Element, Node};

impl Element {
    /// The document with this element as its root.
    #[must_use]
    pub fn to_document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        write_element(&mut out, self, 0);
        out
    }
}

fn write_element(out: &mut String, element: &Element, depth: usize) {
    indent(out, depth);
    out.push('<');
    write_name(out, element.prefix.as_deref(), &element.name);
    for Attribute { prefix, name, value, .. } in &element.attributes {
        out.push(' ');
        write_name(out, prefix.as_deref(), name);
        out.push_str("=\"");
        escape_into(out, value, true);
        out.push('"');
    }
    if element.children.is_empty() {
        out.push_str("/>\n");
        return;
    }
    out.push('>');
    // Text is content: where there is any, nothing may be added around it.
    let has_text = element.children.iter().any(|child| matches!(child, Node::Text(_)));
    if has_text {
        for child in &element.children {
            write_inline(out, child);
        }
    } else {
        out.push('\n');
        for child in &element.children {
            match child {
                Node::Element(inner) => write_element(out, inner, depth + 1),
                Node::Comment(text) => {
                    indent(out, depth + 1);
                    // Writing into a string cannot fail.
                    let _ = writeln!(out, "<!--{text}-->");
                }
                Node::Text(_) => {}
            }
        }
        indent(out, depth);
    }
    out.push_str("</");
    write_name(out, element.prefix.as_deref(), &element.name);
    out.push_str(">\n");
}

fn write_inline(out: &mut String, node: &Node) {
    match node {
        Node::Text(text) => escape_into(out, text, false),
        Node::Comment(text) => {
            let _ = write!(out, "<!--{text}-->");
        }
        Node::Element(element) => {
            let start = out.len();
            write_element(out, element, 0);
            if out.ends_with('\n') && out.len() > start {
                out.pop();
            }
        }
    }
}

fn write_name(out: &mut String, prefix: Option<&str>, name: &str) {
    if let Some(prefix) = prefix {
        out.push_str(prefix);
        out.push(':');
    }
    out.push_str(name);
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// Escapes what XML reserves (XML 1.0 §2.4); in attributes also what normalisation would change.
fn escape_into(out: &mut String, text: &str, in_attribute: bool) {
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\n' if in_attribute => out.push_str("&#10;"),
            '\t' if in_attribute => out.push_str("&#9;"),
            '\r' => out.push_str("&#13;"),
            other => out.push(other),
        }
    }
}
