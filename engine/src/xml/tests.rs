use super::*;

#[test]
fn a_document_goes_in_and_out_without_loss() {
    let text = "<?xml version=\"1.0\"?><a xmlns='urn:a' xmlns:v='urn:v' v:x='1 &lt; 2&#10;&quot;'>\
                <!-- why --><b>one &amp; two<![CDATA[ <three> ]]></b><v:c/><b> x <i>y</i> z</b></a>";
    let read = Element::parse(text.as_bytes()).unwrap();
    assert_eq!(read.attribute_of("urn:v", "x"), Some("1 < 2\n\""));
    assert_eq!(read.first("urn:a", "b").unwrap().text(), "one & two <three>");
    assert!(read.first("urn:v", "c").is_some());
    let written = read.to_document();
    assert_eq!(Element::parse(written.as_bytes()).unwrap(), read, "{written}");
}

#[test]
fn a_namespace_is_its_text_and_not_how_it_is_written() {
    let read = Element::parse(b"<v:a xmlns:v='urn:v?x=1&amp;y\n2'/>").unwrap();
    assert!(read.is("urn:v?x=1&y 2", "a"), "{read:?}");
    assert_eq!(Element::parse(read.to_document().as_bytes()).unwrap(), read);
}

#[test]
fn what_is_not_well_formed_or_too_large_is_refused() {
    let deep = "<a>".repeat(MAX_DEPTH + 1) + "</a>";
    let many = [
        "<a ",
        &(0..=MAX_ATTRIBUTES).map(|at| format!("a{at}='' ")).collect::<Vec<_>>().concat(),
        "/>",
    ]
    .concat();
    let bomb = "<!DOCTYPE a [<!ENTITY b 'bb'>]><a>&b;</a>";
    for (text, expected) in [
        (deep.as_str(), "depth"),
        (many.as_str(), "attributes"),
        (bomb, "DOCTYPE"),
        ("<a>&b;</a>", "entity"),
        ("<a><b></a>", "well-formed"),
        ("<a>", "well-formed"),
        ("", "well-formed"),
        ("text", "well-formed"),
        ("<a/><b/>", "well-formed"),
        ("<a b='1' b='2'/>", "well-formed"),
        ("<v:a/>", "prefix"),
        ("<a b='<'/>", "&lt;"),
    ] {
        let error = Element::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(Element::parse(&[0xFF, 0xFE]), Err(XmlError::NotUtf8));
}
