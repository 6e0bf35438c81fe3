//! Parameters and answers of the identity operations.

use std::collections::BTreeSet;

use flowmaster_kernel::{
    Id, Kind, Page, PageRequest, PrincipalKind, Role, Scopes, TenantId, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Marks the id of a key.
#[derive(Debug)]
pub enum Key {}

impl Kind for Key {
    const PREFIX: &'static str = "key";
}

/// A person, an agent or a service account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Id, unique in the tenant, e.g. `anna`.
    pub id: String,
    /// What it is.
    pub kind: PrincipalKind,
    /// Human name.
    pub name: String,
    /// What it may do in FlowMaster.
    pub roles: BTreeSet<Role>,
    /// Business groups, e.g. `manager`: what tasks and mandates are given to.
    pub groups: BTreeSet<String>,
    /// A disabled principal's keys are refused.
    pub active: bool,
}

/// Creates or changes a principal.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveUser {
    /// Id, unique in the tenant: 1 to 64 letters, digits, or `. _ - @ :`.
    pub id: String,
    /// Person, agent or system. Default: person.
    #[serde(default)]
    pub kind: Option<PrincipalKind>,
    /// Human name. Default: the id.
    #[serde(default)]
    pub name: Option<String>,
    /// What it may do in FlowMaster.
    pub roles: BTreeSet<Role>,
    /// Business groups, e.g. `manager`.
    #[serde(default)]
    pub groups: BTreeSet<String>,
    /// Set to false to disable all keys of the principal. Default: true.
    #[serde(default = "yes")]
    pub active: bool,
}

const fn yes() -> bool {
    true
}

/// Finds principals.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchUsers {
    /// Only members of this group.
    #[serde(default)]
    pub group: Option<String>,
    /// How many at most, 1 to 50. Default 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 50))]
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: Option<flowmaster_kernel::Cursor>,
}

impl SearchUsers {
    pub(super) fn page(&self) -> PageRequest {
        PageRequest { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// Principals, by id.
pub type Users = Page<User>;

/// Makes an API key for a principal.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// The principal the key stands for. Default: yourself.
    #[serde(default)]
    pub principal: Option<String>,
    /// What the key is for, so that it can be told from others.
    #[serde(default)]
    pub name: String,
    /// Scopes such as `tasks:write`, `processes:read`, or `*`. Default: all that you have.
    #[serde(default)]
    pub scopes: Option<Scopes>,
    /// The key is refused from this moment on. Default: never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A new key. The secret is shown in this answer and never again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CreatedKey {
    /// Id of the key, for `key_revoke`.
    pub id: Id<Key>,
    /// The key itself: keep it safe, it is not stored.
    pub secret: String,
    /// The principal it stands for.
    pub principal: String,
}

/// A key as it can be shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct KeyInfo {
    /// Id of the key.
    pub id: Id<Key>,
    /// The first characters of the key.
    pub hint: String,
    /// The principal it stands for.
    pub principal: String,
    /// What it is for.
    pub name: String,
    /// What it allows.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// Lists keys.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListKeys {
    /// Only keys of this principal.
    #[serde(default)]
    pub principal: Option<String>,
}

/// All keys that match, the newest first, at most 200.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Keys {
    /// The keys.
    pub keys: Vec<KeyInfo>,
}

/// Revokes a key.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeKey {
    /// Id of the key, from `key_list`.
    pub id: Id<Key>,
}

/// Says who the caller is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetMe {}

/// The caller, as the server sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Me {
    /// Id of the principal.
    pub id: String,
    /// Person, agent or system.
    pub kind: PrincipalKind,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// Its business groups.
    pub groups: BTreeSet<String>,
    /// What the credential allows.
    pub scopes: Scopes,
}

/// A customer of the server, kept apart from all others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, unique on the server.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}
