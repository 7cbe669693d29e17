// Types of the management API as this client speaks it.

export type Json = Record<string, unknown>;
export type Mode = 'TOOLS' | 'CODE';
export type AuthMode = 'oauth' | 'bearer' | 'oauth_and_bearer';
export type Strategy = 'fixed' | 'per_user' | 'per_user_with_fallback';
export type Scope = 'ORGANIZATION' | 'WORKSPACE' | 'USER';
export type CredentialType =
  | 'SECRET_TEXT'
  | 'BASIC_AUTH'
  | 'CUSTOM_AUTH'
  | 'OAUTH2'
  | 'PLATFORM_OAUTH2';

export interface Page {
  limit?: number;
  offset?: number;
}
export interface Deleted {
  deleted: boolean;
  id: string;
}

export interface Workspace {
  id: string;
  orgId: string;
  name: string;
  slug: string;
  dailyCap: number;
  quotaBytes: number;
  requireAuthentication: boolean;
  createdAt: string;
}

export interface Integration {
  id: string;
  workspaceId: string;
  integrationName: string;
  alias: string;
  connectionStrategy: Strategy;
  authMethodKey: string | null;
  connectionId: string | null;
  displayName: string | null;
  /** Null is all. */
  enabledActions: string[] | null;
  settings: Json;
  sortOrder: number;
  createdAt: string;
  updatedAt: string;
}
export interface IntegrationChange {
  alias?: string;
  connectionStrategy?: Strategy;
  authMethodKey?: string | null;
  connectionId?: string | null;
  displayName?: string | null;
  enabledActions?: string[] | null;
  settings?: Json | null;
  sortOrder?: number;
}

export interface Connection {
  id: string;
  integrationName: string;
  name: string;
  externalId: string;
  displayName: string;
  status: 'ACTIVE' | 'ERROR';
  /** Why it does not work. */
  problem?: string;
  authMethodKey: string;
  scope: Scope;
  workspaceId?: string;
  endUserId?: string;
  createdAt: string;
}
export interface NewConnection {
  type: CredentialType;
  integrationName: string;
  externalId: string;
  displayName: string;
  authMethodKey?: string;
  workspaceId?: string;
  endUserId?: string;
  scope?: Scope;
  secretText?: string;
  username?: string;
  password?: string;
  props?: Json;
  accessToken?: string;
  refreshToken?: string;
  /** Seconds. */
  expiresIn?: number;
}

export interface Link {
  connectUrl: string;
  token: string;
  expiresAt: string;
}
export interface Polled {
  status: 'PENDING' | 'CONNECTING' | 'COMPLETED' | 'FAILED';
  connectionId: string | null;
  integrationName: string;
  externalId: string;
  error: string | null;
}

export interface Partial {
  id: string;
  workspaceId: string;
  integrationName: string;
  workspaceIntegrationId?: string;
  actionName?: string;
  name: string;
  description?: string;
  values: Json;
  enforcedKeys: string[];
  isDefault: boolean;
  createdAt: string;
  updatedAt: string;
}
export interface PartialChange {
  name?: string;
  description?: string;
  values?: Json;
  enforcedKeys?: string[];
  isDefault?: boolean;
}

export interface EndUser {
  id: string;
  workspaceId: string;
  externalId: string;
  displayName?: string;
  email?: string;
  metadata: Json;
  connectionCount: number;
  createdAt: string;
  updatedAt: string;
}
export interface EndUserChange {
  displayName?: string;
  email?: string;
  metadata?: Json;
}

export interface McpServer {
  id: string;
  orgId: string;
  workspaceId: string;
  name: string;
  description?: string;
  mode: Mode;
  settings: Json;
  authMode: AuthMode;
  endUserId?: string;
  /** Its tools are picked by hand; else it has what its workspace has switched on. */
  isPicked: boolean;
  createdAt: string;
  updatedAt: string;
  mcpEndpoint: string;
}
export interface MadeServer {
  id: string;
  name: string;
  mode: Mode;
  endpoint: string;
  server: McpServer;
  /** Shown once; absent where clients sign in by OAuth only. */
  bearerToken?: string;
  mcpEndpoint: string;
}
export interface NewServer {
  name: string;
  workspaceId: string;
  mode?: Mode;
  description?: string;
  settings?: Json;
  authMode?: AuthMode;
  endUserId?: string;
}
export interface ServerChange {
  name?: string;
  description?: string | null;
  mode?: Mode;
  settings?: Json;
  authMode?: AuthMode;
  endUserId?: string | null;
}

export interface McpServerTool {
  id: string;
  mcpServerId: string;
  /** What agents call. */
  name: string;
  integrationName: string;
  integrationAlias: string;
  actionName: string;
  toolType: 'ACTION';
  connectionId?: string;
  displayName?: string;
  description?: string;
  inputSchema: Json;
  inputDefaults: Json;
  partialIds?: string[];
  sortOrder: number;
}
export interface NewTool {
  integrationName: string;
  actionName: string;
  integrationAlias?: string;
  connectionId?: string;
  displayName?: string;
  description?: string;
  inputDefaults?: Json;
  partialIds?: string[];
  sortOrder?: number;
}
export interface ToolChange {
  integrationAlias?: string;
  connectionId?: string | null;
  displayName?: string;
  description?: string | null;
  inputDefaults?: Json;
  partialIds?: string[];
  sortOrder?: number;
}

/** A request that failed. */
export class QuaymasterError extends Error {
  /** `VALIDATION_ERROR`, `NOT_FOUND` and others; `CONNECTION_FAILED` without an answer. */
  code: string;
  /** 0 without an answer. */
  status: number;
  /** Whether the same request may succeed later without any change. */
  retryable: boolean;
  /** What to do next. */
  hint?: string;
  details: Json;
}

export interface Options {
  apiKey: string;
  /** Else `QUAYMASTER_URL` of the environment, else `http://127.0.0.1:8080`. */
  baseUrl?: string;
  timeoutMs?: number;
  fetch?: typeof globalThis.fetch;
}

export class QuaymasterClient {
  constructor(options: Options);
  request<T = Json>(
    method: string,
    path: string[],
    options?: { body?: unknown; query?: Json },
  ): Promise<T>;

  workspaces: {
    list(query?: Page): Promise<{ workspaces: Workspace[]; total: number }>;
    create(fields: { name: string; slug?: string }): Promise<{ workspace: Workspace }>;
    get(id: string): Promise<{ workspace: Workspace }>;
    update(id: string, change: { name?: string; slug?: string }): Promise<{ workspace: Workspace }>;
    delete(id: string): Promise<Deleted>;
    listIntegrations(id: string): Promise<{ integrations: Integration[]; total: number }>;
    addIntegration(
      id: string,
      fields: IntegrationChange & { integrationName: string },
    ): Promise<{ integration: Integration }>;
    updateIntegration(
      id: string,
      integration: string,
      change: IntegrationChange,
    ): Promise<{ integration: Integration }>;
    removeIntegration(id: string, integration: string): Promise<Deleted>;
  };
  connections: {
    list(query?: Page): Promise<{ connections: Connection[]; total: number }>;
    get(id: string): Promise<{ connection: Connection }>;
    create(fields: NewConnection): Promise<{ connection: Connection }>;
    delete(id: string): Promise<Deleted>;
    resolve(fields: {
      integrationName: string;
      workspaceId: string;
      externalId?: string;
      authMethodKey?: string;
      endUserId?: string;
    }): Promise<{ connection: Connection }>;
  };
  connect: {
    createToken(fields: {
      integrationName: string;
      connectionName: string;
      externalId: string;
      workspaceId: string;
      workspaceIntegrationId?: string;
      authMethodKey?: string;
      endUserId?: string;
      scope?: Scope;
      successRedirectUri?: string;
      errorRedirectUri?: string;
    }): Promise<Link>;
    getSession(id: string): Promise<{ session: Json }>;
    poll(token: string): Promise<Polled>;
    /** Asks until the account is connected or the link has failed. */
    wait(token: string, options?: { timeoutMs?: number; intervalMs?: number }): Promise<Polled>;
  };
  integrations: {
    list(query?: { summary?: boolean }): Promise<{ integrations: Json[]; total: number }>;
    get(name: string): Promise<{ integration: Json }>;
    resolveOptions(
      name: string,
      fields: {
        actionName: string;
        propertyName: string;
        workspaceId?: string;
        integrationAlias?: string;
        connectionExternalId?: string;
        endUserId?: string;
        input?: Json;
        searchValue?: string;
      },
    ): Promise<{ options: Json[]; disabled: boolean }>;
  };
  partials: {
    list(query: {
      workspaceId: string;
      integrationName?: string;
      integrationAlias?: string;
      actionName?: string;
    }): Promise<{ partials: Partial[]; total: number }>;
    create(
      fields: PartialChange & {
        workspaceId: string;
        integrationName: string;
        name: string;
        integrationAlias?: string;
        actionName?: string;
      },
    ): Promise<{ partial: Partial }>;
    get(id: string): Promise<{ partial: Partial }>;
    update(id: string, change: PartialChange): Promise<{ partial: Partial }>;
    setDefault(id: string, isDefault: boolean): Promise<{ partial: Partial }>;
    delete(id: string): Promise<Deleted>;
  };
  endUsers: {
    list(query: Page & { workspaceId: string }): Promise<{ endUsers: EndUser[]; total: number }>;
    create(
      fields: EndUserChange & { workspaceId: string; externalId: string },
    ): Promise<{ endUser: EndUser }>;
    get(id: string): Promise<{ endUser: EndUser; connections: Connection[] }>;
    update(id: string, change: EndUserChange): Promise<{ endUser: EndUser }>;
    delete(id: string): Promise<Deleted>;
    createConnectToken(
      id: string,
      fields?: { integrationName?: string; workspaceIntegrationId?: string; expiresIn?: number },
    ): Promise<Link>;
  };
  mcpServers: {
    list(query?: Page & { workspaceId?: string }): Promise<{ servers: McpServer[]; total: number }>;
    create(fields: NewServer): Promise<MadeServer>;
    get(id: string): Promise<{ server: McpServer; tools: McpServerTool[] }>;
    update(id: string, change: ServerChange): Promise<{ server: McpServer; bearerToken?: string }>;
    delete(id: string): Promise<Deleted>;
    regenerateToken(id: string): Promise<{ bearerToken: string; mcpEndpoint: string }>;
    createAccessToken(
      id: string,
      fields: { endUserId: string; scopes?: string[]; expiresIn?: number },
    ): Promise<{ accessToken: string; bearerToken: string; token: Json; mcpEndpoint: string }>;
    listTools(id: string): Promise<{ tools: McpServerTool[]; total: number }>;
    addTool(id: string, fields: NewTool): Promise<{ tool: McpServerTool }>;
    updateTool(id: string, tool: string, change: ToolChange): Promise<{ tool: McpServerTool }>;
    deleteTool(id: string, tool: string): Promise<Deleted>;
    executeCode(
      id: string,
      code: string,
    ): Promise<{ content: Json[]; structuredContent?: Json; isError: boolean }>;
    getDeclarations(id: string, alias: string): Promise<{ declarations: string }>;
  };
  actions: {
    execute(fields: {
      integrationName: string;
      actionName: string;
      workspaceId: string;
      input?: Json;
      connectionExternalId?: string;
      integrationAlias?: string;
      endUserId?: string;
      partialIds?: string[];
    }): Promise<{ success: boolean; output: unknown; duration: number }>;
  };
  apiKeys: {
    list(): Promise<{ apiKeys: Json[]; total: number }>;
    create(fields: {
      name: string;
      scopes?: string[];
      expiresAt?: string;
    }): Promise<{ apiKey: Json; plainKey: string }>;
    delete(id: string): Promise<Deleted>;
  };
}
