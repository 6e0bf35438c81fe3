use super::*;

fn read(media_type: MediaType, source: &str) -> Parsed {
    text(media_type, source.as_bytes().to_vec()).unwrap()
}

/// The text each span covers, and its level.
fn headings(parsed: &Parsed) -> Vec<(u8, String, String)> {
    let covered = |span: &Span| -> String {
        let length = usize::try_from(span.end - span.start).unwrap();
        parsed.text.chars().skip(usize::try_from(span.start).unwrap()).take(length).collect()
    };
    let heading = |span: &Span| span.heading.clone().unwrap();
    let spans = parsed.spans.iter();
    spans.map(|span| (heading(span).level, heading(span).title, covered(span))).collect()
}

#[test]
fn html_reads_as_a_person_sees_it() {
    for (html, expected) in [
        ("<p>One</p><p>Two\n  words</p>", "One\n\nTwo words"),
        ("a<br>b<div>c</div>d", "a\nb\nc\nd"),
        ("<ul><li>x<li>y</ul>z", "- x\n- y\n\nz"),
        ("<li><p>x</p></li>", "- x"),
        ("<table><tr><td>PO</td><td>4711</td></tr><tr><td>Sum<td> 9</table>", "PO\t4711\nSum\t9"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("1 &lt; 2 &amp;&#x20AC;&nbsp;3", "1 < 2 &€\u{a0}3"),
        ("<title>T &amp; U</title><p>b", "T & U\n\nb"),
        ("x<script>alert('<p>1</p>')</script>y", "xy"),
        ("x<style>p::before { content: 'no' }</style>y", "xy"),
        ("x<template><p>no</p></template>y", "xy"),
        ("x<!-- no --><img alt='no' src='no'>y", "xy"),
        ("x<script>never closed", "x"),
        ("x<SCRIPT type=a>no</ScRiPt >y", "xy"),
        ("x<script><!-- <script> no </script> no --></script>y", "xy"),
        ("<b", "x"),
    ] {
        match text(MediaType::Html, html.as_bytes().to_vec()) {
            Ok(parsed) => assert_eq!(parsed.text, expected, "{html}"),
            Err(error) => assert!(matches!(error, DocumentError::NoText) && html == "<b"),
        }
    }
}

#[test]
fn headings_of_html_have_places() {
    let parsed = read(
        MediaType::Html,
        "<h1> Größe <b>1</b></h1><p>ä</p><ul><li><h3>In\na list</h3></ul><h2></h2><h6>End",
    );
    let expected = [(1, "Größe 1"), (3, "In a list"), (6, "End")];
    let expected = expected.map(|(level, title)| (level, title.to_owned(), title.to_owned()));
    assert_eq!(headings(&parsed), expected);
}

#[test]
fn headings_of_markdown_have_places_in_its_source() {
    let source = "# Größe `x` *1*\n\ntext\n\nTwo\nlines\n---\n\n```\n# no\n```\n> ### quoted\n";
    let parsed = read(MediaType::Markdown, source);
    assert_eq!(parsed.text, source);
    let expected = [
        (1, "Größe x 1", "# Größe `x` *1*"),
        (2, "Two lines", "Two\nlines\n---"),
        (3, "quoted", "### quoted"),
    ];
    let expected = expected.map(|(level, title, source)| (level, title.into(), source.into()));
    assert_eq!(headings(&parsed), expected);
}

#[test]
fn text_stays_as_it_is() {
    let source = " <p>1</p>\r\n# 2\tä ";
    let parsed = read(MediaType::Text, source);
    assert_eq!((parsed.text.as_str(), parsed.characters, parsed.spans.len()), (source, 17, 0));
}

#[test]
fn pages_have_places() {
    let parsed = pages(&["Äa".to_owned(), String::new(), "b".to_owned()]).unwrap();
    assert_eq!(parsed.text, "Äa\n\n\n\nb");
    let places: Vec<_> = parsed.spans.iter().map(|it| (it.page, it.start, it.end)).collect();
    assert_eq!(places, [(Some(1), 0, 2), (Some(2), 4, 4), (Some(3), 6, 7)]);
}

#[test]
fn what_is_no_text_is_refused() {
    for media_type in [MediaType::Text, MediaType::Markdown, MediaType::Html] {
        for (bytes, expected) in [
            (&b"\xff\xfe\0a"[..], "document_not_utf8"),
            (b"a\xc3", "document_not_utf8"),
            (b"a\0b", "document_not_text"),
            (b"", "document_without_text"),
            (b" \n ", "document_without_text"),
        ] {
            let error =
                flowmaster_kernel::Error::from(text(media_type, bytes.to_vec()).unwrap_err());
            assert_eq!(error.code(), expected, "{media_type:?} {bytes:?}");
        }
    }
    assert!(matches!(pages(&[String::new()]), Err(DocumentError::NoText)));
}

/// Shapes that are known to cost parsers more than their length.
#[test]
fn hostile_shapes_end_in_time() {
    let size = 256 * 1024;
    let fill = |pattern: &str| pattern.repeat(size / pattern.len());
    for (media_type, source) in [
        (MediaType::Html, fill("<div>") + "x"),
        (MediaType::Html, fill("<b><p>") + "x"),
        (MediaType::Html, fill("<template>") + "x"),
        (MediaType::Html, fill("&amp") + "x"),
        (MediaType::Html, fill("<!--") + "x"),
        (MediaType::Html, fill("<h1>x")),
        (MediaType::Markdown, fill(">") + "x"),
        (MediaType::Markdown, fill("> - ") + "x"),
        (MediaType::Markdown, fill("[")),
        (MediaType::Markdown, fill("![[](")),
        (MediaType::Markdown, fill("*a_ ")),
        (MediaType::Markdown, fill("`a``")),
        (MediaType::Markdown, fill("<!--")),
        (MediaType::Markdown, fill("* x\n  ")),
        (MediaType::Markdown, fill("[a]: b\n")),
        (MediaType::Markdown, fill("# x\n")),
    ] {
        let started = std::time::Instant::now();
        let result = text(media_type, source.clone().into_bytes());
        let seconds = started.elapsed().as_secs();
        assert!(seconds < 10, "{seconds} s for {}", &source[..20]);
        if let Err(error) = result {
            let known = matches!(error, DocumentError::NoText | DocumentError::TooComplex(_));
            assert!(known, "{error} for {}", &source[..20]);
        }
    }
}
