// The calls of a TypeScript developer with @quaymaster/sdk and with plain fetch, as they are
// written down for them: `QUAYMASTER_KEY`, `QUAYMASTER_URL` and the ids of a JSON object in `IDS`.
import { QuaymasterClient, QuaymasterError } from '@quaymaster/sdk';

const apiKey = process.env.QUAYMASTER_KEY;
const ids = JSON.parse(process.env.IDS);
const client = new QuaymasterClient({ apiKey });

const { server, bearerToken, mcpEndpoint } = await client.mcpServers.create({
  name: 'My AI Tools',
  workspaceId: ids.workspace,
  mode: 'TOOLS',
});
const { tool } = await client.mcpServers.addTool(server.id, {
  integrationName: 'slack',
  actionName: 'send_channel_message',
  connectionId: ids.connection,
});
const bot = await client.mcpServers.addTool(server.id, {
  integrationName: 'slack',
  integrationAlias: 'slack_bot',
  actionName: 'send_channel_message',
  connectionId: ids.bot,
  partialIds: ids.partials,
});
const before = await client.mcpServers.get(server.id);
await client.mcpServers.deleteTool(server.id, tool.id);
const after = await client.mcpServers.get(server.id);
const personal = await client.mcpServers.create({
  name: 'User Agent',
  workspaceId: ids.workspace,
  endUserId: 'user_123',
  mode: 'TOOLS',
});

const fault = await client.mcpServers.get('srv_01kahwz8x4m2q7r9s3t5v6w7y8').catch((error) => error);
const gone = new QuaymasterClient({ apiKey, baseUrl: 'http://127.0.0.1:1' });
const silent = await gone.workspaces.list().catch((error) => error);

const res = await fetch(`${process.env.QUAYMASTER_URL}/api/v1/mcp/servers`, {
  method: 'POST',
  headers: {
    Authorization: `Bearer ${apiKey}`,
    'Content-Type': 'application/json',
  },
  body: JSON.stringify({
    name: 'My AI Tools',
    workspaceId: ids.workspace,
    mode: 'TOOLS',
  }),
});
const data = await res.json();

console.log(
  JSON.stringify({
    server,
    bearerToken,
    mcpEndpoint,
    tool,
    bot: bot.tool,
    before: before.tools.map((one) => one.name),
    after: after.tools.map((one) => one.name),
    personal: personal.server,
    fault: {
      is: fault instanceof QuaymasterError,
      code: fault.code,
      message: fault.message,
      status: fault.status,
      retryable: fault.retryable,
      hint: fault.hint,
    },
    silent: { code: silent.code, retryable: silent.retryable },
    plain: data,
  }),
);
