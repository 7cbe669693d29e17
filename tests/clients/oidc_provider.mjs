// An authorization server that others wrote, with a small service behind it: what accounts of a
// connector sign in at. Prints its address, and runs until its input ends.
//
//   oidc_provider.mjs SECONDS   that access tokens live
//
//   GET  /api/me    the account behind a bearer token, else 401
//   GET  /counts    how many tokens each grant got
//   POST /forget    ends every grant and token, as if the person had revoked them
//   POST /drop      ends the access tokens only
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.QUAYMASTER_TEST_TOOLS, 'node', 'package.json'));
const { Provider } = require('oidc-provider');

const seconds = Number(process.argv[2]);
const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(url, {
  cookies: { keys: ['a key for tests'] },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
  },
  issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  ttl: {
    AccessToken: seconds,
    AuthorizationCode: 60,
    ClientCredentials: seconds,
    DeviceCode: 600,
    Grant: 86_400,
    IdToken: 600,
    Interaction: 600,
    RefreshToken: 86_400,
    Session: 86_400,
  },
});

const counts = {};
const grants = new Set();
const access = new Set();
provider.on('grant.success', (ctx) => {
  const { grant_type: grant } = ctx.oidc.params;
  counts[grant] = (counts[grant] ?? 0) + 1;
});
provider.on('access_token.saved', (token) => {
  grants.add(token.grantId);
  access.add(token.jti);
});

async function account(request) {
  const [, value] = (request.headers.authorization ?? '').match(/^Bearer (.+)$/) ?? [];
  if (!value) return undefined;
  const found =
    (await provider.AccessToken.find(value)) ?? (await provider.ClientCredentials.find(value));
  return found && !found.isExpired ? (found.accountId ?? found.clientId) : undefined;
}

// Its store ends refresh tokens with the rest of a grant.
const forget = async () => {
  for (const grant of grants) await provider.RefreshToken.revokeByGrantId(grant);
};
const drop = async () => {
  for (const id of access) await (await provider.AccessToken.find(id))?.destroy();
};

const ours = {
  'GET /api/me': async (request) => {
    const name = await account(request);
    return name ? [200, { name }] : [401, { error: 'invalid_token' }];
  },
  'GET /counts': async () => [200, counts],
  'POST /forget': async () => [200, await forget()],
  'POST /drop': async () => [200, await drop()],
};

const others = provider.callback();
server.on('request', async (request, response) => {
  const answer = ours[`${request.method} ${request.url}`];
  if (!answer) return others(request, response);
  const [status, body] = await answer(request);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body ?? {}));
});

console.log(JSON.stringify({ step: 'ready', url }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
