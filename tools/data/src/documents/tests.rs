use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flowmaster_kernel::{
    Ctx, Id, Idempotency, ManualClock, Principal, PrincipalKind, ResponseFormat, Role, SequenceIds,
    TenantId, Timestamp,
};
use flowmaster_store::Db;

use super::pdf::sample::pdf;
use super::types::*;
use super::*;

fn ctx(tenant: &str) -> Ctx {
    Ctx::unrestricted(
        TenantId::from_text(tenant),
        Principal::new("anna", PrincipalKind::Person, &[Role::Employee], &[]),
        Arc::new(ManualClock::at(Timestamp::from_millis(1_000))),
        Arc::new(SequenceIds::default()),
    )
}

async fn room() -> (Documents, Ctx) {
    let ctx = ctx("ten_a");
    let db = Db::temporary(Arc::clone(&ctx.clock)).await;
    db.migrate(&[MIGRATIONS]).await.unwrap();
    (Documents::new(db, PdfReader::InProcess), ctx)
}

fn text(name: &str, text: &str) -> AddDocument {
    AddDocument {
        name: name.to_owned(),
        media_type: MediaType::Text,
        text: Some(text.to_owned()),
        base64: None,
    }
}

fn bytes(media_type: MediaType, bytes: &[u8]) -> AddDocument {
    AddDocument {
        name: "file".to_owned(),
        media_type,
        text: None,
        base64: Some(STANDARD.encode(bytes)),
    }
}

fn get(id: &Id<Document>) -> GetDocument {
    GetDocument {
        id: id.clone(),
        start: None,
        length: None,
        page: None,
        response_format: ResponseFormat::Concise,
    }
}

fn names(found: &FoundDocuments) -> Vec<&str> {
    found.items.iter().map(|found| found.document.name.as_str()).collect()
}

#[tokio::test]
async fn a_pdf_is_read_by_page_and_by_place() {
    let (room, ctx) = room().await;
    let pdf = pdf(&["Invoice 4711", "Total 99.50 EUR"]);
    let added = room.add(&ctx, bytes(MediaType::Pdf, &pdf)).await.unwrap();
    assert_eq!((added.is_new, added.document.pages, added.document.characters), (true, 2, 29));
    let id = &added.document.id;
    let whole = room.get(&ctx, get(id)).await.unwrap();
    assert_eq!(whole.text, "Invoice 4711\n\nTotal 99.50 EUR");
    assert_eq!((whole.spans.len(), whole.next_start), (2, None));
    let page = room.get(&ctx, GetDocument { page: Some(2), ..get(id) }).await.unwrap();
    assert_eq!((page.text.as_str(), page.start, page.spans.len()), ("Total 99.50 EUR", 14, 1));
    let place = GetDocument { start: Some(20), length: Some(5), ..get(id) };
    let place = room.get(&ctx, place).await.unwrap();
    assert_eq!((place.text.as_str(), place.next_start), ("99.50", Some(25)));
    assert_eq!(place.spans.iter().map(|span| span.page).collect::<Vec<_>>(), [Some(2)]);
    for (wrong, code) in [
        (GetDocument { page: Some(3), ..get(id) }, "no_such_page"),
        (GetDocument { page: Some(1), start: Some(1), ..get(id) }, "document_range"),
        (GetDocument { start: Some(29), ..get(id) }, "document_range"),
        (GetDocument { length: Some(0), ..get(id) }, "document_range"),
        (GetDocument { length: Some(50_001), ..get(id) }, "document_range"),
        (get(&Id::from_text("doc_none")), "document_not_found"),
    ] {
        assert_eq!(room.get(&ctx, wrong).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn long_texts_are_read_in_parts_without_loss() {
    let (room, ctx) = room().await;
    let source: String = (0..30_000).map(|n| if n % 7 == 0 { 'ß' } else { 'x' }).collect();
    let id = room.add(&ctx, text("long", &source)).await.unwrap().document.id;
    let (mut read, mut start) = (String::new(), Some(0));
    while let Some(from) = start {
        let params = GetDocument { start: Some(from), length: Some(7_001), ..get(&id) };
        let part = room.get(&ctx, params).await.unwrap();
        read.push_str(&part.text);
        start = part.next_start;
    }
    assert_eq!(read, source);
}

#[tokio::test]
async fn headings_are_listed_in_detail_and_looked_up_by_place() {
    let (room, ctx) = room().await;
    let markdown = AddDocument {
        media_type: MediaType::Markdown,
        ..text("manual", "# Scope\nAll.\n\n## Limits\nNone.")
    };
    let id = room.add(&ctx, markdown).await.unwrap().document.id;
    let last = GetDocument { start: Some(14), ..get(&id) };
    let concise = room.get(&ctx, last.clone()).await.unwrap();
    let detailed = GetDocument { response_format: ResponseFormat::Detailed, ..last };
    let detailed = room.get(&ctx, detailed).await.unwrap();
    let titles = |answer: &DocumentText| -> Vec<String> {
        answer.spans.iter().map(|span| span.heading.clone().unwrap().title).collect()
    };
    assert_eq!(titles(&concise), ["Limits"]);
    assert_eq!(titles(&detailed), ["Scope", "Limits"]);
    assert_eq!((concise.span_count, detailed.span_count), (2, 2));
}

#[tokio::test]
async fn the_same_content_is_kept_once() {
    let (room, ctx) = room().await;
    let first = room.add(&ctx, text("a.txt", "# same")).await.unwrap();
    let again = room.add(&ctx, text("b.txt", "# same")).await.unwrap();
    assert!(!again.is_new);
    assert_eq!(again.document, first.document);
    let markdown = AddDocument { media_type: MediaType::Markdown, ..text("c.md", "# same") };
    assert!(room.add(&ctx, markdown).await.unwrap().is_new, "read in another way");
    let pdf = pdf(&["same"]);
    let added = tokio::join!(
        room.add(&ctx, bytes(MediaType::Pdf, &pdf)),
        room.add(&ctx, bytes(MediaType::Pdf, &pdf))
    );
    let (one, other) = (added.0.unwrap(), added.1.unwrap());
    assert_eq!(one.document, other.document);
    assert!(one.is_new != other.is_new);
}

#[tokio::test]
async fn a_repeated_call_has_one_effect() {
    let (room, ctx) = room().await;
    let ctx = Ctx {
        idempotency: Some(Arc::new(Idempotency {
            key: "k".to_owned(),
            operation: "document_add".to_owned(),
            body_hash: "h".to_owned(),
        })),
        ..ctx
    };
    let added = room.add(&ctx, text("a", "once")).await.unwrap();
    let again = room.add(&ctx, text("a", "once")).await.unwrap_err();
    assert_eq!(again.code(), flowmaster_store::IDEMPOTENCY_RECORDED);
    let recorded = room.db().recorded_answer(&ctx).await.unwrap().unwrap();
    assert_eq!(recorded, serde_json::to_value(added).unwrap());
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused() {
    let (room, ctx) = room().await;
    let big = "x".repeat(MAX_BYTES + 1);
    for (params, code) in [
        (text("", "x"), "invalid_document_name"),
        (text("a\nb", "x"), "invalid_document_name"),
        (text(&"x".repeat(201), "x"), "invalid_document_name"),
        (text("a", ""), "document_without_text"),
        (text("a", &big), "document_too_large"),
        (AddDocument { text: None, ..text("a", "x") }, "document_content"),
        (AddDocument { base64: Some("eA==".to_owned()), ..text("a", "x") }, "document_content"),
        (AddDocument { media_type: MediaType::Pdf, ..text("a", "x") }, "document_content"),
        (
            AddDocument { base64: Some("§".to_owned()), text: None, ..text("a", "") },
            "invalid_base64",
        ),
        (bytes(MediaType::Text, big.as_bytes()), "document_too_large"),
        (bytes(MediaType::Html, b"\xff"), "document_not_utf8"),
        (bytes(MediaType::Text, &pdf(&["x\0"])), "document_not_text"),
        (bytes(MediaType::Pdf, b"<p>x</p>"), "pdf_unreadable"),
        (bytes(MediaType::Pdf, &pdf(&["", ""])), "document_without_text"),
    ] {
        assert_eq!(room.add(&ctx, params).await.unwrap_err().code(), code);
    }
    assert!(room.search(&ctx, SearchDocuments::default()).await.unwrap().items.is_empty());
    let wrapped = AddDocument { base64: Some("eH\r\nk=".to_owned()), text: None, ..text("w", "") };
    assert_eq!(room.add(&ctx, wrapped).await.unwrap().document.size, 2);
}

#[tokio::test]
async fn documents_are_found_by_each_condition() {
    let (room, ctx) = room().await;
    let ben = Ctx {
        principal: Arc::new(Principal { id: "ben".to_owned(), ..(*ctx.principal).clone() }),
        ..ctx.clone()
    };
    let long = format!("{} PO-4711 {}", "ä".repeat(500), "z".repeat(500));
    let order = room.add(&ctx, text("Order_1.txt", &long)).await.unwrap().document;
    room.add(&ben, text("Invoice 100%.txt", "Refers to po-4711.")).await.unwrap();
    room.add(&ben, text("note.txt", "nothing")).await.unwrap();
    let any = SearchDocuments::default;
    let some = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (any(), &["note.txt", "Invoice 100%.txt", "Order_1.txt"][..]),
        (SearchDocuments { name: some("invoice"), ..any() }, &["Invoice 100%.txt"]),
        (SearchDocuments { name: some("%"), ..any() }, &["Invoice 100%.txt"]),
        (SearchDocuments { name: some("r_1"), ..any() }, &["Order_1.txt"]),
        (SearchDocuments { text: some("po-4711"), ..any() }, &["Invoice 100%.txt", "Order_1.txt"]),
        (SearchDocuments { text: some("' OR 1=1"), ..any() }, &[]),
        (SearchDocuments { creator: some("ben"), ..any() }, &["note.txt", "Invoice 100%.txt"]),
        (SearchDocuments { sha256: Some(order.sha256.clone()), ..any() }, &["Order_1.txt"]),
        (
            SearchDocuments { text: some("PO"), creator: some("ben"), name: some("note"), ..any() },
            &[],
        ),
    ] {
        assert_eq!(names(&room.search(&ctx, filter).await.unwrap()), expected);
    }
    let by_text = SearchDocuments { text: some("PO-4711"), ..any() };
    let found = room.search(&ctx, by_text).await.unwrap();
    let excerpt = found.items[1].excerpt.clone().unwrap();
    assert_eq!((excerpt.start, excerpt.text.chars().count()), (421, 240));
    assert!(excerpt.text.contains("ä PO-4711 z"));
}

#[tokio::test]
async fn lists_come_in_pages() {
    let (room, ctx) = room().await;
    for number in 0..5 {
        room.add(&ctx, text(&format!("{number}"), &format!("{number}"))).await.unwrap();
    }
    let page = |cursor| SearchDocuments { limit: Some(3), cursor, ..SearchDocuments::default() };
    let first = room.search(&ctx, page(None)).await.unwrap();
    assert_eq!(names(&first), ["4", "3", "2"]);
    let second = room.search(&ctx, page(first.next_cursor)).await.unwrap();
    assert_eq!((names(&second), second.next_cursor.is_none()), (vec!["1", "0"], true));
    let wrong = SearchDocuments { limit: Some(51), ..SearchDocuments::default() };
    assert_eq!(room.search(&ctx, wrong).await.unwrap_err().code(), "invalid_limit");
}

#[tokio::test]
async fn tenants_see_their_own_documents_only() {
    let (room, ours) = room().await;
    let theirs = ctx("ten_b");
    let document = room.add(&ours, text("secret.txt", "ours")).await.unwrap().document;
    assert_eq!(
        room.get(&theirs, get(&document.id)).await.unwrap_err().code(),
        "document_not_found"
    );
    for filter in [
        SearchDocuments::default(),
        SearchDocuments { sha256: Some(document.sha256.clone()), ..SearchDocuments::default() },
        SearchDocuments { text: Some("ours".to_owned()), ..SearchDocuments::default() },
    ] {
        assert!(room.search(&theirs, filter).await.unwrap().items.is_empty());
    }
    let same = room.add(&theirs, text("mine.txt", "ours")).await.unwrap();
    assert!(same.is_new, "whether another tenant has the content is not told");
}

#[tokio::test]
async fn the_operations_can_be_offered() {
    let room = Arc::new(room().await.0);
    let mut catalogue = flowmaster_kernel::Catalogue::default();
    catalogue.add(operations(&room)).unwrap();
    let names: Vec<_> = catalogue.iter().map(|operation| operation.spec.name).collect();
    assert_eq!(names, ["document_add", "document_get", "document_search"]);
    let media_types = &catalogue.get("document_add").unwrap().input["properties"]["media_type"];
    assert!(media_types.to_string().contains("application/pdf"), "{media_types}");
}
