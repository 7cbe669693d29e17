// What else @quaymaster/sdk has, call by call, as a backend would use it. Beside the environment of
// seed.mts there is the operator's key in `SERVICE_KEY`. The compiler checks this file, too.
import { QuaymasterClient, QuaymasterError } from '@quaymaster/sdk';
import type { ChangeServer, McpServerTool } from '@quaymaster/sdk';

declare const process: { env: Record<string, string> };
const ids = JSON.parse(process.env.IDS!);
const client = new QuaymasterClient({ apiKey: process.env.QUAYMASTER_KEY! });
const at: string = ids.workspace;

async function code(call: Promise<unknown>): Promise<[string, number]> {
  const error = await call.catch((error: unknown) => error);
  if (error instanceof QuaymasterError) return [error.code, error.status];
  throw error ?? new Error('it did not fail');
}

const { connection } = await client.connections.resolve({
  integrationName: 'slack',
  workspaceId: at,
  externalId: 'main',
});
const listed = await client.connections.list({ limit: 10 });
const verified = await client.connections.verify(connection.id);
const renamed = await client.connections.rename(connection.id, { name: 'renamed' });

const found = await client.integrations.get('slack');
const signIn = await client.integrations.oauthStatus();
const wanted = {
  actionName: 'send_channel_message',
  propertyName: 'channel',
  workspaceId: at,
  connectionExternalId: 'main',
};
const { options } = await client.integrations.resolveOptions('slack', wanted);
const fixed = await code(client.integrations.resolveProperty('slack', wanted));
const connector = await client.connectors.get('slack');

const { integration } = await client.workspaces.addIntegration(at, {
  integrationName: 'slack',
  connectionStrategy: 'per_user',
});
const { endUser } = await client.endUsers.create({ workspaceId: at, externalId: 'anna' });
const told = await client.endUsers.update(endUser.id, { displayName: 'Anna', metadata: {} });
const mailed = await code(client.endUsers.invite(endUser.id, { email: 'anna@example.com' }));
const link = await client.endUsers.createConnectToken(endUser.id, { integrationName: 'slack' });
const polled = await client.connect.poll(link.token);
const waited = await code(client.connect.wait(link.token, { timeoutMs: 1, intervalMs: 2 }));
const token = await client.connect.createToken({
  integrationName: 'slack',
  connectionName: 'Theirs',
  externalId: 'theirs',
  workspaceId: at,
});
// `cse_...`, where the token is `cst_....` and more.
const sessionId = token.token.replace('cst_', 'cse_').split('.')[0]!;
const { session } = await client.connect.getSession(sessionId);

const { server } = await client.mcpServers.create({ name: 'Tools', workspaceId: at });
const change: ChangeServer = { description: null };
await client.mcpServers.update(server.id, change);
const made = await client.mcpServers.createOauthToken(server.id, { endUserId: 'anna' });
const bearer = await client.mcpServers.createAccessToken(server.id, { endUserId: endUser.id });
const { tools } = await client.mcpServers.listTools(server.id);
const names: string[] = tools.map((tool: McpServerTool) => tool.name);
const ran = await code(client.mcpServers.executeCode(server.id, 'return 1'));

const { partial } = await client.partials.create({
  workspaceId: at,
  integrationName: 'slack',
  name: 'words',
  values: { text: 'Saved' },
});
const { partial: usual } = await client.partials.setDefault(partial.id, true);
const executed = await client.actions.execute({
  integrationName: 'slack',
  actionName: 'send_channel_message',
  workspaceId: at,
  connectionExternalId: 'main',
  input: { channel: 'C1' },
});

const second = await client.apiKeys.create({ name: 'Second' });
const later = await client.apiKeys.regenerate(second.apiKey.id);
await client.apiKeys.delete(later.apiKey.id);
const dead = await code(new QuaymasterClient({ apiKey: later.plainKey }).workspaces.list());

const operator = new QuaymasterClient({ serviceKey: process.env.SERVICE_KEY! });
const { org } = await operator.orgs.create({ name: 'Second organization' });
const inside = new QuaymasterClient({ serviceKey: process.env.SERVICE_KEY!, orgId: org.id });
const { plainKey } = await inside.apiKeys.create({ name: 'First' });
const theirs = await new QuaymasterClient({ apiKey: plainKey }).workspaces.list();

const raw = await client.request<{ total: number }>('GET', ['workspaces'], { query: { limit: 1 } });

/** What the types refuse. It is not called. */
export function refused(): void {
  // @ts-expect-error no such field
  void client.mcpServers.create({ name: 'a', workspaceId: 'b', workspace: 'c' });
  // @ts-expect-error a field is missing
  void client.mcpServers.addTool('a', { integrationName: 'slack' });
  // @ts-expect-error no such mode
  void client.mcpServers.create({ name: 'a', workspaceId: 'b', mode: 'BOTH' });
  // @ts-expect-error the answer has no such field
  void client.mcpServers.get('a').then((answer) => answer.token);
  // @ts-expect-error one key or the other
  new QuaymasterClient({});
}

console.log(
  JSON.stringify({
    resolved: connection.externalId,
    listed: listed.total,
    verified: verified.connection.status,
    renamed: renamed.connection.name,
    found: found.integration?.name,
    connector: connector.connector.key,
    signIn: signIn.configured,
    options: options.map((option) => option.value),
    fixed,
    strategy: integration.connectionStrategy,
    told: told.endUser.displayName,
    mailed,
    polled: polled.status,
    waited,
    token: token.connectUrl,
    session: session.status,
    oauth: made.token.endUserId,
    bearer: bearer.token.endUserId,
    endUser: endUser.id,
    first: names[0],
    ran,
    usual: usual.isDefault,
    executed: executed.output,
    dead,
    theirs: theirs.total,
    raw: raw.total,
  }),
);
