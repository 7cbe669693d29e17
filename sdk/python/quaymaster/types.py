"""The objects of the management API.

Written by `cargo xtask sdk` from docs/openapi.json; not to be changed by hand.
"""

from __future__ import annotations

import sys
from typing import Any, Literal

if sys.version_info >= (3, 11):
    from typing import NotRequired, TypedDict
else:
    from typing_extensions import NotRequired, TypedDict

Json = dict[str, Any]
ApiKeyPermissionScope = Literal["org", "workspace"]
ConnectSessionStatus = Literal["PENDING", "CONNECTING", "COMPLETED", "FAILED"]
ConnectionScope = Literal["ORGANIZATION", "WORKSPACE", "USER"]
ConnectionStatus = Literal["ACTIVE", "ERROR"]
ConnectionStrategy = Literal["fixed", "per_user", "per_user_with_fallback"]
ContentBlock = Json
CredentialType = Literal["SECRET_TEXT", "BASIC_AUTH", "CUSTOM_AUTH", "OAUTH2", "PLATFORM_OAUTH2"]
ImportOutcome = Literal["imported", "changed", "left_out"]
McpServerAuthMode = Literal["oauth", "bearer", "oauth_and_bearer"]
McpServerEndUserAccess = Literal["restricted", "open"]
McpServerMode = Literal["TOOLS", "CODE"]
SignInFlow = Literal["code", "device"]
SignInType = Literal["none", "api_key", "basic", "oauth2"]
Tested = Literal["live", "schema", "none"]
ToolType = Literal["ACTION"]


class Action(TypedDict):
    """A callable operation."""

    # Unique in the connector.
    key: str
    title: str
    summary: NotRequired[str | None]
    # `VERB /path`, or the name of a method.
    call: str
    # It changes nothing.
    readOnly: bool
    destructive: bool


class ActionInFullView(TypedDict):
    """An action with what it takes and answers."""

    # Unique in the connector.
    key: str
    title: str
    summary: NotRequired[str | None]
    # `VERB /path`, or the name of a method.
    call: str
    # It changes nothing.
    readOnly: bool
    destructive: bool
    # JSON Schema 2020-12 of an object.
    inputSchema: Json
    # An example of the result, shortened. Any JSON.
    responseExample: NotRequired[Any]
    # The answer is bytes.
    binary: bool


class ApiKey(TypedDict):
    id: str
    orgId: str
    # Whom the key acts as.
    userId: str
    name: str
    # How the key begins.
    keyPrefix: str
    scopes: list[str]
    permissions: ApiKeyPermissions
    # The workspace whose file tools the key sees.
    files: NotRequired[str | None]
    # The toolsets that were ticked for it; absent when it has those that such a credential usually has.
    toolsets: NotRequired[list[str] | None]
    # The tools that it has and no others; absent when it has all of its toolsets.
    tools: NotRequired[list[str] | None]
    createdAt: str
    expiresAt: NotRequired[str | None]
    # Exact to a minute.
    lastUsedAt: NotRequired[str | None]


class ApiKeyList(TypedDict):
    apiKeys: list[ApiKey]
    # How many there are in all pages.
    total: int


class ApiKeyPermissions(TypedDict):
    """Of what a key is good."""

    scope: ApiKeyPermissionScope
    # Ids or slugs, with the scope `workspace`.
    workspaceIds: NotRequired[list[str] | None]


class ChangedServer(TypedDict):
    server: McpServer
    # A new token, when the change made one. Shown once.
    bearerToken: NotRequired[str | None]


class CheckedDefinition(TypedDict):
    # Whether it could be saved as it is.
    fine: bool
    problems: list[TextProblem]
    key: NotRequired[str | None]
    title: NotRequired[str | None]
    modules: NotRequired[int | None]
    actions: NotRequired[int | None]


class CodeResult(TypedDict):
    content: list[ContentBlock]
    structuredContent: NotRequired[Json | None]
    isError: bool


class ConnectSession(TypedDict):
    """How far somebody is with connecting an account."""

    id: str
    integrationName: str
    workspaceIntegrationId: NotRequired[str | None]
    authMethodKey: NotRequired[str | None]
    # `custom` where the organization has set an OAuth app for the connector.
    oauthAppMode: NotRequired[str | None]
    # Id of that app.
    oauthAppId: NotRequired[str | None]
    connectionName: str
    externalId: str
    status: ConnectSessionStatus
    connectionId: NotRequired[str | None]
    error: NotRequired[str | None]
    expiresAt: str
    createdAt: str


class Connection(TypedDict):
    """A connected account, without its secrets."""

    id: str
    # Key of the connector.
    connector: str
    # The same.
    integrationName: str
    # How agents name it, as `connector:name`; unique for a connector.
    name: str
    # What a developer calls it; the name unless one was given.
    externalId: str
    # For people; the name unless one was given.
    displayName: str
    # What the service calls the account.
    label: NotRequired[str | None]
    status: ConnectionStatus
    # Why it does not work.
    problem: NotRequired[str | None]
    # Key of the way to sign in.
    auth: str
    # The same.
    authMethodKey: str
    scope: ConnectionScope
    # Whose it is, when it is an end user's.
    endUserId: NotRequired[str | None]
    # The fields that are not secret.
    fields: dict[str, str]
    # Only calls of this workspace reach it.
    workspaceId: NotRequired[str | None]
    # It may be inside the network.
    isLocal: bool
    # Who connected it.
    userId: str
    createdAt: str
    # When it was last tried.
    verifiedAt: NotRequired[str | None]
    # When its access token ends; it is renewed before, as long as the service lets one.
    expiresAt: NotRequired[str | None]


class ConnectionList(TypedDict):
    """A page; with `id` the one instead."""

    connections: NotRequired[list[Connection] | None]
    # How many there are in all pages.
    total: NotRequired[int | None]
    connection: NotRequired[Connection | None]


class ConnectionTools(TypedDict):
    tools: list[UpstreamTool]
    changes: UpstreamToolChanges
    # Tools that cannot be called by their names, and are left out.
    unusable: int
    # The server has more than are kept.
    isCut: bool
    # When the server was last asked; none when it never answered.
    foundAt: NotRequired[str | None]
    changedAt: NotRequired[str | None]


class Connector(TypedDict):
    # The name by which agents call it.
    key: str
    title: str
    # One line of at most 34 characters.
    summary: str
    categories: list[str]
    tested: Tested
    # Of the definition.
    version: str
    # Whether the organization has an account.
    connected: bool
    # How many accounts it has.
    accounts: int
    # The organization wrote it.
    own: bool


class ConnectorField(TypedDict):
    """Something to type in."""

    # Its name in `fields` of a connection.
    name: str
    title: str
    help: NotRequired[str | None]
    # Sealed when it arrives, and never answered.
    secret: bool
    required: bool
    # A regular expression that the whole value fits.
    pattern: NotRequired[str | None]
    example: NotRequired[str | None]
    # What stands for an absent value.
    default: NotRequired[str | None]


class ConnectorInFull(TypedDict):
    """A connector with everything but the inputs of its actions."""

    # The name by which agents call it.
    key: str
    title: str
    # One line of at most 34 characters.
    summary: str
    categories: list[str]
    tested: Tested
    # Of the definition.
    version: str
    # Whether the organization has an account.
    connected: bool
    # How many accounts it has.
    accounts: int
    # The organization wrote it.
    own: bool
    docsUrl: NotRequired[str | None]
    # Seconds for which what is said here may be kept.
    ttl: int
    # The ways to sign in; an account uses one.
    auth: list[SignInWay]
    # Whether an account names the host, which can then be inside the network (`isLocal`).
    mayBeLocal: bool
    modules: list[Module]
    recipes: list[Recipe]
    rateLimits: list[RateLimit]
    connections: list[Connection]


class ConnectorList(TypedDict):
    connectors: list[Connector]
    # How many there are in all pages.
    total: int


class Declarations(TypedDict):
    # TypeScript.
    declarations: str


class DeletedEndUser(TypedDict):
    deleted: bool
    id: str
    # How many accounts of the person went, too.
    connectionsDeleted: int


class DeletedOwn(TypedDict):
    deleted: bool
    key: str
    # How many accounts went with it.
    accounts: int


class DeletedPartial(TypedDict):
    deleted: bool
    id: str


class DeletedServer(TypedDict):
    deleted: bool
    id: str


class DeletedServerTool(TypedDict):
    deleted: bool
    id: str


class DeletedWorkspace(TypedDict):
    deleted: bool
    id: str


class DisconnectedAccount(TypedDict):
    deleted: bool
    id: str


class EmbeddedResource(TypedDict):
    uri: str
    mimeType: str
    text: str


class EndUser(TypedDict):
    """A person of a developer's own product, or a member who signs in."""

    id: str
    workspaceId: str
    # The developer's own id, or the member's user id; unique in the workspace.
    externalId: str
    displayName: NotRequired[str | None]
    email: NotRequired[str | None]
    metadata: Json
    connectionCount: int
    # `external`: a person of the developer's product. `member`: a member of the organization, whose
    # user id is the external id; only they call as this end user.
    type: str
    createdAt: str
    updatedAt: str


class EndUserInvitation(TypedDict):
    """A link that was mailed to an end user."""

    connectUrl: str
    # By which `GET /api/v1/connect/session/{id}` tells how far it is.
    sessionId: str
    # By which `POST /api/v1/connect/session/poll` tells how far it is.
    token: str
    expiresAt: str
    # Whether the mail server took it. The link works in any case.
    emailSent: bool
    # Why it did not.
    problem: NotRequired[str | None]


class EndUserList(TypedDict):
    endUsers: list[EndUser]
    # How many there are in all pages.
    total: int


class EndUserWithAccounts(TypedDict):
    endUser: EndUser
    connections: list[Connection]


class ExecutedAction(TypedDict):
    success: bool
    # What the service answered.
    output: Json
    # Milliseconds.
    duration: int


class FreshAccessToken(TypedDict):
    # Shown once.
    accessToken: str
    # The same.
    bearerToken: str
    token: McpAccessToken
    mcpEndpoint: str


class FreshApiKey(TypedDict):
    """A key with its secret."""

    apiKey: ApiKey
    # What a client presents as `Authorization: Bearer`. Shown once.
    plainKey: str


class FreshOauthToken(TypedDict):
    # Shown once.
    accessToken: str
    token: McpAccessToken
    mcpEndpoint: str


class FreshServerToken(TypedDict):
    # Shown once.
    bearerToken: str
    mcpEndpoint: str


class FreshToken(TypedDict):
    """A token with its secret."""

    credential: WorkspaceToken
    # What a client presents as `Authorization: Bearer`. Shown once.
    token: str


class ImportReport(TypedDict):
    """What became of a document."""

    # The format of the document with its version.
    format: str
    # The document's title and version as it says them.
    title: str
    version: str
    imported: int
    changed: int
    leftOut: int
    # What concerns the whole document.
    notes: list[str]
    # Every operation of the document, in its order.
    operations: list[ImportedOperation]


class ImportedDefinition(TypedDict):
    # The definition as YAML, for reading, changing and adding.
    source: str
    # What keeps it from being added as it is.
    problems: list[TextProblem]
    report: ImportReport
    connector: NotRequired[OwnConnector | None]


class ImportedOperation(TypedDict):
    """What became of an operation of the document."""

    # Its verb and path as the document has them.
    operation: str
    # The document's own name for it.
    id: NotRequired[str | None]
    module: NotRequired[str | None]
    action: NotRequired[str | None]
    outcome: ImportOutcome
    # Each change in words, or why it was left out.
    remarks: list[str]


class InputPartial(TypedDict):
    """Saved inputs of an action. Those in `enforcedKeys` are locked, and hidden from agents."""

    id: str
    orgId: str
    workspaceId: str
    # Key of the connector.
    integrationName: str
    # Only for this integration.
    workspaceIntegrationId: NotRequired[str | None]
    # Its alias.
    integrationAlias: NotRequired[str | None]
    # Only for this action.
    actionName: NotRequired[str | None]
    name: str
    description: NotRequired[str | None]
    values: Json
    enforcedKeys: list[str]
    # It holds for every tool that names no partials of its own.
    isDefault: bool
    createdAt: str
    updatedAt: str


class IntegrationList(TypedDict):
    integrations: list[WorkspaceIntegration]
    total: int


class IntegrationMetadata(TypedDict):
    """A connector."""

    name: str
    displayName: str
    description: str
    # Always empty: pages draw their own.
    logoUrl: str
    categories: list[str]
    # `type`: the kinds of sign-in; `oauth2` when that is one.
    auth: Json
    # Each `{key, type, displayName, description, oauth2}`.
    authOptions: list[Json]
    # By key, each `{name, displayName, description, inputSchema, readOnly}`.
    actions: Json
    triggers: Json


class LinkView(TypedDict):
    """A link that a person opens to connect an account, without an account here. It works once."""

    connectUrl: str
    # By which `GET /api/v1/connect/session/{id}` tells how far it is.
    sessionId: str
    # By which `POST /api/v1/connect/session/poll` tells how far it is.
    token: str
    expiresAt: str


class MadeOrganization(TypedDict):
    org: Organization


class MadeServer(TypedDict):
    """A server with its token. Its own fields stand beside it, too."""

    id: str
    name: str
    mode: McpServerMode
    # Where clients connect, as the management API has it.
    endpoint: str
    server: McpServer
    # What a client presents as `Authorization: Bearer`. Shown once.
    bearerToken: NotRequired[str | None]
    # Where clients connect.
    mcpEndpoint: str


class MadeWorkspace(TypedDict):
    workspace: Workspace
    # The workspace's default token.
    token: FreshToken


class McpAccessToken(TypedDict):
    id: str
    # How the token begins.
    tokenPrefix: str
    scopes: list[str]
    endUserId: NotRequired[str | None]
    authMethod: str
    tokenType: str
    expiresAt: NotRequired[str | None]
    createdAt: str


class McpServer(TypedDict):
    """An MCP server that somebody made."""

    id: str
    orgId: str
    workspaceId: str
    name: str
    description: NotRequired[str | None]
    mode: McpServerMode
    settings: Json
    authMode: McpServerAuthMode
    endUserAccess: McpServerEndUserAccess
    auth: McpServerAuth
    # Every call is this person's.
    endUserId: NotRequired[str | None]
    # Its tools are picked by hand; else it has whatever its workspace has switched on.
    isPicked: bool
    createdBy: str
    createdAt: str
    updatedAt: str
    # Where clients connect.
    mcpEndpoint: str


class McpServerAuth(TypedDict):
    """What `authMode` comes to."""

    # Members of the organization sign clients in.
    oauthEnabled: bool
    bearerEnabled: bool
    # The server has a token of its own.
    staticBearerEnabled: bool
    # End users can be given tokens.
    endUserBearerTokensEnabled: bool
    # The same.
    accessTokensEnabled: bool


class McpServerFlow(TypedDict):
    """A flow that names the server, and whose tool it has for that."""

    # Of the flow.
    id: str
    # Of the flow.
    name: str
    # The name of the tool.
    tool: str
    title: str


class McpServerTool(TypedDict):
    """A tool of a server."""

    # Id of the picked tool; of one that follows the workspace its name.
    id: str
    mcpServerId: str
    # What agents call.
    name: str
    integrationName: str
    integrationAlias: str
    actionName: str
    toolType: str
    connectionId: NotRequired[str | None]
    displayName: NotRequired[str | None]
    description: NotRequired[str | None]
    # JSON Schema of what agents pass, without what is locked.
    inputSchema: Json
    inputDefaults: Json
    partialIds: NotRequired[list[str] | None]
    sortOrder: int
    # The integration that it stands on.
    sourceWorkspaceIntegrationId: str


class MetadataList(TypedDict):
    integrations: NotRequired[list[IntegrationMetadata] | None]
    total: NotRequired[int | None]
    # The keys of all.
    registered: NotRequired[list[str] | None]
    integration: NotRequired[IntegrationMetadata | None]


class Module(TypedDict):
    key: str
    title: str
    summary: NotRequired[str | None]
    actions: list[Action]


class ModuleInFullView(TypedDict):
    """A module with its actions in full."""

    key: str
    title: str
    summary: NotRequired[str | None]
    actions: list[ActionInFullView]
    recipes: list[Recipe]


class OAuthApp(TypedDict):
    """An app, without its secret."""

    id: str
    clientId: str
    # Whether it has a secret.
    hasSecret: bool
    # Who set it last.
    userId: str
    changedAt: str


class OAuthStatus(TypedDict):
    # Keys of the connectors for which the organization has set its own OAuth app.
    configured: list[str]


class OneApiKey(TypedDict):
    apiKey: ApiKey


class OneConnection(TypedDict):
    connection: Connection


class OneConnector(TypedDict):
    connector: ConnectorInFull


class OneEndUser(TypedDict):
    endUser: EndUser


class OneIntegration(TypedDict):
    integration: WorkspaceIntegration


class OneModule(TypedDict):
    module: ModuleInFullView


class OneOAuthApp(TypedDict):
    oauthApp: NotRequired[OAuthApp | None]
    # What has to be registered at the service.
    redirectUri: str


class OneOwn(TypedDict):
    connector: OwnConnector


class OnePartial(TypedDict):
    partial: InputPartial


class OneServerTool(TypedDict):
    tool: McpServerTool


class OneSession(TypedDict):
    session: ConnectSession


class OneWorkspace(TypedDict):
    workspace: WorkspaceInUse


class OptionList(TypedDict):
    # Each `{value, label}`.
    options: list[Json]
    # There is nothing to choose from before other inputs are known. Never here: that is an error
    # which names them.
    disabled: bool


class Organization(TypedDict):
    id: str
    name: str
    slug: NotRequired[str | None]
    createdAt: str


class OwnConnector(TypedDict):
    """A connector that the organization wrote itself."""

    # The name by which agents call it.
    key: str
    title: str
    summary: str
    # What the definition says, and a digest of its text behind a `+`.
    version: str
    # Counts replacements, from 1.
    revision: int
    createdAt: str
    updatedAt: str
    # How many accounts the organization has.
    accounts: int
    # How many of them do not work.
    broken: int


class OwnInFull(TypedDict):
    connector: OwnConnector
    # The definition as it was written.
    source: str


class OwnList(TypedDict):
    connectors: list[OwnConnector]
    # How many there are in all pages.
    total: int


class PartialList(TypedDict):
    partials: list[InputPartial]
    total: int


class PickedTool(TypedDict):
    # Id of an integration of the workspace.
    workspaceIntegrationId: str
    # Key of one of its actions.
    actionName: str


class PolledSession(TypedDict):
    status: ConnectSessionStatus
    connectionId: NotRequired[str | None]
    integrationName: str
    workspaceIntegrationId: NotRequired[str | None]
    authMethodKey: NotRequired[str | None]
    # `custom` where the organization has set an OAuth app for the connector.
    oauthAppMode: NotRequired[str | None]
    # Id of that app.
    oauthAppId: NotRequired[str | None]
    externalId: str
    error: NotRequired[str | None]


class RateLimit(TypedDict):
    """A limit that the service documents."""

    requests: int
    # Within how many seconds.
    perSeconds: int
    # Only calls of this module count.
    module: NotRequired[str | None]
    note: NotRequired[str | None]


class Recipe(TypedDict):
    """An example of a call, as the arguments of `connector_execute`."""

    title: str
    module: str
    # Key of the action.
    action: str
    # With the path filled in.
    call: str
    query: NotRequired[Json | None]
    # Any JSON.
    body: NotRequired[Any]
    note: NotRequired[str | None]


class RemovedIntegration(TypedDict):
    deleted: bool
    id: str


class RemovedOAuthApp(TypedDict):
    deleted: bool


class ReplacedOwn(TypedDict):
    connector: OwnConnector
    # Names of accounts that stopped: the definition now sends credentials to another place, so
    # they have to be connected again.
    stoppedAccounts: list[str]


class RevokedCredential(TypedDict):
    """What is dead now."""

    deleted: bool
    id: str


class ServerList(TypedDict):
    servers: list[McpServer]
    # How many there are in all pages.
    total: int


class ServerToolList(TypedDict):
    tools: list[McpServerTool]
    total: int


class ServerWithTools(TypedDict):
    server: McpServer
    tools: list[McpServerTool]
    # By name.
    flows: list[McpServerFlow]


class SignInWay(TypedDict):
    """A way to sign in."""

    # The value of `auth` of a connection.
    key: str
    type: SignInType
    title: str
    # Where to get the credentials.
    help: NotRequired[str | None]
    # Everything that a connection needs, the service's own address included.
    fields: list[ConnectorField]
    # Whether `POST /api/v1/connections` takes it.
    connectable: bool
    # How accounts sign in at the service, the usual way first:
    # `POST /api/v1/connections/authorizations` begins it.
    flows: list[SignInFlow]


class Storage(TypedDict):
    """Bytes of files, uploads and trash."""

    usedBytes: int
    quotaBytes: int


class TextProblem(TypedDict):
    """Something that is wrong with a text."""

    # From 1; 0 when the place is not known.
    line: int
    # From 1, in characters.
    column: int
    # The place in the text, for example `steps.0.http.get`.
    key: str
    message: str


class ToolListSizeView(TypedDict):
    """Estimates: tokenizers of models differ."""

    # How many tools there are in TOOLS mode, those for looking up values and those of flows too.
    tools: int
    # How many integrations of the workspace there is no room for: a server has at most 20,000 actions.
    leftOut: int
    # About how many tokens a model reads in TOOLS mode.
    toolsModeTokens: int
    # About how many tokens a model reads in CODE mode.
    codeModeTokens: int


class UpstreamTool(TypedDict):
    """A tool as its server tells of it. None of it is checked."""

    name: str
    title: str
    description: NotRequired[str | None]
    # JSON Schema 2020-12 of an object.
    inputSchema: Json
    # It changes nothing: calls of it need the scope `read:tools` only.
    readOnly: bool
    destructive: bool


class UpstreamToolChanges(TypedDict):
    """Names of tools that are others than an administrator last accepted, which is when the account was
    connected unless later.
    """

    added: list[str]
    removed: list[str]
    # With another description, other inputs or other hints.
    changed: list[str]


class Usage(TypedDict):
    """Tool calls of the current UTC day."""

    used: int
    cap: int
    resetAt: str


class Workspace(TypedDict):
    id: str
    orgId: str
    # Unique in the organization.
    name: str
    # The name as it stands in addresses; unique in the organization.
    slug: str
    # Tool calls a UTC day.
    dailyCap: int
    # Bytes of files, uploads and trash.
    quotaBytes: int
    # Whether its flows need a credential at `/mcp`. At most one workspace of a server has it off.
    requireAuthentication: bool
    createdAt: str


class WorkspaceInUse(TypedDict):
    """A workspace with what is used of it."""

    id: str
    orgId: str
    # Unique in the organization.
    name: str
    # The name as it stands in addresses; unique in the organization.
    slug: str
    # Tool calls a UTC day.
    dailyCap: int
    # Bytes of files, uploads and trash.
    quotaBytes: int
    # Whether its flows need a credential at `/mcp`. At most one workspace of a server has it off.
    requireAuthentication: bool
    createdAt: str
    usage: Usage
    storage: Storage


class WorkspaceIntegration(TypedDict):
    """A connector that is switched on in a workspace."""

    id: str
    workspaceId: str
    # Key of the connector.
    integrationName: str
    # Unique in the workspace; in front of the names of its tools.
    alias: str
    connectionStrategy: ConnectionStrategy
    # Key of the way to sign in that end users are offered; null is any.
    authMethodKey: NotRequired[str | None]
    # `custom` where the organization has set an OAuth app for the connector.
    oauthAppMode: NotRequired[str | None]
    # Id of that app.
    oauthAppId: NotRequired[str | None]
    connectionId: NotRequired[str | None]
    displayName: NotRequired[str | None]
    # Keys of the actions that are switched on; null is all.
    enabledActions: NotRequired[list[str] | None]
    settings: Json
    sortOrder: int
    createdAt: str
    updatedAt: str


class WorkspaceList(TypedDict):
    workspaces: list[Workspace]
    # How many there are in all pages.
    total: int


class WorkspaceToken(TypedDict):
    id: str
    orgId: str
    workspaceId: NotRequired[str | None]
    # Who made it.
    userId: str
    name: str
    # `default` for the workspace's one default token, `manual`, or `reconnect` when it was made
    # by a reconnect link.
    origin: str
    # Whether it sees only the tools that change nothing.
    readOnly: bool
    scopes: list[str]
    # The toolsets that were ticked for it; absent when it has those that such a credential usually has.
    toolsets: NotRequired[list[str] | None]
    # The tools that it has and no others; absent when it has all of its toolsets.
    tools: NotRequired[list[str] | None]
    createdAt: str
    # Exact to a minute.
    lastUsedAt: NotRequired[str | None]
