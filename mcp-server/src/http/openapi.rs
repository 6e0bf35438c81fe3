//! The description of the REST API as OpenAPI 3.1, made from the catalogue.
//!
//! It holds the operations that were built in, not what tenants publish, so it is the same for
//! everyone and may be read without a credential.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use flowmaster_kernel::{Effect, ErrorBody};
use serde_json::{Map, Value, json};

use crate::compose::App;
use crate::dispatch::Offer;

/// The document.
pub(super) async fn document(State(app): State<Arc<App>>) -> Json<Value> {
    Json(describe(app.surface.dispatcher.offers().map(Arc::as_ref)))
}

fn describe<'a>(offers: impl Iterator<Item = &'a Offer>) -> Value {
    let paths: Map<String, Value> = offers
        .map(|offer| (format!("/api/v1/{}", offer.tool.name), json!({ "post": operation(offer) })))
        .collect();
    let mut error = schemars::schema_for!(ErrorBody).to_value();
    if let Some(fields) = error.as_object_mut() {
        fields.remove("$schema");
        fields.remove("title");
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "FlowMaster",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every operation is a POST with its arguments as the JSON body. The \
                            same operations are MCP tools at /mcp.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "security": [{ "key": [] }],
        "paths": paths,
        "components": {
            "schemas": { "Error": error },
            "responses": {
                "Error": {
                    "description": "The call failed; the body says what to do next.",
                    "content": {
                        "application/json": {
                            "schema": { "$ref": "#/components/schemas/Error" }
                        }
                    }
                }
            },
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } }
        }
    })
}

fn operation(offer: &Offer) -> Value {
    let tool = &offer.tool;
    let mut operation = json!({
        "operationId": tool.name,
        "summary": tool.title,
        "description": tool.description,
        "tags": [tool.scope.split(':').next().unwrap_or_default()],
        "x-effect": tool.effect,
        "x-scope": tool.scope,
        "x-roles": tool.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": *offer.advertised_input() } }
        },
        "responses": {
            "200": {
                "description": "Done.",
                "content": { "application/json": { "schema": *tool.output } }
            },
            "default": { "$ref": "#/components/responses/Error" }
        }
    });
    if tool.effect != Effect::Read
        && let Some(fields) = operation.as_object_mut()
    {
        fields.insert(
            "parameters".to_owned(),
            json!([{
                "name": "Idempotency-Key",
                "in": "header",
                "required": false,
                "description": "Same key, same answer, one effect: repeat it, within 7 days, to retry safely.",
                "schema": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": flowmaster_kernel::MAX_IDEMPOTENCY_KEY
                }
            }]),
        );
    }
    operation
}
