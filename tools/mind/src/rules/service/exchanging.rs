//! The exchange of decision tables with spreadsheet programs.

use flowmaster_kernel::{Ctx, Result};

use super::super::types::{ExportRule, ExportedRule, ImportRule, ImportedRule, SaveRule};
use super::super::{exchange, store};
use super::{Rules, Wanted, content};

impl Rules {
    /// Gives tables of a rule file as a file of a spreadsheet program.
    pub(in super::super) async fn export(
        &self,
        ctx: &Ctx,
        params: ExportRule,
    ) -> Result<ExportedRule> {
        let ExportRule { id, version, draft, format, decision } = params;
        let mut session = self.db.read(ctx).await?;
        let dmn = content(&mut session, &id, Wanted { version, draft }).await?.row.dmn;
        drop(session);
        let work = move || exchange::write(&id, &dmn, decision.as_deref(), format);
        self.worked_out("the export", work).await?
    }

    /// Takes tables of a file of a spreadsheet program into the draft of a rule file.
    pub(in super::super) async fn import(
        &self,
        ctx: &Ctx,
        params: ImportRule,
    ) -> Result<ImportedRule> {
        let ImportRule { id, csv, xlsx, based_on } = params;
        let mut session = self.db.read(ctx).await?;
        let known = match store::find(&mut session, &id).await? {
            None => None,
            Some(file) => {
                let wanted = Wanted { version: None, draft: file.draft.is_some() };
                Some(content(&mut session, &id, wanted).await?.row)
            }
        };
        drop(session);
        // What is read here is what is changed.
        let based_on = based_on.or_else(|| known.as_ref().map(|row| row.hash.clone()));
        let file = id.clone();
        let work = move || -> Result<_> {
            let tables = exchange::read(csv, xlsx)?;
            let rules = exchange::merged(&id, known.as_ref().map(|row| &*row.dmn), &tables)?;
            Ok((rules, tables.into_iter().map(|table| table.id).collect()))
        };
        let (rules, imported) = self.worked_out("the import", work).await??;
        let save = SaveRule { rules: Some(rules), id: Some(file), based_on, ..SaveRule::default() };
        self.save_draft(ctx, save, |saved| ImportedRule { saved, imported }).await
    }
}
