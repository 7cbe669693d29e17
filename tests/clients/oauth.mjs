// What a program does that signs in by OAuth, whichever official SDK it is made of: it shows the
// address to ask the person at, waits at a local port for the answer, and keeps all it gets in
// memory.
//
// Talks with the test by lines, as scenario.mjs does. The step `authorize` has the address.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { hear, names, say } from './scenario.mjs';

/** The place that browsers come back to: its address, and the parameters of the next visit. */
async function callback() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/callback`;
  const visited = async () => {
    const [request, response] = await once(server, 'request');
    response.end('You may close this window.');
    return new URL(request.url, url).searchParams;
  };
  return { url, visited };
}

/** An OAuthClientProvider as the documentation of the SDKs shows it. */
class Provider {
  #state;
  #client;
  #tokens;
  #verifier;

  constructor(name, redirectUrl) {
    this.redirectUrl = redirectUrl;
    this.clientMetadata = {
      client_name: name,
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
    };
  }

  state() {
    this.#state = crypto.randomUUID();
    return this.#state;
  }

  isExpected(state) {
    return state === this.#state;
  }

  clientInformation() {
    return this.#client;
  }

  saveClientInformation(client) {
    this.#client = client;
  }

  tokens() {
    return this.#tokens;
  }

  saveTokens(tokens) {
    this.#tokens = tokens;
  }

  codeVerifier() {
    return this.#verifier;
  }

  saveCodeVerifier(verifier) {
    this.#verifier = verifier;
  }

  redirectToAuthorization(url) {
    say('authorize', { url: url.href });
  }

  invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'client') this.#client = undefined;
    if (scope === 'all' || scope === 'tokens') this.#tokens = undefined;
  }
}

/**
 * A program with an SDK's own HTTP transport.
 *
 * @param name what it registers as
 * @param make a client and a transport, not connected yet, for a provider
 * @param finish gives a transport the parameters of the answer
 * @param Unauthorized the SDK's error for "the person has been sent away to sign in"
 */
export async function sdk({ name, make, finish, Unauthorized }) {
  const { url, visited } = await callback();
  const provider = new Provider(name, url);

  async function connected() {
    const { client, transport } = make(provider);
    await client.connect(transport);
    return client;
  }

  /** Waits for the person who was sent away by something done over this transport. */
  async function sentAway(attempt, transport) {
    const visit = visited();
    await assert.rejects(attempt, Unauthorized);
    const answer = await visit;
    assert.ok(provider.isExpected(answer.get('state')), 'the answer is to another question');
    await finish(transport, answer);
  }

  return {
    async signIn() {
      const began = performance.now();
      const { client, transport } = make(provider);
      await sentAway(client.connect(transport), transport);
      return { client: await connected(), began };
    },
    async signInAgain(client) {
      const { transport } = client;
      await sentAway(client.listTools(), transport);
      await client.close();
      return connected();
    },
    accessToken: () => provider.tokens().access_token,
  };
}

/**
 * @param endpoint the server's address
 * @param signIn a connected client, from nothing, and when it began to look for the server
 * @param signInAgain a connected client, after the server has forgotten what it granted
 * @param accessToken the one in use
 */
export async function run(endpoint, { signIn, signInAgain, accessToken }) {
  let { client, began } = await signIn();
  const tools = names(await client.listTools());
  say('listed', { tools, ms: Math.round(performance.now() - began) });

  const call = (tool, args) => client.callTool({ name: tool, arguments: args });
  await call('write_file', { path: 'notes/a.txt', content: 'one\ntwo\n' });
  await call('replace_lines', { path: 'notes/a.txt', start_line: 2, end_line: 2, content: 'zwei' });
  const read = await call('read_file', { path: 'notes/a.txt', line_numbers: false });
  say('edited', { content: read.structuredContent?.content });

  // The token ends while the client believes in it, as one does that a restart has forgotten.
  const first = accessToken();
  const form = new URLSearchParams({ token: first });
  const ended = await fetch(new URL('/revoke', endpoint), { method: 'POST', body: form });
  assert.equal(ended.status, 200);
  const listed = await call('list_files', {});
  assert.ok(!listed.isError);
  say('refreshed', { anew: accessToken() !== first });

  await hear();
  client = await signInAgain(client);
  say('again', { tools: names(await client.listTools()) });
  await client.close().catch(() => {});
  process.exit(0);
}
