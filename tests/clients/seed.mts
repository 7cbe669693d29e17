// The calls of a TypeScript developer with @quaymaster/sdk, as they are written down for them.
// `QUAYMASTER_KEY`, `QUAYMASTER_URL` and the ids of a JSON object in `IDS` are in the environment.
import { QuaymasterClient, QuaymasterError } from '@quaymaster/sdk';

declare const process: { env: Record<string, string> };
const apiKey = process.env.QUAYMASTER_KEY!;
const ids = JSON.parse(process.env.IDS!);
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
});
const before = await client.mcpServers.get(server.id);
await client.mcpServers.deleteTool(server.id, tool.id);
const after = await client.mcpServers.get(server.id);
const locked = await client.mcpServers.addTool(server.id, {
  integrationName: 'slack',
  actionName: 'send_channel_message',
  connectionId: ids.connection,
  partialIds: [ids.partials[0], ids.partials[1]],
});
const personal = await client.mcpServers.create({
  name: 'User Agent',
  workspaceId: ids.workspace,
  endUserId: 'user_123',
  mode: 'TOOLS',
});

async function failure(call: Promise<unknown>): Promise<QuaymasterError> {
  const error = await call.catch((error: unknown) => error);
  if (error instanceof QuaymasterError) return error;
  throw error ?? new Error('it did not fail');
}

const fault = await failure(client.mcpServers.get('srv_01kahwz8x4m2q7r9s3t5v6w7y8'));
const gone = new QuaymasterClient({ apiKey, baseUrl: 'http://127.0.0.1:1' });
const silent = await failure(gone.workspaces.list());

console.log(
  JSON.stringify({
    server,
    bearerToken,
    mcpEndpoint,
    tool,
    bot: bot.tool,
    locked: locked.tool,
    before: before.tools.map((one) => one.name),
    after: after.tools.map((one) => one.name),
    personal: personal.server,
    fault: {
      code: fault.code,
      message: fault.message,
      status: fault.status,
      retryable: fault.retryable,
      hint: fault.hint,
    },
    silent: { code: silent.code, retryable: silent.retryable },
  }),
);
