//! What can go wrong with identities.

use flowmaster_kernel::{Error, ErrorKind};

/// The errors of this room.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdentityError {
    #[error("the key is not valid")]
    InvalidKey,
    #[error("no principal {0:?}")]
    UnknownPrincipal(String),
    #[error("the scope {0:?} is not yours to give")]
    ScopeNotHeld(String),
    #[error("the role {0} is not yours to give")]
    RoleNotHeld(&'static str),
    #[error("{0:?} is not a principal id")]
    BadPrincipalId(String),
    #[error("{0:?} is not a name of a tenant")]
    BadTenantName(String),
    #[error("there is a tenant {0:?} already")]
    TenantExists(String),
    #[error("no tenant {0:?}")]
    UnknownTenant(String),
    #[error("the expiry lies in the past")]
    ExpiryInThePast,
    #[error("this would lock out the last administrator")]
    LastAdmin,
}

impl From<IdentityError> for Error {
    fn from(error: IdentityError) -> Self {
        let what = error.to_string();
        match error {
            IdentityError::InvalidKey => Self::new(ErrorKind::Unauthenticated, "invalid_key", what)
                .why("it is unknown, expired or revoked")
                .fix("send a valid key as Authorization: Bearer KEY; an administrator makes one with key_create"),
            IdentityError::UnknownPrincipal(_) => Self::new(ErrorKind::NotFound, "user_not_found", what)
                .why("it does not exist, or it is not visible to you")
                .fix("save the principal first")
                .next("user_save"),
            IdentityError::ScopeNotHeld(_) => Self::new(ErrorKind::Forbidden, "scope_not_held", what)
                .fix("give only scopes that your own key has"),
            IdentityError::RoleNotHeld(_) => Self::new(ErrorKind::Forbidden, "role_not_held", what)
                .fix("only an administrator makes administrators"),
            IdentityError::BadPrincipalId(_) => Self::invalid("invalid_principal_id", what)
                .fix("use 1 to 64 letters, digits, or . _ - @ :"),
            IdentityError::BadTenantName(_) => Self::invalid("invalid_tenant_name", what)
                .fix("use 1 to 100 characters, none of them a control character, and no space at its ends"),
            IdentityError::TenantExists(_) => Self::conflict("tenant_exists", what)
                .fix("choose another name; flowmaster tenant list shows those that are taken"),
            IdentityError::UnknownTenant(_) => Self::new(ErrorKind::NotFound, "tenant_not_found", what)
                .fix("use a name or id that flowmaster tenant list shows"),
            IdentityError::ExpiryInThePast => Self::invalid("expiry_in_the_past", what)
                .fix("give a moment in the future, or leave it out"),
            IdentityError::LastAdmin => Self::conflict("last_admin", what)
                .fix("make another active administrator first"),
        }
    }
}
