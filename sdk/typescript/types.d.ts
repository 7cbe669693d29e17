// Written by `cargo xtask sdk` from docs/openapi.json; not to be changed by hand.

export type Json = Record<string, unknown>;

/** A callable operation. */
export interface Action {
  /** Unique in the connector. */
  key: string;
  title: string;
  summary?: string | null;
  /** `VERB /path`, or the name of a method. */
  call: string;
  /** It changes nothing. */
  readOnly: boolean;
  destructive: boolean;
}

/** An action with what it takes and answers. */
export interface ActionInFullView {
  /** Unique in the connector. */
  key: string;
  title: string;
  summary?: string | null;
  /** `VERB /path`, or the name of a method. */
  call: string;
  /** It changes nothing. */
  readOnly: boolean;
  destructive: boolean;
  /** JSON Schema 2020-12 of an object. */
  inputSchema: Json;
  /** An example of the result, shortened. Any JSON. */
  responseExample?: unknown;
  /** The answer is bytes. */
  binary: boolean;
}

export interface AddIntegration {
  /** Key of the connector; a hyphen equals an underscore. */
  integrationName: string;
  /** The connector's key unless said otherwise. */
  alias?: string | null;
  connectionStrategy?: ConnectionStrategy | null;
  authMethodKey?: string | null;
  /** Id, external id or name of a connection. Needed for `fixed`. */
  connectionId?: string | null;
  displayName?: string | null;
  /** Keys of actions; all when it is absent. */
  enabledActions?: string[] | null;
  /** Kept and answered; nothing acts on it. */
  settings?: Json | null;
  sortOrder?: number | null;
  /** Taken, of no effect: accounts sign in by the app that the organization has set. */
  oauthAppMode?: string | null;
  /** Id of that app. */
  oauthAppId?: string | null;
}

export interface AddServerTool {
  /** Key of the connector; a hyphen equals an underscore. */
  integrationName: string;
  /** Key of the action. */
  actionName: string;
  /** An integration of the workspace, or a new one. */
  integrationAlias?: string | null;
  toolType?: ToolType | null;
  /** Id, external id or name of a connection. */
  connectionId?: string | null;
  displayName?: string | null;
  description?: string | null;
  /** Inputs for when the agent gives none. */
  inputDefaults?: Json | null;
  /** Ids or names. Absent lets the workspace's default partials hold, an empty list none. */
  partialIds?: string[] | null;
  sortOrder?: number | null;
}

export interface ApiKey {
  id: string;
  orgId: string;
  /** Whom the key acts as. */
  userId: string;
  name: string;
  /** How the key begins. */
  keyPrefix: string;
  scopes: string[];
  permissions: ApiKeyPermissions;
  /** The workspace whose file tools the key sees. */
  files?: string | null;
  /** The toolsets that were ticked for it; absent when it has those that such a credential usually has. */
  toolsets?: string[] | null;
  /** The tools that it has and no others; absent when it has all of its toolsets. */
  tools?: string[] | null;
  createdAt: string;
  expiresAt?: string | null;
  /** Exact to a minute. */
  lastUsedAt?: string | null;
}

export interface ApiKeyList {
  apiKeys: ApiKey[];
  /** How many there are in all pages. */
  total: number;
}

export type ApiKeyPermissionScope = 'org' | 'workspace';

/** Of what a key is good. */
export interface ApiKeyPermissions {
  scope: ApiKeyPermissionScope;
  /** Ids or slugs, with the scope `workspace`. */
  workspaceIds?: string[] | null;
}

export interface AskEndUser {
  /** Key of the connector; or `workspaceIntegrationId`. */
  integrationName?: string | null;
  /** Id of the integration that the account is for. */
  workspaceIntegrationId?: string | null;
  /** Seconds for which the link is good; a day unless said otherwise. */
  expiresIn?: number | null;
}

export interface AskOptions {
  actionName?: string | null;
  triggerName?: string | null;
  /** The input whose values are wanted. */
  propertyName: string;
  connectionExternalId?: string | null;
  authMethodKey?: string | null;
  /** Id or slug of the workspace. */
  workspaceId?: string | null;
  workspaceIntegrationId?: string | null;
  integrationAlias?: string | null;
  endUserId?: string | null;
  /** Inputs that are known so far. */
  input?: Json | null;
  partialIds?: string[] | null;
  /** Only values with this text. */
  searchValue?: string | null;
}

export interface CallServerTool {
  /** As `tools/list` of the server names it. */
  name: string;
  arguments?: Json | null;
}

/** What is absent stays. */
export interface ChangeApiKey {
  name?: string | null;
  scopes?: string[] | null;
  /**
   * Toolsets that it shall have from now on, as GET /api/v1/toolsets names them; null for those that
   * such a credential usually has.
   */
  toolsets?: string[] | null;
  /**
   * Names of the tools that it shall have from now on and no others; null for all of its toolsets. Of
   * a credential that has single tools it is sent with `toolsets`.
   */
  tools?: string[] | null;
}

/** What is absent stays. */
export interface ChangeEndUser {
  displayName?: string | null;
  email?: string | null;
  metadata?: Json | null;
}

/** What is absent stays; null takes away. */
export interface ChangeIntegration {
  alias?: string | null;
  connectionStrategy?: ConnectionStrategy | null;
  authMethodKey?: string | null;
  /** Id, external id or name of a connection. */
  connectionId?: string | null;
  displayName?: string | null;
  enabledActions?: string[] | null;
  settings?: Json | null;
  sortOrder?: number | null;
  /** Taken, of no effect: accounts sign in by the app that the organization has set. */
  oauthAppMode?: string | null;
  /** Id of that app. */
  oauthAppId?: string | null;
}

/** What is absent stays. */
export interface ChangePartial {
  name?: string | null;
  description?: string | null;
  values?: Json | null;
  enforcedKeys?: string[] | null;
  isDefault?: boolean | null;
}

/** What is absent stays. */
export interface ChangeServer {
  name?: string | null;
  description?: string | null;
  mode?: McpServerMode | null;
  settings?: Json | null;
  authMode?: McpServerAuthMode | null;
  endUserAccess?: McpServerEndUserAccess | null;
  /** Another person, or null for nobody: the tokens of the server are dead, and there is a new one. */
  endUserId?: string | null;
}

/** What is absent stays. */
export interface ChangeServerTool {
  integrationAlias?: string | null;
  /** Null lets the integration's hold. */
  connectionId?: string | null;
  /** Null lets the action's own hold. */
  displayName?: string | null;
  /** Null lets the action's own hold. */
  description?: string | null;
  inputDefaults?: Json | null;
  /** Ids or names; null lets the workspace's default partials hold, an empty list none. */
  partialIds?: string[] | null;
  sortOrder?: number | null;
}

/** What is absent stays. */
export interface ChangeWorkspace {
  name?: string | null;
  slug?: string | null;
  dailyCap?: number | null;
  quotaBytes?: number | null;
  /**
   * Off, anybody who reaches `/mcp` calls this workspace's flows, and nothing else, without a
   * credential. Refused while another workspace of the server has it off.
   */
  requireAuthentication?: boolean | null;
}

export interface ChangedServer {
  server: McpServer;
  /** A new token, when the change made one. Shown once. */
  bearerToken?: string | null;
}

export interface CheckDefinition {
  /** The definition as YAML, at most 4 MiB. */
  source: string;
  /** Key of the connector that it shall replace; without one it is looked at as a new one. */
  replacing?: string | null;
}

export interface CheckedDefinition {
  /** Whether it could be saved as it is. */
  fine: boolean;
  problems: TextProblem[];
  key?: string | null;
  title?: string | null;
  modules?: number | null;
  actions?: number | null;
}

export interface CodeResult {
  content: ContentBlock[];
  structuredContent?: Json | null;
  isError: boolean;
}

/** How far somebody is with connecting an account. */
export interface ConnectSession {
  id: string;
  integrationName: string;
  workspaceIntegrationId?: string | null;
  authMethodKey?: string | null;
  /** `custom` where the organization has set an OAuth app for the connector. */
  oauthAppMode?: string | null;
  /** Id of that app. */
  oauthAppId?: string | null;
  connectionName: string;
  externalId: string;
  status: ConnectSessionStatus;
  connectionId?: string | null;
  error?: string | null;
  expiresAt: string;
  createdAt: string;
}

export type ConnectSessionStatus = 'PENDING' | 'CONNECTING' | 'COMPLETED' | 'FAILED';

/** A connected account, without its secrets. */
export interface Connection {
  id: string;
  /** Key of the connector. */
  connector: string;
  /** The same. */
  integrationName: string;
  /** How agents name it, as `connector:name`; unique for a connector. */
  name: string;
  /** What a developer calls it; the name unless one was given. */
  externalId: string;
  /** For people; the name unless one was given. */
  displayName: string;
  /** What the service calls the account. */
  label?: string | null;
  status: ConnectionStatus;
  /** Why it does not work. */
  problem?: string | null;
  /** Key of the way to sign in. */
  auth: string;
  /** The same. */
  authMethodKey: string;
  scope: ConnectionScope;
  /** Whose it is, when it is an end user's. */
  endUserId?: string | null;
  /** The fields that are not secret. */
  fields: Record<string, string>;
  /** Only calls of this workspace reach it. */
  workspaceId?: string | null;
  /** It may be inside the network. */
  isLocal: boolean;
  /** Who connected it. */
  userId: string;
  createdAt: string;
  /** When it was last tried. */
  verifiedAt?: string | null;
  /** When its access token ends; it is renewed before, as long as the service lets one. */
  expiresAt?: string | null;
}

/** A page; with `id` the one instead. */
export interface ConnectionList {
  connections?: Connection[] | null;
  /** How many there are in all pages. */
  total?: number | null;
  connection?: Connection | null;
}

/** Whose a connection is: everybody's of the organization, of a workspace, or of an end user. */
export type ConnectionScope = 'ORGANIZATION' | 'WORKSPACE' | 'USER';

/** Whether an account works, as far as is known: `ERROR` since the last try failed, else `ACTIVE`. */
export type ConnectionStatus = 'ACTIVE' | 'ERROR';

/**
 * Whose account a call uses: `fixed` the one that the integration names, `per_user` the end user's
 * own, `per_user_with_fallback` the end user's own or else the one that it names.
 */
export type ConnectionStrategy = 'fixed' | 'per_user' | 'per_user_with_fallback';

export interface ConnectionTools {
  tools: UpstreamTool[];
  changes: UpstreamToolChanges;
  /** Tools that cannot be called by their names, and are left out. */
  unusable: number;
  /** The server has more than are kept. */
  isCut: boolean;
  /** When the server was last asked; none when it never answered. */
  foundAt?: string | null;
  changedAt?: string | null;
}

export interface Connector {
  /** The name by which agents call it. */
  key: string;
  title: string;
  /** One line of at most 34 characters. */
  summary: string;
  categories: string[];
  tested: Tested;
  /** Of the definition. */
  version: string;
  /** Whether the organization has an account. */
  connected: boolean;
  /** How many accounts it has. */
  accounts: number;
  /** The organization wrote it. */
  own: boolean;
}

/** Something to type in. */
export interface ConnectorField {
  /** Its name in `fields` of a connection. */
  name: string;
  title: string;
  help?: string | null;
  /** Sealed when it arrives, and never answered. */
  secret: boolean;
  required: boolean;
  /** A regular expression that the whole value fits. */
  pattern?: string | null;
  example?: string | null;
  /** What stands for an absent value. */
  default?: string | null;
}

/** A connector with everything but the inputs of its actions. */
export interface ConnectorInFull {
  /** The name by which agents call it. */
  key: string;
  title: string;
  /** One line of at most 34 characters. */
  summary: string;
  categories: string[];
  tested: Tested;
  /** Of the definition. */
  version: string;
  /** Whether the organization has an account. */
  connected: boolean;
  /** How many accounts it has. */
  accounts: number;
  /** The organization wrote it. */
  own: boolean;
  docsUrl?: string | null;
  /** Seconds for which what is said here may be kept. */
  ttl: number;
  /** The ways to sign in; an account uses one. */
  auth: SignInWay[];
  /** Whether an account names the host, which can then be inside the network (`isLocal`). */
  mayBeLocal: boolean;
  modules: Module[];
  recipes: Recipe[];
  rateLimits: RateLimit[];
  connections: Connection[];
}

export interface ConnectorList {
  connectors: Connector[];
  /** How many there are in all pages. */
  total: number;
}

/** A block of a result, told apart by `type`. */
export type ContentBlock =
  | { text: string; type: 'text' }
  | { data: string; mimeType: string; type: 'image' }
  | { data: string; mimeType: string; type: 'audio' }
  | { resource: EmbeddedResource; type: 'resource' }
  | { uri: string; name: string; mimeType?: string | null; size?: number | null; type: 'resource_link' };

export interface CreateAccessToken {
  /** Our id of the end user, or the developer's. */
  endUserId: string;
  /** `mcp:tools`, `mcp:code`, `read:tools`, `write:tools`; all unless said otherwise. */
  scopes?: string[] | null;
  /** Seconds; a day unless said otherwise. */
  expiresIn?: number | null;
}

/**
 * At most one of `expiresAt`, `expiresInDays` and `neverExpires`; without any, the key is good
 * for 90 days.
 */
export interface CreateApiKey {
  name: string;
  /** Without it, all that its creator has. */
  scopes?: string[] | null;
  expiresAt?: string | null;
  expiresInDays?: number | null;
  neverExpires?: boolean | null;
  permissions?: ApiKeyPermissions | null;
  /** Id or slug of a workspace whose file tools the key shall see. */
  files?: string | null;
  /** Toolsets that it shall have, as GET /api/v1/toolsets names them. Without them, all of them. */
  toolsets?: string[] | null;
  /**
   * Names of the tools that it shall have and no others. Without them, all of its toolsets, also
   * those that are added later.
   */
  tools?: string[] | null;
}

export interface CreateConnectToken {
  /** Key of the connector. */
  integrationName: string;
  /** What the connection will be called. */
  connectionName: string;
  /** What the developer calls it. */
  externalId: string;
  /** Our id of the end user whose it will be, or the developer's. */
  endUserId?: string | null;
  /** Id or slug of the workspace. */
  workspaceId: string;
  workspaceIntegrationId?: string | null;
  authMethodKey?: string | null;
  scope?: ConnectionScope | null;
  /** Where the person is sent afterwards. */
  successRedirectUri?: string | null;
  errorRedirectUri?: string | null;
  /** Taken, of no effect: people sign in by the app that the organization has set. */
  oauthAppMode?: string | null;
  /** Id of that app. */
  oauthAppId?: string | null;
}

/**
 * A connector by `connector` with `fields`, or by `integrationName` with a `type` of credential. What
 * belongs to the other way is refused.
 */
export interface CreateConnection {
  /** Key of the connector. */
  connector?: string | null;
  /** The same; a hyphen equals an underscore. */
  integrationName?: string | null;
  /** How agents name it; without one `main`, or the first free of `main-2`, `main-3`. */
  name?: string | null;
  /** Key of the way to sign in; without one the connector's first. */
  auth?: string | null;
  /** The same. */
  authMethodKey?: string | null;
  /** What the way to sign in asks for, by name, secrets too. */
  fields?: Record<string, string> | null;
  /** Id or slug of a workspace: only its calls reach the account. */
  workspace?: string | null;
  /** The same, with the scope `WORKSPACE` or `USER`. */
  workspaceId?: string | null;
  /** The service is inside the network: requests may go to private addresses and by plain HTTP. */
  isLocal?: boolean | null;
  type?: CredentialType | null;
  /** What the developer calls it; unique for a connector among those of the same owner. */
  externalId?: string | null;
  displayName?: string | null;
  scope?: ConnectionScope | null;
  /** Our id of the end user whose it is, or the developer's. */
  endUserId?: string | null;
  secretText?: string | null;
  username?: string | null;
  password?: string | null;
  /**
   * What the way to sign in asks for besides, by name, such as the address of a server; with the type
   * `CUSTOM_AUTH` all of it.
   */
  props?: Json | null;
  accessToken?: string | null;
  refreshToken?: string | null;
  /** `Bearer`, with the type `OAUTH2`. */
  tokenType?: string | null;
  /** Seconds. */
  expiresIn?: number | null;
  /** Taken with the type `OAUTH2`, of no effect: the service knows what it granted. */
  scope_oauth?: string | null;
  /**
   * The rest of what the token endpoint answered, with the type `OAUTH2`: some services say there
   * which account it is.
   */
  data?: Json | null;
  /** Id of the organization's app for the connector, which renews the tokens in any case. */
  oauthAppId?: string | null;
}

export interface CreateEndUser {
  /** Id or slug of the workspace. */
  workspaceId: string;
  externalId: string;
  displayName?: string | null;
  email?: string | null;
  metadata?: Json | null;
}

export interface CreateOrganization {
  /** Unique on the server. */
  name: string;
  /** Answered as it came; organizations are told apart by id and name. */
  slug?: string | null;
}

export interface CreatePartial {
  /** Id or slug of the workspace. */
  workspaceId: string;
  /** Key of the connector. */
  integrationName: string;
  workspaceIntegrationId?: string | null;
  integrationAlias?: string | null;
  actionName?: string | null;
  triggerName?: string | null;
  name: string;
  description?: string | null;
  values?: Json | null;
  enforcedKeys?: string[] | null;
  isDefault?: boolean | null;
}

export interface CreateServer {
  name: string;
  description?: string | null;
  /** Id or slug of the workspace. */
  workspaceId: string;
  mode?: McpServerMode | null;
  /** Kept and answered; nothing acts on it. */
  settings?: Json | null;
  authMode?: McpServerAuthMode | null;
  endUserAccess?: McpServerEndUserAccess | null;
  /** Every call is this person's: our id, or the developer's. */
  endUserId?: string | null;
  /** Ignored: whoever calls makes it. */
  createdBy?: string | null;
}

/** What a credential is made of. */
export type CredentialType = 'SECRET_TEXT' | 'BASIC_AUTH' | 'CUSTOM_AUTH' | 'OAUTH2' | 'PLATFORM_OAUTH2';

export interface Declarations {
  /** TypeScript. */
  declarations: string;
}

export interface DefinitionSource {
  /** The definition as YAML, at most 4 MiB. `docs/connectors.md` describes the format. */
  source: string;
}

export interface DeletedEndUser {
  deleted: boolean;
  id: string;
  /** How many accounts of the person went, too. */
  connectionsDeleted: number;
}

export interface DeletedOwn {
  deleted: boolean;
  key: string;
  /** How many accounts went with it. */
  accounts: number;
}

export interface DeletedPartial {
  deleted: boolean;
  id: string;
}

export interface DeletedServer {
  deleted: boolean;
  id: string;
}

export interface DeletedServerTool {
  deleted: boolean;
  id: string;
}

export interface DeletedWorkspace {
  deleted: boolean;
  id: string;
}

export interface DisconnectedAccount {
  deleted: boolean;
  id: string;
}

export interface EmbeddedResource {
  uri: string;
  mimeType: string;
  text: string;
}

/** A person of a developer's own product, or a member who signs in. */
export interface EndUser {
  id: string;
  workspaceId: string;
  /** The developer's own id, or the member's user id; unique in the workspace. */
  externalId: string;
  displayName?: string | null;
  email?: string | null;
  metadata: Json;
  connectionCount: number;
  /**
   * `external`: a person of the developer's product. `member`: a member of the organization, whose
   * user id is the external id; only they call as this end user.
   */
  type: string;
  createdAt: string;
  updatedAt: string;
}

/** A link that was mailed to an end user. */
export interface EndUserInvitation {
  connectUrl: string;
  /** By which `GET /api/v1/connect/session/{id}` tells how far it is. */
  sessionId: string;
  /** By which `POST /api/v1/connect/session/poll` tells how far it is. */
  token: string;
  expiresAt: string;
  /** Whether the mail server took it. The link works in any case. */
  emailSent: boolean;
  /** Why it did not. */
  problem?: string | null;
}

export interface EndUserList {
  endUsers: EndUser[];
  /** How many there are in all pages. */
  total: number;
}

export interface EndUserWithAccounts {
  endUser: EndUser;
  connections: Connection[];
}

export interface ExecuteAction {
  /** Key of the connector; a hyphen equals an underscore. */
  integrationName: string;
  /** Key of the action. */
  actionName: string;
  input?: Json | null;
  /** Id, external id or name of a connection; else what the integration says. */
  connectionExternalId?: string | null;
  authMethodKey?: string | null;
  /** Id or slug of the workspace. */
  workspaceId: string;
  workspaceIntegrationId?: string | null;
  /** Our id of the end user, or the developer's. */
  endUserId?: string | null;
  integrationAlias?: string | null;
  /** Ids or names. Absent lets the default partials hold, an empty list none. */
  partialIds?: string[] | null;
  /**
   * The same request with the same key runs an action that writes once, and is answered with what came
   * of the first, for a day. The service gets it as `Idempotency-Key`.
   */
  idempotencyKey?: string | null;
}

export interface ExecuteCode {
  /** The body of an async JavaScript or TypeScript function. */
  code?: string | null;
  approvalId?: string | null;
  waitForApprovalSeconds?: number | null;
}

export interface ExecutedAction {
  success: boolean;
  /** What the service answered. */
  output: Json;
  /** Milliseconds. */
  duration: number;
}

export interface FreshAccessToken {
  /** Shown once. */
  accessToken: string;
  /** The same. */
  bearerToken: string;
  token: McpAccessToken;
  mcpEndpoint: string;
}

/** A key with its secret. */
export interface FreshApiKey {
  apiKey: ApiKey;
  /** What a client presents as `Authorization: Bearer`. Shown once. */
  plainKey: string;
}

export interface FreshOauthToken {
  /** Shown once. */
  accessToken: string;
  token: McpAccessToken;
  mcpEndpoint: string;
}

export interface FreshServerToken {
  /** Shown once. */
  bearerToken: string;
  mcpEndpoint: string;
}

/** A token with its secret. */
export interface FreshToken {
  credential: WorkspaceToken;
  /** What a client presents as `Authorization: Bearer`. Shown once. */
  token: string;
}

export interface ImportDefinition {
  /** OpenAPI 2.0, 3.0 or 3.1, or Google Discovery, as JSON or YAML, at most 16 MiB. */
  document?: string | null;
  /** Instead of `document`, as base64; this way also an archive of files that refer to each other. */
  documentBase64?: string | null;
  /** The name of the file, for messages. */
  name?: string | null;
  /** Key of the connector; made from the document's title unless given. */
  key?: string | null;
  title?: string | null;
  /** Instead of the document's servers; `{url}` makes each account give its address. */
  baseUrl?: string | null;
  /** Only operations with one of these tags; all when there are none. */
  only?: string[];
  /** Adds the connector when nothing is wrong. Without it, only what would be added is answered. */
  save?: boolean | null;
}

export type ImportOutcome = 'imported' | 'changed' | 'left_out';

/** What became of a document. */
export interface ImportReport {
  /** The format of the document with its version. */
  format: string;
  /** The document's title and version as it says them. */
  title: string;
  version: string;
  imported: number;
  changed: number;
  leftOut: number;
  /** What concerns the whole document. */
  notes: string[];
  /** Every operation of the document, in its order. */
  operations: ImportedOperation[];
}

export interface ImportedDefinition {
  /** The definition as YAML, for reading, changing and adding. */
  source: string;
  /** What keeps it from being added as it is. */
  problems: TextProblem[];
  report: ImportReport;
  connector?: OwnConnector | null;
}

/** What became of an operation of the document. */
export interface ImportedOperation {
  /** Its verb and path as the document has them. */
  operation: string;
  /** The document's own name for it. */
  id?: string | null;
  module?: string | null;
  action?: string | null;
  outcome: ImportOutcome;
  /** Each change in words, or why it was left out. */
  remarks: string[];
}

/** Saved inputs of an action. Those in `enforcedKeys` are locked, and hidden from agents. */
export interface InputPartial {
  id: string;
  orgId: string;
  workspaceId: string;
  /** Key of the connector. */
  integrationName: string;
  /** Only for this integration. */
  workspaceIntegrationId?: string | null;
  /** Its alias. */
  integrationAlias?: string | null;
  /** Only for this action. */
  actionName?: string | null;
  name: string;
  description?: string | null;
  values: Json;
  enforcedKeys: string[];
  /** It holds for every tool that names no partials of its own. */
  isDefault: boolean;
  createdAt: string;
  updatedAt: string;
}

export interface IntegrationList {
  integrations: WorkspaceIntegration[];
  total: number;
}

/** A connector. */
export interface IntegrationMetadata {
  name: string;
  displayName: string;
  description: string;
  /** Always empty: pages draw their own. */
  logoUrl: string;
  categories: string[];
  /** `type`: the kinds of sign-in; `oauth2` when that is one. */
  auth: Json;
  /** Each `{key, type, displayName, description, oauth2}`. */
  authOptions: Json[];
  /** By key, each `{name, displayName, description, inputSchema, readOnly}`. */
  actions: Json;
  triggers: Json;
}

export interface InviteEndUser {
  /** Where the mail goes. */
  email: string;
  /**
   * Key of the connector; or `workspaceIntegrationId`; or neither, where the workspace has one
   * integration that uses accounts of end users.
   */
  integrationName?: string | null;
  /** Id of the integration that the account is for. */
  workspaceIntegrationId?: string | null;
  /** Seconds for which the link is good; a day unless said otherwise. */
  expiresIn?: number | null;
}

/** A link that a person opens to connect an account, without an account here. It works once. */
export interface LinkView {
  connectUrl: string;
  /** By which `GET /api/v1/connect/session/{id}` tells how far it is. */
  sessionId: string;
  /** By which `POST /api/v1/connect/session/poll` tells how far it is. */
  token: string;
  expiresAt: string;
}

export interface MadeOrganization {
  org: Organization;
}

/** A server with its token. Its own fields stand beside it, too. */
export interface MadeServer {
  id: string;
  name: string;
  mode: McpServerMode;
  /** Where clients connect, as the management API has it. */
  endpoint: string;
  server: McpServer;
  /** What a client presents as `Authorization: Bearer`. Shown once. */
  bearerToken?: string | null;
  /** Where clients connect. */
  mcpEndpoint: string;
}

export interface MadeWorkspace {
  workspace: Workspace;
  /** The workspace's default token. */
  token: FreshToken;
}

export interface McpAccessToken {
  id: string;
  /** How the token begins. */
  tokenPrefix: string;
  scopes: string[];
  endUserId?: string | null;
  authMethod: string;
  tokenType: string;
  expiresAt?: string | null;
  createdAt: string;
}

/** An MCP server that somebody made. */
export interface McpServer {
  id: string;
  orgId: string;
  workspaceId: string;
  name: string;
  description?: string | null;
  mode: McpServerMode;
  settings: Json;
  authMode: McpServerAuthMode;
  endUserAccess: McpServerEndUserAccess;
  auth: McpServerAuth;
  /** Every call is this person's. */
  endUserId?: string | null;
  /** Its tools are picked by hand; else it has whatever its workspace has switched on. */
  isPicked: boolean;
  createdBy: string;
  createdAt: string;
  updatedAt: string;
  /** Where clients connect. */
  mcpEndpoint: string;
}

/** What `authMode` comes to. */
export interface McpServerAuth {
  /** Members of the organization sign clients in. */
  oauthEnabled: boolean;
  bearerEnabled: boolean;
  /** The server has a token of its own. */
  staticBearerEnabled: boolean;
  /** End users can be given tokens. */
  endUserBearerTokensEnabled: boolean;
  /** The same. */
  accessTokensEnabled: boolean;
}

/** How clients sign in: members of the organization by OAuth, whoever has a token, or both. */
export type McpServerAuthMode = 'oauth' | 'bearer' | 'oauth_and_bearer';

/**
 * Which members become end users of the workspace by signing in, so that integrations with the
 * strategy `per_user` use their accounts. `restricted`: administrators. `open`: everybody.
 */
export type McpServerEndUserAccess = 'restricted' | 'open';

/** A flow that names the server, and whose tool it has for that. */
export interface McpServerFlow {
  /** Of the flow. */
  id: string;
  /** Of the flow. */
  name: string;
  /** The name of the tool. */
  tool: string;
  title: string;
}

/** `TOOLS`: each action is a tool. `CODE`: three tools search, document and call all actions by code. */
export type McpServerMode = 'TOOLS' | 'CODE';

/** A tool of a server. */
export interface McpServerTool {
  /** Id of the picked tool; of one that follows the workspace its name. */
  id: string;
  mcpServerId: string;
  /** What agents call. */
  name: string;
  integrationName: string;
  integrationAlias: string;
  actionName: string;
  toolType: string;
  connectionId?: string | null;
  displayName?: string | null;
  description?: string | null;
  /** JSON Schema of what agents pass, without what is locked. */
  inputSchema: Json;
  inputDefaults: Json;
  partialIds?: string[] | null;
  sortOrder: number;
  /** The integration that it stands on. */
  sourceWorkspaceIntegrationId: string;
}

export interface MetadataList {
  integrations?: IntegrationMetadata[] | null;
  total?: number | null;
  /** The keys of all. */
  registered?: string[] | null;
  integration?: IntegrationMetadata | null;
}

export interface Module {
  key: string;
  title: string;
  summary?: string | null;
  actions: Action[];
}

/** A module with its actions in full. */
export interface ModuleInFullView {
  key: string;
  title: string;
  summary?: string | null;
  actions: ActionInFullView[];
  recipes: Recipe[];
}

export interface NewWorkspace {
  name: string;
  /** Made from the name when it is absent. */
  slug?: string | null;
}

/** An app, without its secret. */
export interface OAuthApp {
  id: string;
  clientId: string;
  /** Whether it has a secret. */
  hasSecret: boolean;
  /** Who set it last. */
  userId: string;
  changedAt: string;
}

export interface OAuthStatus {
  /** Keys of the connectors for which the organization has set its own OAuth app. */
  configured: string[];
}

export interface OneApiKey {
  apiKey: ApiKey;
}

export interface OneConnection {
  connection: Connection;
}

export interface OneConnector {
  connector: ConnectorInFull;
}

export interface OneEndUser {
  endUser: EndUser;
}

export interface OneIntegration {
  integration: WorkspaceIntegration;
}

export interface OneModule {
  module: ModuleInFullView;
}

export interface OneOAuthApp {
  oauthApp?: OAuthApp | null;
  /** What has to be registered at the service. */
  redirectUri: string;
}

export interface OneOwn {
  connector: OwnConnector;
}

export interface OnePartial {
  partial: InputPartial;
}

export interface OneServerTool {
  tool: McpServerTool;
}

export interface OneSession {
  session: ConnectSession;
}

export interface OneWorkspace {
  workspace: WorkspaceInUse;
}

export interface OptionList {
  /** Each `{value, label}`. */
  options: Json[];
  /**
   * There is nothing to choose from before other inputs are known. Never here: that is an error
   * which names them.
   */
  disabled: boolean;
}

export interface Organization {
  id: string;
  name: string;
  slug?: string | null;
  createdAt: string;
}

/** A connector that the organization wrote itself. */
export interface OwnConnector {
  /** The name by which agents call it. */
  key: string;
  title: string;
  summary: string;
  /** What the definition says, and a digest of its text behind a `+`. */
  version: string;
  /** Counts replacements, from 1. */
  revision: number;
  createdAt: string;
  updatedAt: string;
  /** How many accounts the organization has. */
  accounts: number;
  /** How many of them do not work. */
  broken: number;
}

export interface OwnInFull {
  connector: OwnConnector;
  /** The definition as it was written. */
  source: string;
}

export interface OwnList {
  connectors: OwnConnector[];
  /** How many there are in all pages. */
  total: number;
}

export interface PartialList {
  partials: InputPartial[];
  total: number;
}

export interface PickServerTools {
  /** All that the server shall have. Absent or null lets it follow its workspace. */
  tools?: PickedTool[] | null;
}

export interface PickedTool {
  /** Id of an integration of the workspace. */
  workspaceIntegrationId: string;
  /** Key of one of its actions. */
  actionName: string;
}

export interface PollSession {
  /** The token that came with the link. */
  token: string;
}

export interface PolledSession {
  status: ConnectSessionStatus;
  connectionId?: string | null;
  integrationName: string;
  workspaceIntegrationId?: string | null;
  authMethodKey?: string | null;
  /** `custom` where the organization has set an OAuth app for the connector. */
  oauthAppMode?: string | null;
  /** Id of that app. */
  oauthAppId?: string | null;
  externalId: string;
  error?: string | null;
}

/** A limit that the service documents. */
export interface RateLimit {
  requests: number;
  /** Within how many seconds. */
  perSeconds: number;
  /** Only calls of this module count. */
  module?: string | null;
  note?: string | null;
}

/** An example of a call, as the arguments of `connector_execute`. */
export interface Recipe {
  title: string;
  module: string;
  /** Key of the action. */
  action: string;
  /** With the path filled in. */
  call: string;
  query?: Json | null;
  /** Any JSON. */
  body?: unknown;
  note?: string | null;
}

export interface RemovedIntegration {
  deleted: boolean;
  id: string;
}

export interface RemovedOAuthApp {
  deleted: boolean;
}

export interface RenameConnection {
  name: string;
}

export interface ReplaceCredentials {
  /** Everything that the connection's way to sign in asks for: what is absent is not kept. */
  fields: Record<string, string>;
}

export interface ReplacedOwn {
  connector: OwnConnector;
  /**
   * Names of accounts that stopped: the definition now sends credentials to another place, so
   * they have to be connected again.
   */
  stoppedAccounts: string[];
}

export interface ResolveConnection {
  /** Key of the connector. */
  integrationName: string;
  externalId?: string | null;
  /** Id or slug of the workspace. */
  workspaceId: string;
  authMethodKey?: string | null;
  /** Our id of the end user, or the developer's: their own account goes first. */
  endUserId?: string | null;
}

/** What is dead now. */
export interface RevokedCredential {
  deleted: boolean;
  id: string;
}

export interface ServerList {
  servers: McpServer[];
  /** How many there are in all pages. */
  total: number;
}

export interface ServerToolList {
  tools: McpServerTool[];
  total: number;
}

export interface ServerWithTools {
  server: McpServer;
  tools: McpServerTool[];
  /** By name. */
  flows: McpServerFlow[];
}

export interface SetDefault {
  isDefault: boolean;
}

export interface SetOAuthApp {
  clientId: string;
  /** Without it, that of the same client id stays; an app that never had one is a public client. */
  clientSecret?: string | null;
}

/** How somebody signs in: `code` in their browser, `device` on any other device. */
export type SignInFlow = 'code' | 'device';

export type SignInType = 'none' | 'api_key' | 'basic' | 'oauth2';

/** A way to sign in. */
export interface SignInWay {
  /** The value of `auth` of a connection. */
  key: string;
  type: SignInType;
  title: string;
  /** Where to get the credentials. */
  help?: string | null;
  /** Everything that a connection needs, the service's own address included. */
  fields: ConnectorField[];
  /** Whether `POST /api/v1/connections` takes it. */
  connectable: boolean;
  /**
   * How accounts sign in at the service, the usual way first:
   * `POST /api/v1/connections/authorizations` begins it.
   */
  flows: SignInFlow[];
}

/** Bytes of files, uploads and trash. */
export interface Storage {
  usedBytes: number;
  quotaBytes: number;
}

/**
 * How a definition was tried: `live` against the real service, `schema` by comparing every request
 * with the service's documentation, `none` not at all.
 */
export type Tested = 'live' | 'schema' | 'none';

/** Something that is wrong with a text. */
export interface TextProblem {
  /** From 1; 0 when the place is not known. */
  line: number;
  /** From 1, in characters. */
  column: number;
  /** The place in the text, for example `steps.0.http.get`. */
  key: string;
  message: string;
}

/** Estimates: tokenizers of models differ. */
export interface ToolListSizeView {
  /** How many tools there are in TOOLS mode, those for looking up values and those of flows too. */
  tools: number;
  /** How many integrations of the workspace there is no room for: a server has at most 20,000 actions. */
  leftOut: number;
  /** About how many tokens a model reads in TOOLS mode. */
  toolsModeTokens: number;
  /** About how many tokens a model reads in CODE mode. */
  codeModeTokens: number;
}

/** The one kind of tool there is. */
export type ToolType = 'ACTION';

/** A tool as its server tells of it. None of it is checked. */
export interface UpstreamTool {
  name: string;
  title: string;
  description?: string | null;
  /** JSON Schema 2020-12 of an object. */
  inputSchema: Json;
  /** It changes nothing: calls of it need the scope `read:tools` only. */
  readOnly: boolean;
  destructive: boolean;
}

/**
 * Names of tools that are others than an administrator last accepted, which is when the account was
 * connected unless later.
 */
export interface UpstreamToolChanges {
  added: string[];
  removed: string[];
  /** With another description, other inputs or other hints. */
  changed: string[];
}

/** Tool calls of the current UTC day. */
export interface Usage {
  used: number;
  cap: number;
  resetAt: string;
}

export interface Workspace {
  id: string;
  orgId: string;
  /** Unique in the organization. */
  name: string;
  /** The name as it stands in addresses; unique in the organization. */
  slug: string;
  /** Tool calls a UTC day. */
  dailyCap: number;
  /** Bytes of files, uploads and trash. */
  quotaBytes: number;
  /** Whether its flows need a credential at `/mcp`. At most one workspace of a server has it off. */
  requireAuthentication: boolean;
  createdAt: string;
}

/** A workspace with what is used of it. */
export interface WorkspaceInUse {
  id: string;
  orgId: string;
  /** Unique in the organization. */
  name: string;
  /** The name as it stands in addresses; unique in the organization. */
  slug: string;
  /** Tool calls a UTC day. */
  dailyCap: number;
  /** Bytes of files, uploads and trash. */
  quotaBytes: number;
  /** Whether its flows need a credential at `/mcp`. At most one workspace of a server has it off. */
  requireAuthentication: boolean;
  createdAt: string;
  usage: Usage;
  storage: Storage;
}

/** A connector that is switched on in a workspace. */
export interface WorkspaceIntegration {
  id: string;
  workspaceId: string;
  /** Key of the connector. */
  integrationName: string;
  /** Unique in the workspace; in front of the names of its tools. */
  alias: string;
  connectionStrategy: ConnectionStrategy;
  /** Key of the way to sign in that end users are offered; null is any. */
  authMethodKey?: string | null;
  /** `custom` where the organization has set an OAuth app for the connector. */
  oauthAppMode?: string | null;
  /** Id of that app. */
  oauthAppId?: string | null;
  connectionId?: string | null;
  displayName?: string | null;
  /** Keys of the actions that are switched on; null is all. */
  enabledActions?: string[] | null;
  settings: Json;
  sortOrder: number;
  createdAt: string;
  updatedAt: string;
}

export interface WorkspaceList {
  workspaces: Workspace[];
  /** How many there are in all pages. */
  total: number;
}

export interface WorkspaceToken {
  id: string;
  orgId: string;
  workspaceId?: string | null;
  /** Who made it. */
  userId: string;
  name: string;
  /**
   * `default` for the workspace's one default token, `manual`, or `reconnect` when it was made
   * by a reconnect link.
   */
  origin: string;
  /** Whether it sees only the tools that change nothing. */
  readOnly: boolean;
  scopes: string[];
  /** The toolsets that were ticked for it; absent when it has those that such a credential usually has. */
  toolsets?: string[] | null;
  /** The tools that it has and no others; absent when it has all of its toolsets. */
  tools?: string[] | null;
  createdAt: string;
  /** Exact to a minute. */
  lastUsedAt?: string | null;
}

/** All calls, by noun. */
export interface Resources {
  /** Workspaces, and the integrations that are switched on in them. */
  workspaces: {
    /** Lists workspaces. */
    list(
      query?: { includeSuspended?: boolean; limit?: number; offset?: number },
    ): Promise<WorkspaceList>;
    /** Makes a workspace. */
    create(fields: NewWorkspace): Promise<MadeWorkspace>;
    /** Reads a workspace. */
    get(workspaceId: string): Promise<OneWorkspace>;
    /** Changes a workspace. */
    update(workspaceId: string, change: ChangeWorkspace): Promise<OneWorkspace>;
    /** Deletes a workspace. */
    delete(workspaceId: string): Promise<DeletedWorkspace>;
    /** Lists the integrations of a workspace. */
    listIntegrations(workspaceId: string): Promise<IntegrationList>;
    /** Switches a connector on in a workspace. */
    addIntegration(workspaceId: string, fields: AddIntegration): Promise<OneIntegration>;
    /** Changes an integration. */
    updateIntegration(
      workspaceId: string,
      integration: string,
      change: ChangeIntegration,
    ): Promise<OneIntegration>;
    /** Switches a connector off in a workspace. */
    removeIntegration(workspaceId: string, integration: string): Promise<RemovedIntegration>;
  };
  /** Outside services, the organization's own ones, and the apps by which accounts sign in. */
  connectors: {
    /** Lists connectors. */
    list(
      query?: { query?: string; category?: string; connected?: boolean; limit?: number; offset?: number },
    ): Promise<ConnectorList>;
    /** Reads a connector. */
    get(key: string): Promise<OneConnector>;
    /** Reads a module of a connector. */
    getModule(key: string, module: string): Promise<OneModule>;
    /** Reads the app of a connector. */
    getOauthApp(key: string): Promise<OneOAuthApp>;
    /** Sets the app of a connector. */
    setOauthApp(key: string, fields: SetOAuthApp): Promise<OneOAuthApp>;
    /** Removes the app of a connector. */
    removeOauthApp(key: string): Promise<RemovedOAuthApp>;
    /** Lists the organization's own connectors. */
    listOwn(query?: { limit?: number; offset?: number }): Promise<OwnList>;
    /** Adds a connector of the organization's own. */
    addOwn(fields: DefinitionSource): Promise<OneOwn>;
    /** Reads a connector of the organization's own. */
    getOwn(key: string): Promise<OwnInFull>;
    /** Replaces the definition of a connector of the organization's own. */
    replaceOwn(key: string, fields: DefinitionSource): Promise<ReplacedOwn>;
    /** Deletes a connector of the organization's own. */
    deleteOwn(key: string, query?: { withAccounts?: boolean }): Promise<DeletedOwn>;
    /** Checks a definition without saving it. */
    checkOwn(fields: CheckDefinition): Promise<CheckedDefinition>;
    /** Imports a definition from an API's own document. */
    importOwn(fields?: ImportDefinition): Promise<ImportedDefinition>;
  };
  /** Connected accounts. */
  connections: {
    /** Lists connections. */
    list(
      query?: { connector?: string; id?: string; includeSuspended?: boolean; limit?: number; offset?: number },
    ): Promise<ConnectionList>;
    /** Connects an account. */
    create(fields?: CreateConnection): Promise<OneConnection>;
    /** Reads a connection. */
    get(connectionId: string): Promise<OneConnection>;
    /** Renames a connection. */
    rename(connectionId: string, change: RenameConnection): Promise<OneConnection>;
    /** Disconnects an account. */
    delete(connectionId: string): Promise<DisconnectedAccount>;
    /** Finds the connection that a call would use. */
    resolve(fields: ResolveConnection): Promise<OneConnection>;
    /** Verifies a connection. */
    verify(connectionId: string): Promise<OneConnection>;
    /** Replaces the credentials of a connection. */
    replaceCredentials(connectionId: string, fields: ReplaceCredentials): Promise<OneConnection>;
    /** Lists the tools of a connection's MCP server. */
    listTools(connectionId: string): Promise<ConnectionTools>;
    /** Accepts the tools of a connection as they are. */
    acceptTools(connectionId: string): Promise<ConnectionTools>;
  };
  /** Links by which a person connects an account without one here. */
  connect: {
    /** Asks for a link to connect an account. */
    createToken(fields: CreateConnectToken): Promise<LinkView>;
    /** Reads a connect session. */
    getSession(sessionId: string): Promise<OneSession>;
    /** Tells how far a connect session is. */
    poll(token: string): Promise<PolledSession>;
  };
  /** What can be switched on. */
  integrations: {
    /** Lists what can be switched on. */
    list(query?: { name?: string; summary?: boolean }): Promise<MetadataList>;
    /** Lists what can be switched on. */
    get(name: string, query?: { summary?: boolean }): Promise<MetadataList>;
    /** Which values an input can have. */
    resolveOptions(name: string, fields: AskOptions): Promise<OptionList>;
    /** Resolves an input whose own inputs depend on others. */
    resolveProperty(name: string, fields: AskOptions): Promise<OptionList>;
    /** Lists the connectors that people can sign in to by OAuth. */
    oauthStatus(): Promise<OAuthStatus>;
  };
  /** Saved inputs; those in `enforcedKeys` are locked, and hidden from agents. */
  partials: {
    /** Lists partials. */
    list(
      query: { workspaceId: string; integrationName?: string; workspaceIntegrationId?: string; integrationAlias?: string; actionName?: string; triggerName?: string },
    ): Promise<PartialList>;
    /** Makes a partial. */
    create(fields: CreatePartial): Promise<OnePartial>;
    /** Reads a partial. */
    get(partialId: string): Promise<OnePartial>;
    /** Changes a partial. */
    update(partialId: string, change: ChangePartial): Promise<OnePartial>;
    /** Makes a partial a default, or no default. */
    setDefault(partialId: string, isDefault: boolean): Promise<OnePartial>;
    /** Deletes a partial. */
    delete(partialId: string): Promise<DeletedPartial>;
  };
  /** The persons of your own product. */
  endUsers: {
    /** Lists end users. */
    list(
      query: { workspaceId: string; query?: string; limit?: number; offset?: number },
    ): Promise<EndUserList>;
    /** Makes an end user. */
    create(fields: CreateEndUser): Promise<OneEndUser>;
    /** Reads an end user. */
    get(endUserId: string): Promise<EndUserWithAccounts>;
    /** Changes an end user. */
    update(endUserId: string, change: ChangeEndUser): Promise<OneEndUser>;
    /** Deletes an end user. */
    delete(endUserId: string): Promise<DeletedEndUser>;
    /** Makes a link for an end user. */
    createConnectToken(endUserId: string, fields?: AskEndUser): Promise<LinkView>;
    /** Mails an end user a link to connect an account. */
    invite(endUserId: string, fields: InviteEndUser): Promise<EndUserInvitation>;
  };
  /** Hosted MCP servers, their tools and tokens. */
  mcpServers: {
    /** Lists servers. */
    list(
      query?: { workspaceId?: string; includeSuspended?: boolean; limit?: number; offset?: number },
    ): Promise<ServerList>;
    /** Makes a server. */
    create(fields: CreateServer): Promise<MadeServer>;
    /** Reads a server. */
    get(serverId: string): Promise<ServerWithTools>;
    /** Changes a server. */
    update(serverId: string, change: ChangeServer): Promise<ChangedServer>;
    /** Deletes a server. */
    delete(serverId: string): Promise<DeletedServer>;
    /** Replaces the token of a server. */
    regenerateToken(serverId: string): Promise<FreshServerToken>;
    /** Makes a token of a server for one end user. */
    createAccessToken(serverId: string, fields: CreateAccessToken): Promise<FreshAccessToken>;
    /** Makes a token of a server for one end user, for a client that calls it an OAuth token. */
    createOauthToken(serverId: string, fields: CreateAccessToken): Promise<FreshOauthToken>;
    /** Lists the tools of a server. */
    listTools(serverId: string): Promise<ServerToolList>;
    /** Picks a tool for a server. */
    addTool(serverId: string, fields: AddServerTool): Promise<OneServerTool>;
    /** Changes a picked tool. */
    updateTool(serverId: string, tool: string, change: ChangeServerTool): Promise<OneServerTool>;
    /** Takes a picked tool away. */
    deleteTool(serverId: string, tool: string): Promise<DeletedServerTool>;
    /** Picks all tools of a server at once. */
    pickTools(serverId: string, fields?: PickServerTools): Promise<ServerToolList>;
    /** Estimates what the list of tools costs. */
    estimateList(serverId: string): Promise<ToolListSizeView>;
    /** Calls a tool of a server. */
    callTool(serverId: string, fields: CallServerTool): Promise<CodeResult>;
    /** Runs a program over a server in code mode. */
    executeCode(
      serverId: string,
      code: string,
      fields?: Omit<ExecuteCode, 'code'>,
    ): Promise<CodeResult>;
    /** Reads the declarations of an integration. */
    getDeclarations(serverId: string, alias: string): Promise<Declarations>;
  };
  /** Actions of connectors, run without an agent. */
  actions: {
    /** Runs one action. */
    execute(fields: ExecuteAction): Promise<ExecutedAction>;
  };
  /** Keys of this API. */
  apiKeys: {
    /** Lists API keys. */
    list(query?: { limit?: number; offset?: number }): Promise<ApiKeyList>;
    /** Makes an API key. */
    create(fields: CreateApiKey): Promise<FreshApiKey>;
    /** Changes an API key. */
    update(apiKeyId: string, change: ChangeApiKey): Promise<OneApiKey>;
    /** Replaces an API key. */
    regenerate(apiKeyId: string): Promise<FreshApiKey>;
    /** Revokes an API key. */
    delete(apiKeyId: string): Promise<RevokedCredential>;
  };
  /** Organizations, made with the operator's service key. */
  orgs: {
    /** Makes an organization. */
    create(fields: CreateOrganization): Promise<MadeOrganization>;
  };
}
