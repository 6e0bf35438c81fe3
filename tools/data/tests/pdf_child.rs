//! Reads PDFs in a real child process, which is this very program started again.

#[path = "../src/documents/pdf/sample.rs"]
mod sample;

use std::error::Error;
use std::sync::Arc;

use base64::Engine as _;
use flowmaster_data::documents::{Documents, MIGRATIONS, PdfReader, operations, read_pdf};
use flowmaster_kernel::{Ctx, ManualClock, Principal, PrincipalKind, Role, SequenceIds, TenantId};
use flowmaster_store::Db;
use serde_json::{Value, json};

type Done = Result<(), Box<dyn Error>>;

fn main() -> Done {
    match std::env::args().nth(1).as_deref() {
        Some("read-pdf") => Ok(read_pdf(std::io::stdin(), std::io::stdout())?),
        Some("take-memory") => {
            let hoard = vec![1_u8; 2 << 30];
            Err(format!("{} bytes were given", hoard.len()).into())
        }
        Some("go-deep") => Err(deep(u64::MAX).to_string().into()),
        _ => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(all_cases()),
    }
}

#[expect(unconditional_recursion, reason = "a stack overflow is what is wanted")]
fn deep(level: u64) -> u64 {
    std::hint::black_box(deep(level - 1)) + level
}

async fn all_cases() -> Done {
    let whole = sample::pdf(&["Invoice 4711", "Total 99.50 EUR"]);
    // Its parent is itself: who looks for an inherited value overflows the stack.
    let endless = sample::file(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 3 0 R >>".to_owned(),
    ]);
    let without_size = sample::file(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R >>".to_owned(),
    ]);
    let cut = whole.get(..200).unwrap_or_default().to_vec();
    for (mode, pdf, expected) in [
        ("read-pdf", &whole, Ok(2)),
        ("read-pdf", &cut, Err("pdf_unreadable")),
        ("read-pdf", &without_size, Err("pdf_unreadable")),
        ("read-pdf", &endless, Err("pdf_too_costly")),
        ("take-memory", &whole, Err("pdf_too_costly")),
        ("go-deep", &whole, Err("pdf_too_costly")),
    ] {
        let answer = add(mode, pdf).await?;
        let pages = answer.as_ref().map(|answer| answer["pages"].clone());
        let expected = expected.map(|pages| json!(pages)).map_err(str::to_owned);
        assert_eq!(pages.map_err(|error| error.code().to_owned()), expected, "{mode}");
    }
    Ok(())
}

/// Adds `pdf` in a room that reads with this program in `mode`.
async fn add(
    mode: &str,
    pdf: &[u8],
) -> Result<Result<Value, flowmaster_kernel::Error>, Box<dyn Error>> {
    let ctx = Ctx::unrestricted(
        TenantId::from_text("ten_a"),
        Principal::new("anna", PrincipalKind::Person, &[Role::Employee], &[]),
        Arc::new(ManualClock::default()),
        Arc::new(SequenceIds::default()),
    );
    let db = Db::temporary(Arc::clone(&ctx.clock)).await;
    db.migrate(&[MIGRATIONS]).await?;
    let program = std::env::current_exe()?;
    let reader = PdfReader::ChildProcess { program, arguments: vec![mode.to_owned()] };
    let room = Arc::new(Documents::new(db, reader));
    let operations = operations(&room);
    let operation = operations
        .iter()
        .find(|operation| operation.spec.name == "document_add")
        .ok_or("there is no document_add")?;
    let encoded = base64::engine::general_purpose::STANDARD.encode(pdf);
    let arguments = json!({ "name": "a.pdf", "media_type": "application/pdf", "base64": encoded });
    Ok(operation.call(ctx, arguments).await)
}
