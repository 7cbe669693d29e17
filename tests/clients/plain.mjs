// The calls of a TypeScript developer with plain fetch, as they are written down for them, with host,
// key and ids in their places. The environment is that of seed.mts, the answer its beginning.
const url = process.env.QUAYMASTER_URL;
const key = process.env.QUAYMASTER_KEY;
const ids = JSON.parse(process.env.IDS);

async function create() {
  const res = await fetch(`${url}/api/v1/mcp/servers`, {
    method: 'POST',
    headers: {
      'Authorization': `Bearer ${key}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      name: 'My AI Tools',
      workspaceId: ids.workspace,
      mode: 'TOOLS',
    }),
  })
  const data = await res.json()
  return data
}

async function addTool(server) {
  const res = await fetch(`${url}/api/v1/mcp/servers/${server}/tools`, {
    method: 'POST',
    headers: {
      'Authorization': `Bearer ${key}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      integrationName: 'slack',
      actionName: 'send_channel_message',
      connectionId: ids.connection,
    }),
  })
  const data = await res.json()
  return data
}

async function addToolWithAlias(server) {
  const res = await fetch(`${url}/api/v1/mcp/servers/${server}/tools`, {
    method: 'POST',
    headers: {
      'Authorization': `Bearer ${key}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      integrationName: 'slack',
      integrationAlias: 'slack_bot',
      actionName: 'send_channel_message',
      connectionId: ids.bot,
    }),
  })
  const data = await res.json()
  return data
}

async function addToolWithPartials(server) {
  const res = await fetch(`${url}/api/v1/mcp/servers/${server}/tools`, {
    method: 'POST',
    headers: {
      'Authorization': `Bearer ${key}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      integrationName: 'slack',
      actionName: 'send_channel_message',
      connectionId: ids.connection,
      partialIds: [ids.partials[0], ids.partials[1]],
    }),
  })
  const data = await res.json()
  return data
}

async function get(server) {
  const res = await fetch(`${url}/api/v1/mcp/servers/${server}`, {
    headers: {
      'Authorization': `Bearer ${key}`,
    },
  })
  const data = await res.json()
  return data
}

async function deleteTool(server, tool) {
  const res = await fetch(`${url}/api/v1/mcp/servers/${server}/tools/${tool}`, {
    method: 'DELETE',
    headers: {
      'Authorization': `Bearer ${key}`,
    },
  })
  const data = await res.json()
  return data
}

async function createForEndUser() {
  const res = await fetch(`${url}/api/v1/mcp/servers`, {
    method: 'POST',
    headers: {
      'Authorization': `Bearer ${key}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({
      name: 'User Agent',
      workspaceId: ids.workspace,
      endUserId: 'user_123',
      mode: 'TOOLS',
    }),
  })
  const data = await res.json()
  return data
}

const made = await create();
const { tool } = await addTool(made.id);
const { tool: bot } = await addToolWithAlias(made.id);
const before = await get(made.id);
const deleted = await deleteTool(made.id, tool.id);
const after = await get(made.id);
const { tool: locked } = await addToolWithPartials(made.id);
const { server: personal } = await createForEndUser();
console.log(
  JSON.stringify({
    server: made.server,
    bearerToken: made.bearerToken,
    mcpEndpoint: made.mcpEndpoint,
    tool,
    bot,
    locked,
    before: before.tools.map((one) => one.name),
    deleted,
    after: after.tools.map((one) => one.name),
    personal,
  }),
);
