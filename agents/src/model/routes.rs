//! Logical model names: what agents and prompts name, so that a vendor's name stands in the
//! configuration alone.

use std::collections::BTreeMap;

use super::{ModelError, OpenAi, Reply, Request};

/// The configured models, by route; each route is a list of endpoints, tried in order.
#[derive(Debug, Default)]
pub struct Routes(BTreeMap<String, Vec<OpenAi>>);

impl Routes {
    /// Adds an endpoint to `route`: the first one, or one to fall back to.
    pub fn add(&mut self, route: impl Into<String>, endpoint: OpenAi) {
        self.0.entry(route.into()).or_default().push(endpoint);
    }

    /// Whether no model is configured at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a model for `route`.
    #[must_use]
    pub fn has(&self, route: &str) -> bool {
        self.0.contains_key(route)
    }

    /// The names of the routes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Asks the model of `route`; where its endpoint cannot answer, the next one.
    ///
    /// # Errors
    /// What the last endpoint that was tried reports. A refused request is not tried elsewhere.
    pub async fn call(&self, route: &str, request: &Request) -> Result<Reply, ModelError> {
        let mut failed = ModelError::NoRoute(route.to_owned());
        for endpoint in self.0.get(route).into_iter().flatten() {
            match endpoint.call(request).await {
                Ok(reply) => return Ok(reply),
                Err(error @ (ModelError::Refused { .. } | ModelError::Configuration(_))) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(%error, route, "a model endpoint could not answer");
                    failed = error;
                }
            }
        }
        Err(failed)
    }
}
