// An official TypeScript client at a hosted server: `hosted.mjs CLIENT TOOL ARGUMENTS TARGET...`.
//
// CLIENT is `sdk1` or `sdk2`, with the address as TARGET; `stateless`, which is SDK 2 pinned to the
// version without sessions; or `stdio`, with the command and arguments of a bridge. The token is in
// QUAYMASTER_TOKEN. Lists the tools, calls one, and tells when the list has changed.
import { bridge } from './bridge.mjs';
import { Changes, load, names, say } from './scenario.mjs';

const [kind, tool, args, target, ...rest] = process.argv.slice(2);
const old = kind === 'sdk1' || kind === 'stdio';
const { Client } = load(
  old ? '@modelcontextprotocol/sdk/client/index.js' : '@modelcontextprotocol/client',
);
const { StreamableHTTPClientTransport } = load(
  old ? '@modelcontextprotocol/sdk/client/streamableHttp.js' : '@modelcontextprotocol/client',
);

const changes = new Changes();
const pinned = { versionNegotiation: { mode: { pin: '2026-07-28' } } };
const options = { listChanged: changes.options, ...(kind === 'stateless' ? pinned : {}) };
const client = new Client({ name: 'hosted', version: '1.0' }, options);
const headers = { Authorization: `Bearer ${process.env.QUAYMASTER_TOKEN}` };
await client.connect(
  kind === 'stdio'
    ? bridge({ command: target, args: rest, heard: () => {} })
    : new StreamableHTTPClientTransport(new URL(target), { requestInit: { headers } }),
);
say('listed', { server: client.getServerVersion()?.name, tools: names(await client.listTools()) });
const result = await client.callTool({ name: tool, arguments: JSON.parse(args) });
say('called', { isError: result.isError ?? false, answer: result.structuredContent });
say('told', await changes.next());
await client.close();
process.exit(0);
