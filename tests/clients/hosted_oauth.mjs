// A TypeScript client that knows only the address of a hosted server:
// `hosted_oauth.mjs CLIENT TOOL ARGUMENTS URL`, CLIENT being `sdk1`, `sdk2` or `stateless`. Signs in,
// lists the tools and calls one.
import { sdk } from './oauth.mjs';
import { load, names, say } from './scenario.mjs';

const [kind, tool, args, url] = process.argv.slice(2);
const old = kind === 'sdk1';
const client = old ? '@modelcontextprotocol/sdk/client/index.js' : '@modelcontextprotocol/client';
const http = old ? '@modelcontextprotocol/sdk/client/streamableHttp.js' : client;
const auth = old ? '@modelcontextprotocol/sdk/client/auth.js' : client;
const pinned = { versionNegotiation: { mode: { pin: '2026-07-28' } } };

const { Client } = load(client);
const { StreamableHTTPClientTransport } = load(http);
const { UnauthorizedError } = load(auth);
const program = await sdk({
  name: kind,
  make: (authProvider) => ({
    client: new Client({ name: kind, version: '1.0' }, kind === 'stateless' ? pinned : {}),
    transport: new StreamableHTTPClientTransport(new URL(url), { authProvider }),
  }),
  finish: (transport, answer) => transport.finishAuth(old ? answer.get('code') : answer),
  Unauthorized: UnauthorizedError,
});
const signedIn = await program.signIn();
say('listed', { tools: names(await signedIn.client.listTools()) });
const result = await signedIn.client.callTool({ name: tool, arguments: JSON.parse(args) });
say('called', { isError: result.isError ?? false, answer: result.structuredContent });
await signedIn.client.close().catch(() => {});
process.exit(0);
