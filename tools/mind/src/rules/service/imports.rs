//! Which files a rule file imports (DMN 1.5 §6.3.3), and in which versions: those that are active when
//! it is published, from then on for ever.

use std::collections::BTreeSet;

use flowmaster_engine::dmn::Import;
use flowmaster_engine::finding::Finding;
use flowmaster_kernel::{Ctx, Result};
use flowmaster_store::Session;

use super::super::dmn::{self, Linked};
use super::super::error::RuleError;
use super::super::store;
use super::super::types::RulePin;
use super::{Rules, off_thread, unknown_version};

/// The most files that one imports, those that these import included.
const MAX_FILES: usize = 50;
/// The most bytes that they have together.
const MAX_BYTES: usize = 5 * 1024 * 1024;

/// A file with what it imports.
pub(super) struct Link {
    pub(super) linked: Linked,
    /// What is not there.
    pub(super) missing: Vec<Finding>,
    /// What is there.
    pub(super) imports: Vec<RulePin>,
}

impl Rules {
    /// A file with what it imports, in the versions that are active now.
    pub(super) async fn link(&self, ctx: &Ctx, dmn: String) -> Result<Link> {
        let (wanted, dmn) = off_thread(move || (dmn::imports(&dmn), dmn)).await?;
        let mut session = self.db.read(ctx).await?;
        let (imports, missing) = resolve(&mut session, &wanted).await?;
        let imported = files(&mut session, &imports).await?;
        Ok(Link { linked: Linked { dmn, imported }, missing, imports })
    }
}

/// The versions that `imports` mean now, and those that mean none.
pub(super) async fn resolve(
    session: &mut Session,
    imports: &[Import],
) -> Result<(Vec<RulePin>, Vec<Finding>)> {
    let (mut pins, mut findings) = (Vec::new(), Vec::new());
    for Import { name, namespace, .. } in imports {
        let mut found = store::by_namespace(session, namespace).await?.into_iter();
        match (found.next(), found.next()) {
            (Some(pin), None) => pins.push(pin),
            (None, _) => {
                let what = format!("no published rule file has the namespace {namespace:?}");
                let fix = "publish the file that is imported first, or mend the namespace";
                findings.push(Finding::error("import_missing", name, what, fix));
            }
            (Some(one), Some(other)) => {
                let (one, other) = (one.file, other.file);
                let what = format!("{one} and {other} both have the namespace {namespace:?}");
                let fix = "give each file that is imported a namespace of its own";
                findings.push(Finding::error("import_ambiguous", name, what, fix));
            }
        }
    }
    Ok((pins, findings))
}

/// The files of `pins` and all that they import, each once.
pub(super) async fn files(session: &mut Session, pins: &[RulePin]) -> Result<Vec<String>> {
    let mut wanted: Vec<RulePin> = pins.to_vec();
    let (mut known, mut files, mut bytes) = (BTreeSet::new(), Vec::new(), 0);
    while let Some(pin) = wanted.pop() {
        if !known.insert(pin.clone()) {
            continue;
        }
        let row = store::version(session, &pin).await?;
        let row = row.ok_or_else(|| unknown_version(&pin))?;
        bytes += row.dmn.len();
        if known.len() > MAX_FILES || bytes > MAX_BYTES {
            let what = format!("it imports more than {MAX_FILES} files, or {MAX_BYTES} bytes");
            let fix = "import less, or put what belongs together into one file";
            let finding = Finding::error("imports_too_large", "", what, fix);
            return Err(RuleError::Invalid(vec![finding]).into());
        }
        wanted.extend(row.imports);
        files.push(row.dmn);
    }
    Ok(files)
}
