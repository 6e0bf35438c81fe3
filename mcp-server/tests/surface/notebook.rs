//! A room small enough for tests: notes in memory, with idempotent writes, pages, and the ways in
//! which a verb can go wrong.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use flowmaster_kernel::{
    BoxFuture, Catalogue, Content, Ctx, Cursor, Effect, Error, Operation, Page, PageRequest,
    Result, Role, Spec, Toolset,
};
use flowmaster_mcp_server::dispatch::{Declaration, Tool};
use flowmaster_mcp_server::ports::{
    AnswerBook, AuditEntry, AuditLog, ProcessTools, PromptArgument, PromptEntry, PromptSource,
    PromptText, ResourceBody, ResourceContents, ResourceEntry, ResourceSource, ResourceTemplate,
    Speaker,
};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Tenant, principal and key of a recorded answer.
type AnswerKey = (String, String, String);

#[derive(Default)]
pub(crate) struct Notebook {
    notes: Mutex<BTreeMap<String, (String, String)>>,
    answers: Mutex<HashMap<AnswerKey, (String, Value)>>,
    pub(crate) audit: Mutex<Vec<AuditEntry>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Add {
    /// The text of the note.
    #[schemars(length(min = 1, max = 1_000_000))]
    text: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ById {
    /// The id of the note.
    id: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Note {
    id: String,
    text: String,
}

#[derive(Serialize, JsonSchema)]
struct Gone {
    id: String,
}

const ANYONE: &[Role] = &[Role::Employee, Role::Admin];

fn spec(name: &'static str, effect: Effect, toolset: Toolset) -> Spec {
    let (title, description) = match name {
        "note_add" => ("Add a note", "Use this when something should be remembered. It stays."),
        "note_get" => ("Read a note", "Use this when you know the id of a note."),
        "note_search" => ("List notes", "Use this to see all notes, in pages."),
        "note_delete" => ("Delete a note", "Use this to throw a note away for ever."),
        _ => ("Something else", "Use this in tests only."),
    };
    Spec { name, title, description, effect, area: "notes", roles: ANYONE, toolset }
}

impl Notebook {
    pub(crate) fn catalogue(self: &Arc<Self>) -> Catalogue {
        let mut catalogue = Catalogue::default();
        catalogue
            .add(vec![
                self.offer("note_add", Effect::Write, Toolset::Core, Self::add),
                self.offer("note_get", Effect::Read, Toolset::Core, Self::get),
                self.offer("note_search", Effect::Read, Toolset::Core, Self::search),
                self.offer("note_delete", Effect::Destroy, Toolset::Core, Self::delete),
                self.offer("note_explode", Effect::Read, Toolset::Admin, Self::explode),
                self.endless("note_wait", Effect::Read),
                self.endless("note_store", Effect::Write),
            ])
            .unwrap();
        catalogue
    }

    fn offer<P, O>(
        self: &Arc<Self>,
        name: &'static str,
        effect: Effect,
        toolset: Toolset,
        verb: fn(&Self, &Ctx, &P) -> Result<O>,
    ) -> Operation
    where
        P: DeserializeOwned + JsonSchema + Send + Sync + 'static,
        O: Serialize + JsonSchema + Send + 'static,
    {
        let spec = spec(name, effect, toolset);
        Operation::new(spec, self, move |room: Arc<Self>, ctx, params: P| async move {
            verb(&room, &ctx, &params)
        })
    }

    /// An operation that never ends by itself.
    fn endless(self: &Arc<Self>, name: &'static str, effect: Effect) -> Operation {
        let spec = spec(name, effect, Toolset::Admin);
        Operation::new(spec, self, |_, _, Nothing {}| std::future::pending::<Result<Gone>>())
    }

    /// Sixty more operations, so that a list has more than one page.
    pub(crate) fn long_tail(self: &Arc<Self>) -> Vec<Operation> {
        (0..60_u8)
            .map(|number| {
                let letters = [b'a' + number / 26, b'a' + number % 26].map(char::from);
                let name: String = ["tail_".to_owned(), letters.iter().collect()].concat();
                let spec = spec(Box::leak(name.into_boxed_str()), Effect::Read, Toolset::Design);
                Operation::new(spec, self, |_, _, _: Nothing| async {
                    Ok::<_, Error>(BTreeMap::<String, String>::new())
                })
            })
            .collect()
    }

    fn add(&self, ctx: &Ctx, params: &Add) -> Result<Note> {
        let mut answers = self.answers.lock();
        let slot = ctx.idempotency.as_ref().map(|idempotency| {
            let owner = (ctx.tenant.to_string(), ctx.principal.id.clone(), idempotency.key.clone());
            (owner, idempotency.body_hash.clone())
        });
        if let Some((owner, _)) = &slot
            && answers.contains_key(owner)
        {
            return Err(Error::conflict("idempotency_recorded", "answered already"));
        }
        let id = format!("note_{}", self.notes.lock().len());
        let note = Note { id: id.clone(), text: params.text.clone() };
        self.notes.lock().insert(id, (ctx.tenant.to_string(), params.text.clone()));
        if let Some((owner, body_hash)) = slot {
            answers.insert(owner, (body_hash, json!(note)));
        }
        Ok(note)
    }

    fn get(&self, ctx: &Ctx, params: &ById) -> Result<Note> {
        self.find(ctx, &params.id)
    }

    fn find(&self, ctx: &Ctx, id: &str) -> Result<Note> {
        match self.notes.lock().get(id) {
            Some((tenant, text)) if tenant == ctx.tenant.as_str() => {
                Ok(Note { id: id.to_owned(), text: text.clone() })
            }
            _ => Err(Error::not_found("note", id).next("note_search")),
        }
    }

    fn search(&self, ctx: &Ctx, params: &PageRequest) -> Result<Page<Note>> {
        let limit = params.limit()?;
        let after = params.cursor.clone().map(|Cursor(id)| id).unwrap_or_default();
        let found = self
            .notes
            .lock()
            .iter()
            .filter(|(id, (tenant, _))| **id > after && tenant == ctx.tenant.as_str())
            .map(|(id, (_, text))| Note { id: id.clone(), text: text.clone() })
            .take(limit + 1)
            .collect();
        Ok(Page::from_overfetched(found, limit, |note| note.id.clone()))
    }

    fn delete(&self, ctx: &Ctx, params: &ById) -> Result<Gone> {
        let note = self.find(ctx, &params.id)?;
        self.notes.lock().remove(&note.id);
        Ok(Gone { id: note.id })
    }

    fn explode(&self, _: &Ctx, params: &Nothing) -> Result<Gone> {
        let Nothing {} = params;
        assert!(self.notes.lock().len() > 1_000_000, "boom");
        Err(Error::invalid("unreachable", "it exploded before"))
    }
}

impl AnswerBook for Notebook {
    fn recorded_answer<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Option<Value>>> {
        Box::pin(async move {
            let Some(idempotency) = &ctx.idempotency else { return Ok(None) };
            let owner = (ctx.tenant.to_string(), ctx.principal.id.clone(), idempotency.key.clone());
            match self.answers.lock().get(&owner) {
                Some((hash, answer)) if *hash == idempotency.body_hash => Ok(Some(answer.clone())),
                Some(_) => Err(Error::conflict("idempotency_conflict", "the key has another body")),
                None => Ok(None),
            }
        })
    }
}

impl AuditLog for Notebook {
    fn record(&self, _: &Ctx, entry: AuditEntry) {
        self.audit.lock().push(entry);
    }
}

impl ResourceSource for Notebook {
    fn list<'a>(
        &'a self,
        ctx: &'a Ctx,
        page: PageRequest,
    ) -> BoxFuture<'a, Result<Page<ResourceEntry>>> {
        Box::pin(async move {
            let limit = page.limit()?;
            let found = self
                .notes
                .lock()
                .iter()
                .filter(|(_, (tenant, _))| tenant == ctx.tenant.as_str())
                .map(|(id, _)| ResourceEntry {
                    uri: format!("flowmaster://document/{id}"),
                    name: id.clone(),
                    title: None,
                    description: None,
                    mime_type: "text/plain".to_owned(),
                })
                .take(limit + 1)
                .collect();
            Ok(Page::from_overfetched(found, limit, |entry: &ResourceEntry| entry.name.clone()))
        })
    }

    fn templates(&self) -> Vec<ResourceTemplate> {
        vec![ResourceTemplate {
            uri_template: "flowmaster://document/{id}".to_owned(),
            name: "document".to_owned(),
            title: Some("A note".to_owned()),
            description: None,
            mime_type: "text/plain".to_owned(),
        }]
    }

    fn read<'a>(&'a self, ctx: &'a Ctx, uri: &'a str) -> BoxFuture<'a, Result<ResourceContents>> {
        Box::pin(async move {
            let id = uri.strip_prefix("flowmaster://document/").unwrap_or_default();
            let note = self.find(ctx, id)?;
            let mime_type = "text/plain".to_owned();
            Ok(ResourceContents { mime_type, body: ResourceBody::Text(note.text) })
        })
    }

    fn complete<'a>(
        &'a self,
        _: &'a Ctx,
        _: &'a str,
        _: &'a str,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        Box::pin(async move {
            let notes = self.notes.lock();
            Ok(notes.keys().filter(|id| id.starts_with(prefix)).cloned().collect())
        })
    }
}

impl PromptSource for Notebook {
    fn list<'a>(&'a self, _: &'a Ctx) -> BoxFuture<'a, Result<Vec<PromptEntry>>> {
        Box::pin(async move {
            Ok(vec![PromptEntry {
                name: "summarise_notes".to_owned(),
                title: None,
                description: Some("Summarises all notes.".to_owned()),
                arguments: vec![PromptArgument {
                    name: "tone".to_owned(),
                    description: None,
                    required: true,
                }],
            }])
        })
    }

    fn get<'a>(
        &'a self,
        _: &'a Ctx,
        name: &'a str,
        arguments: BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<PromptText>> {
        Box::pin(async move {
            if name != "summarise_notes" {
                return Err(Error::not_found("prompt", name));
            }
            let tone = arguments
                .get("tone")
                .ok_or_else(|| Error::invalid("missing_argument", "tone is missing"))?;
            Ok(PromptText {
                description: None,
                messages: vec![(
                    Speaker::User,
                    Content::Text(format!("Summarise the notes, {tone}.")),
                )],
            })
        })
    }
}

impl ProcessTools for Notebook {
    fn tools<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<Vec<Tool>>> {
        let declaration = Declaration {
            name: "run_onboarding".to_owned(),
            title: "Onboarding".to_owned(),
            description: "Use this to onboard a person.".to_owned(),
            effect: Effect::Write,
            scope: "notes:write".to_owned(),
            roles: ANYONE.to_vec(),
            toolset: Toolset::Core,
            input: json!({
                "type": "object",
                "properties": { "name": { "type": "string" } },
                "required": ["name"]
            }),
            output: json!({ "type": "object" }),
        };
        let tool = Tool::published(
            declaration,
            |_, arguments| Box::pin(async move { Ok(json!({ "welcome": arguments["name"] })) }),
            |_, _, recorded| Box::pin(async move { Ok(recorded) }),
        );
        let published = ctx.tenant.as_str() == "ten_a";
        Box::pin(std::future::ready(Ok(if published { vec![tool] } else { Vec::new() })))
    }
}
