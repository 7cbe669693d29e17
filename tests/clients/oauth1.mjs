// Signing in with the TypeScript SDK, version 1: `oauth1.mjs URL`.
import { run, sdk } from './oauth.mjs';
import { load } from './scenario.mjs';

const { Client } = load('@modelcontextprotocol/sdk/client/index.js');
const { UnauthorizedError } = load('@modelcontextprotocol/sdk/client/auth.js');
const { StreamableHTTPClientTransport } = load(
  '@modelcontextprotocol/sdk/client/streamableHttp.js',
);

const [url] = process.argv.slice(2);
const program = await sdk({
  name: 'oauth1',
  make: (authProvider) => ({
    client: new Client({ name: 'oauth1', version: '1.0' }),
    transport: new StreamableHTTPClientTransport(new URL(url), { authProvider }),
  }),
  finish: (transport, answer) => transport.finishAuth(answer.get('code')),
  Unauthorized: UnauthorizedError,
});
await run(url, program);
