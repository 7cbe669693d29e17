// Written by `cargo xtask sdk` from docs/openapi.json; not to be changed by hand.

/** All calls, by noun, over a function that sends one request. */
export const resources = (send) => ({
  workspaces: {
    list: (query) => send('GET', ['workspaces'], { query }),
    create: (fields) => send('POST', ['workspaces'], { body: fields }),
    get: (workspaceId) => send('GET', ['workspaces', workspaceId]),
    update: (workspaceId, change) => send('PATCH', ['workspaces', workspaceId], { body: change }),
    delete: (workspaceId) => send('DELETE', ['workspaces', workspaceId]),
    listIntegrations: (workspaceId) => send('GET', ['workspaces', workspaceId, 'integrations']),
    addIntegration: (workspaceId, fields) =>
      send('POST', ['workspaces', workspaceId, 'integrations'], { body: fields }),
    updateIntegration: (workspaceId, integration, change) =>
      send('PATCH', ['workspaces', workspaceId, 'integrations', integration], { body: change }),
    removeIntegration: (workspaceId, integration) =>
      send('DELETE', ['workspaces', workspaceId, 'integrations', integration]),
  },
  connectors: {
    list: (query) => send('GET', ['connectors'], { query }),
    get: (key) => send('GET', ['connectors', key]),
    getModule: (key, module) => send('GET', ['connectors', key, 'modules', module]),
    getOauthApp: (key) => send('GET', ['connectors', key, 'oauth-app']),
    setOauthApp: (key, fields) => send('PUT', ['connectors', key, 'oauth-app'], { body: fields }),
    removeOauthApp: (key) => send('DELETE', ['connectors', key, 'oauth-app']),
    listOwn: (query) => send('GET', ['connectors', 'own'], { query }),
    addOwn: (fields) => send('POST', ['connectors', 'own'], { body: fields }),
    getOwn: (key) => send('GET', ['connectors', 'own', key]),
    replaceOwn: (key, fields) => send('PUT', ['connectors', 'own', key], { body: fields }),
    deleteOwn: (key, query) => send('DELETE', ['connectors', 'own', key], { query }),
    checkOwn: (fields) => send('POST', ['connectors', 'own', 'check'], { body: fields }),
    importOwn: (fields = {}) => send('POST', ['connectors', 'own', 'import'], { body: fields }),
  },
  connections: {
    list: (query) => send('GET', ['connections'], { query }),
    create: (fields = {}) => send('POST', ['connections'], { body: fields }),
    get: (connectionId) => send('GET', ['connections', connectionId]),
    rename: (connectionId, change) =>
      send('PATCH', ['connections', connectionId], { body: change }),
    delete: (connectionId) => send('DELETE', ['connections', connectionId]),
    resolve: (fields) => send('POST', ['connections', 'resolve'], { body: fields }),
    verify: (connectionId) => send('POST', ['connections', connectionId, 'verify']),
    replaceCredentials: (connectionId, fields) =>
      send('PUT', ['connections', connectionId, 'credentials'], { body: fields }),
    listTools: (connectionId) => send('GET', ['connections', connectionId, 'tools']),
    acceptTools: (connectionId) => send('POST', ['connections', connectionId, 'tools', 'accept']),
  },
  connect: {
    createToken: (fields) => send('POST', ['connect', 'token'], { body: fields }),
    getSession: (sessionId) => send('GET', ['connect', 'session', sessionId]),
    poll: (token) => send('POST', ['connect', 'session', 'poll'], { body: { token } }),
  },
  integrations: {
    list: (query) => send('GET', ['integrations'], { query }),
    get: (name, query) => send('GET', ['integrations'], { query: { name, ...query } }),
    resolveOptions: (name, fields) =>
      send('POST', ['integrations', name, 'properties', 'options'], { body: fields }),
    resolveProperty: (name, fields) =>
      send('POST', ['integrations', name, 'properties', 'resolve'], { body: fields }),
    oauthStatus: () => send('GET', ['integrations', 'oauth-status']),
  },
  partials: {
    list: (query) => send('GET', ['partials'], { query }),
    create: (fields) => send('POST', ['partials'], { body: fields }),
    get: (partialId) => send('GET', ['partials', partialId]),
    update: (partialId, change) => send('PATCH', ['partials', partialId], { body: change }),
    setDefault: (partialId, isDefault) =>
      send('POST', ['partials', partialId, 'set-default'], { body: { isDefault } }),
    delete: (partialId) => send('DELETE', ['partials', partialId]),
  },
  endUsers: {
    list: (query) => send('GET', ['end-users'], { query }),
    create: (fields) => send('POST', ['end-users'], { body: fields }),
    get: (endUserId) => send('GET', ['end-users', endUserId]),
    update: (endUserId, change) => send('PATCH', ['end-users', endUserId], { body: change }),
    delete: (endUserId) => send('DELETE', ['end-users', endUserId]),
    createConnectToken: (endUserId, fields = {}) =>
      send('POST', ['end-users', endUserId, 'connect-token'], { body: fields }),
    invite: (endUserId, fields) =>
      send('POST', ['end-users', endUserId, 'invite'], { body: fields }),
  },
  mcpServers: {
    list: (query) => send('GET', ['mcp', 'servers'], { query }),
    create: (fields) => send('POST', ['mcp', 'servers'], { body: fields }),
    get: (serverId) => send('GET', ['mcp', 'servers', serverId]),
    update: (serverId, change) => send('PATCH', ['mcp', 'servers', serverId], { body: change }),
    delete: (serverId) => send('DELETE', ['mcp', 'servers', serverId]),
    regenerateToken: (serverId) => send('POST', ['mcp', 'servers', serverId, 'regenerate-token']),
    createAccessToken: (serverId, fields) =>
      send('POST', ['mcp', 'servers', serverId, 'access-tokens'], { body: fields }),
    createOauthToken: (serverId, fields) =>
      send('POST', ['mcp', 'servers', serverId, 'oauth-tokens'], { body: fields }),
    listTools: (serverId) => send('GET', ['mcp', 'servers', serverId, 'tools']),
    addTool: (serverId, fields) =>
      send('POST', ['mcp', 'servers', serverId, 'tools'], { body: fields }),
    updateTool: (serverId, tool, change) =>
      send('PATCH', ['mcp', 'servers', serverId, 'tools', tool], { body: change }),
    deleteTool: (serverId, tool) => send('DELETE', ['mcp', 'servers', serverId, 'tools', tool]),
    pickTools: (serverId, fields = {}) =>
      send('PUT', ['mcp', 'servers', serverId, 'tools', 'picked'], { body: fields }),
    estimateList: (serverId) => send('GET', ['mcp', 'servers', serverId, 'tool-list-size']),
    callTool: (serverId, fields) =>
      send('POST', ['mcp', 'servers', serverId, 'call'], { body: fields }),
    executeCode: (serverId, code, fields) =>
      send('POST', ['mcp', 'servers', serverId, 'execute-code'], { body: { code, ...fields } }),
    getDeclarations: (serverId, alias) =>
      send('GET', ['mcp', 'servers', serverId, 'declarations', alias]),
  },
  actions: {
    execute: (fields) => send('POST', ['actions', 'execute'], { body: fields }),
  },
  apiKeys: {
    list: (query) => send('GET', ['api-keys'], { query }),
    create: (fields) => send('POST', ['api-keys'], { body: fields }),
    update: (apiKeyId, change) => send('PATCH', ['api-keys', apiKeyId], { body: change }),
    regenerate: (apiKeyId) => send('POST', ['api-keys', apiKeyId, 'regenerate']),
    delete: (apiKeyId) => send('DELETE', ['api-keys', apiKeyId]),
  },
  orgs: {
    create: (fields) => send('POST', ['orgs'], { body: fields }),
  },
});
