// Signing in with the TypeScript SDK, version 2: `oauth2.mjs URL legacy|VERSION`.
import { run, sdk } from './oauth.mjs';
import { load } from './scenario.mjs';

const { Client, StreamableHTTPClientTransport, UnauthorizedError } = load(
  '@modelcontextprotocol/client',
);

const [url, era] = process.argv.slice(2);
const negotiation = era === 'legacy' ? {} : { versionNegotiation: { mode: { pin: era } } };
const program = await sdk({
  name: 'oauth2',
  make: (authProvider) => ({
    client: new Client({ name: 'oauth2', version: '1.0' }, negotiation),
    transport: new StreamableHTTPClientTransport(new URL(url), { authProvider }),
  }),
  finish: (transport, answer) => transport.finishAuth(answer),
  Unauthorized: UnauthorizedError,
});
await run(url, program);
