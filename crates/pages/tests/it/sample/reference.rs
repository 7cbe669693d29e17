//! The API reference.

use std::sync::Arc;

use quaymaster_pages::openapi::from_openapi;
use quaymaster_pages::views::{OperationPage, ReferencePage};
use serde_json::json;

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_reference(&self) -> Vec<Page> {
        let reference = ReferencePage {
            layout: self.inside(),
            reference: Arc::new(from_openapi(&self.document())),
        };
        let nothing = ReferencePage {
            reference: Arc::default(),
            ..reference.clone()
        };
        let operation = |name| {
            let all = reference.reference.clone();
            OperationPage::find(self.inside(), all, name)
                .unwrap_or_else(|| panic!("no operation {name}"))
        };
        vec![
            page("reference", &reference),
            page("operation", &operation("create_workspace")),
            page("operation-deprecated", &operation("delete_workspace")),
            page("reference-empty", &nothing),
        ]
    }

    /// A small OpenAPI document with one of each thing that the reference shows.
    fn document(&self) -> serde_json::Value {
        let fault = json!({ "description": self.t("A fault."), "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/Fault" } } } });
        json!({
            "openapi": "3.1.0",
            "info": { "title": self.t("Quaymaster"), "version": self.t("0.1.0"),
                "description": self.t("Everything that the pages do.\n\nErrors are `faults`.") },
            "servers": [{ "url": self.t("https://quay.example.com") }],
            "security": [{ "key": ["admin"] }],
            "tags": [{ "name": self.t("Workspaces"), "description": self.t("Files and their tokens.") }],
            "paths": {
                "/api/v1/workspaces": {
                    "get": { "operationId": "list_workspaces", "tags": [self.t("Workspaces")],
                        "summary": self.t("List workspaces"), "parameters": [
                            { "name": self.t("limit"), "in": "query", "schema": { "type": "integer", "default": 50 },
                              "description": self.t("How many at most.") }],
                        "responses": { "200": { "description": self.t("One page."), "content": { "application/json": {
                            "schema": { "type": "array", "items": { "$ref": "#/components/schemas/Workspace" } } } } },
                            "403": fault } },
                    "post": { "operationId": "create_workspace", "tags": [self.t("Workspaces")],
                        "summary": self.t("Create a workspace"), "description": self.t("Its `name` is unique in the organization."),
                        "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/NewWorkspace" } } } },
                        "responses": { "201": { "description": self.t("The workspace."), "content": { "application/json": {
                            "schema": { "$ref": "#/components/schemas/Workspace" } } } }, "409": fault } }
                },
                "/api/v1/workspaces/{id}": { "delete": { "operationId": "delete_workspace", "deprecated": true,
                    "tags": [self.t("Workspaces")], "summary": self.t("Delete a workspace"),
                    "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                    "responses": { "204": { "description": self.t("Deleted.") }, "404": fault } } },
                "/health": { "get": { "tags": ["Server"], "summary": self.t("Whether the server works"), "security": [],
                    "responses": { "200": { "description": self.t("It does.") } } } }
            },
            "components": { "schemas": {
                "NewWorkspace": { "type": "object", "required": ["name"], "properties": {
                    "name": { "type": "string", "example": self.t("Invoices"), "description": self.t("What people see.") },
                    "access": { "type": "string", "enum": [self.t("read_write"), self.t("read_only")], "default": "read_write" } } },
                "Workspace": { "type": "object", "required": ["id", "name"], "properties": {
                    "id": { "type": "string", "example": "ws_01jd2m8x4v7q9r3t5w6y8z0a1b" },
                    "name": { "type": "string", "example": self.t("Invoices") },
                    "created_at": { "type": "string", "format": "date-time" } } },
                "Fault": { "type": "object", "required": ["error"], "properties": {
                    "error": { "type": "string", "description": self.t("What went wrong, and what to do next.") },
                    "code": { "type": "string" } } }
            } }
        })
    }
}
