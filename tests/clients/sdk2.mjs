// The TypeScript SDK, version 2.
//
//   sdk2.mjs URL legacy|VERSION        with the token in QUAYMASTER_TOKEN
import { Changes, load, run } from './scenario.mjs';

const { Client, StreamableHTTPClientTransport } = load('@modelcontextprotocol/client');

const [url, era] = process.argv.slice(2);
const self = { name: 'sdk2', version: '1.0' };
// As it comes, pinned to a version without sessions, or knowing one older version only.
const negotiation =
  era === 'legacy'
    ? {}
    : era >= '2026-07-28'
      ? { versionNegotiation: { mode: { pin: era } } }
      : { supportedProtocolVersions: [era] };
const over = (token, sessionId) =>
  new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
    sessionId,
  });

const changes = new Changes();
const client = new Client(self, { listChanged: changes.options, ...negotiation });
const transport = over(process.env.QUAYMASTER_TOKEN);
await client.connect(transport);

async function foreign(token) {
  const other = new Client(self);
  await other.connect(over(token, transport.sessionId));
  return other.ping();
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
