use super::sample::{file, pdf};
use super::*;

fn shell(script: &str) -> (PathBuf, Vec<String>) {
    (PathBuf::from("/bin/sh"), vec!["-c".to_owned(), script.to_owned()])
}

/// How a child process that runs `script` under `limits` ends, as an error code.
async fn code_of(script: &str, limits: Limits, sent: usize) -> String {
    let (program, arguments) = shell(script);
    let mut command = limited(&program, &arguments, limits);
    let result = run(&mut command, &vec![b'x'; sent], limits).await;
    Error::from(result.unwrap_err()).code().to_owned()
}

#[test]
fn pages_are_read_one_by_one() {
    let read = read::pages(&pdf(&["Invoice 4711", "", "Total 99.50 EUR"])).unwrap();
    assert_eq!(read, ["Invoice 4711", "", "Total 99.50 EUR"]);
}

#[test]
fn the_answer_of_the_child_is_understood() {
    for (bytes, expected) in [
        (pdf(&["One \"quoted\" line"]), Ok(vec!["One \"quoted\" line".to_owned()])),
        (b"no PDF at all".to_vec(), Err("pdf_unreadable")),
        (Vec::new(), Err("pdf_unreadable")),
    ] {
        let mut answer = Vec::new();
        read_pdf(&*bytes, &mut answer).unwrap();
        let read = understand(ExitStatus::default(), &answer).map_err(Error::from);
        assert_eq!(read.as_ref().map_err(Error::code), expected.as_ref().map_err(|code| *code));
    }
}

#[test]
fn what_is_broken_is_told() {
    let whole = pdf(&["Invoice 4711"]);
    let without_pages = file(&["<< /Type /Catalog >>".to_owned()]);
    let loose_kids = file(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>".to_owned(),
    ]);
    for bytes in [whole[..whole.len() / 2].to_vec(), without_pages, loose_kids] {
        let problem = read::pages(&bytes).unwrap_err();
        assert!(matches!(problem, Problem::Unreadable(_)), "{problem:?}");
    }
}

#[tokio::test]
async fn a_parser_that_fails_is_an_answer() {
    // A page without a size: the parser panics on it.
    let bytes = file(&[
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R >>".to_owned(),
    ]);
    let problem = PdfReader::InProcess.read(bytes).await.unwrap_err();
    assert_eq!(Error::from(problem).code(), "pdf_unreadable");
}

#[tokio::test]
async fn a_child_is_held_within_its_limits() {
    let time = Limits { wall_clock: Duration::from_millis(100), ..LIMITS };
    let processor = Limits { processor_seconds: 1, ..LIMITS };
    let answer = Limits { answer_bytes: 1_000, ..LIMITS };
    let memory = Limits { memory_kib: 64 * 1024, ..LIMITS };
    let folder = tempfile::tempdir().unwrap();
    let writing = format!("exec cat > {}/copy", folder.path().display());
    for (script, limits, expected) in [
        ("exec tail -f /dev/null", time, "pdf_too_costly"),
        ("cat > /dev/null; while :; do :; done", processor, "pdf_too_costly"),
        ("cat /dev/zero", answer, "pdf_too_costly"),
        ("cat > /dev/null; kill -SEGV $$", LIMITS, "pdf_too_costly"),
        ("exec dd if=/dev/zero of=/dev/null bs=256M count=1", memory, "pdf_reader_failed"),
        (&writing, LIMITS, "pdf_too_costly"),
        ("exit 101", LIMITS, "pdf_unreadable"),
        ("exit 3", LIMITS, "pdf_reader_failed"),
        ("echo nonsense", LIMITS, "pdf_reader_failed"),
        ("exec /no/such/program", LIMITS, "pdf_reader_failed"),
    ] {
        assert_eq!(code_of(script, limits, 1_000_000).await, expected, "{script}");
    }
}

#[tokio::test]
async fn a_child_sees_nothing_of_our_environment() {
    let script = r#"cat > /dev/null; printf '{"pages":["%s"]}' "$(env | grep -c CARGO)""#;
    let (program, arguments) = shell(script);
    let mut command = limited(&program, &arguments, LIMITS);
    assert_eq!(run(&mut command, b"", LIMITS).await.unwrap(), ["0"]);
}
