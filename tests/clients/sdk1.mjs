// The TypeScript SDK, version 1.
//
//   sdk1.mjs http URL                 over Streamable HTTP
//   sdk1.mjs stdio COMMAND ARG...     through a bridge that speaks over standard input and output
//
// The token is in QUAYMASTER_TOKEN.
import { bridge } from './bridge.mjs';
import { Changes, load, run } from './scenario.mjs';

const { Client } = load('@modelcontextprotocol/sdk/client/index.js');
const { StreamableHTTPClientTransport } = load(
  '@modelcontextprotocol/sdk/client/streamableHttp.js',
);

const [kind, target, ...rest] = process.argv.slice(2);
const self = { name: 'sdk1', version: '1.0' };
const over = (token, sessionId) =>
  new StreamableHTTPClientTransport(new URL(target), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
    sessionId,
  });

// A bridge may send the person away to sign in, and wait.
const sentAway = Promise.withResolvers();
sentAway.promise.catch(() => {});
const heard = (line) => line.includes('/authorize?') && sentAway.reject(new Error(line.trim()));

const changes = new Changes();
const client = new Client(self, { listChanged: changes.options });
const transport =
  kind === 'http'
    ? over(process.env.QUAYMASTER_TOKEN)
    : bridge({ command: target, args: rest, heard });
await client.connect(transport);

async function foreign(token) {
  const other = new Client(self);
  await other.connect(over(token, transport.sessionId));
  return other.ping();
}

await run({
  client,
  changes,
  about: { version: transport.protocolVersion ?? null, session: transport.sessionId ?? null },
  foreign: kind === 'http' ? foreign : undefined,
  sentAway: sentAway.promise,
});
