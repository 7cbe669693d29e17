//! The routes that are not as all others, each with the reason.

/// What anybody may ask.
pub(super) const PUBLIC: [(&str, &str); 4] = [
    ("GET /health", "for whoever watches over the server"),
    ("GET /mcp/info", "how to connect a client, before one can"),
    ("GET /openapi.json", "the same for everybody"),
    ("GET /schemas/flow.json", "the same for everybody"),
];

/// What the owner is refused here, with the status.
pub(super) const FAILS: [(&str, u16, &str); 5] = [
    (
        "POST /connections/authorizations connectionId",
        400,
        "the account has a token and does not sign in",
    ),
    (
        "POST /connections/{id}/tools/accept",
        404,
        "the account is not one of a server of tools",
    ),
    (
        "POST /documents/uploads/{id}/complete",
        409,
        "no part of it was sent",
    ),
    (
        "POST /end-users/{id}/invite",
        501,
        "the server sends no mail",
    ),
    (
        "POST /integrations/{name}/properties/resolve",
        400,
        "no input of the service depends on another",
    ),
];

/// Fields that may have another organization's id in them.
pub(super) const HARMLESS: [(&str, &str); 2] = [
    (
        "POST /connectors/own/check replacing",
        "compared with the key in the text; nothing is looked up",
    ),
    (
        "POST /mcp/servers createdBy",
        "taken and not used: the key says who makes it",
    ),
];

/// What a member is refused although it needs no administrator, with the status.
pub(super) const OF_THE_OWNER: [(&str, u16, &str); 15] = [
    ("DELETE /api-keys/{id}", 404, "a key of another person"),
    (
        "DELETE /members/{id}",
        403,
        "members remove only themselves",
    ),
    (
        "DELETE /memory/files/{path}",
        412,
        "another person's memory",
    ),
    (
        "DELETE /workspaces/{id}/connected-clients/{credentialId}",
        404,
        "a client of another person",
    ),
    (
        "DELETE /workspaces/{id}/flow-tokens/{credentialId}",
        404,
        "made by another person",
    ),
    (
        "DELETE /workspaces/{id}/tokens/{credentialId}",
        404,
        "made by another person",
    ),
    ("GET /memory/files/{path}", 404, "another person's memory"),
    ("GET /memory/versions", 404, "another person's memory"),
    (
        "POST /api-keys/{id}/regenerate",
        404,
        "a key of another person",
    ),
    ("POST /memory/redact", 404, "another person's memory"),
    ("POST /memory/rename", 404, "another person's memory"),
    ("POST /memory/restore", 404, "another person's memory"),
    (
        "POST /workspaces/{id}/tokens/default/regenerate",
        404,
        "made by another person",
    ),
    (
        "POST /workspaces/{id}/tokens/{credentialId}/regenerate",
        404,
        "made by another person",
    ),
    ("PUT /memory/files/{path}", 412, "another person's memory"),
];
