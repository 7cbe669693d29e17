// The TypeScript SDK, version 2.
//
//   sdk2.mjs URL TOKEN legacy|2026-07-28
import { Changes, load, run } from './scenario.mjs';

const { Client, StreamableHTTPClientTransport } = load('@modelcontextprotocol/client');

const [url, token, era] = process.argv.slice(2);
const self = { name: 'sdk2', version: '1.0' };
const negotiation = era === 'legacy' ? {} : { versionNegotiation: { mode: { pin: era } } };
const over = (token, sessionId) =>
  new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
    sessionId,
  });

const changes = new Changes();
const client = new Client(self, { listChanged: changes.options, ...negotiation });
const transport = over(token);
await client.connect(transport);

async function foreign(token) {
  const other = new Client(self);
  await other.connect(over(token, transport.sessionId));
  return other.listTools();
}

await run({
  client,
  changes,
  about: {
    version: client.getNegotiatedProtocolVersion(),
    session: transport.sessionId ?? null,
  },
  foreign: transport.sessionId ? foreign : undefined,
});
