// Signing in by a bridge, which does all of it and prints the address on standard error:
// `oauth_bridge.mjs URL CONFIG-DIRECTORY COMMAND ARG...`. The client at its standard input and
// output knows nothing of it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bridge } from './bridge.mjs';
import { run } from './oauth.mjs';
import { load, say } from './scenario.mjs';

const { Client } = load('@modelcontextprotocol/sdk/client/index.js');

const [url, directory, command, ...args] = process.argv.slice(2);
let began;
let asked;
let listens = false;
// Later than at first, the bridge shows the address before it listens for the answer; no person is
// as quick as the test.
function heard(line) {
  // The bridge itself has started, which takes longer than all the rest.
  began ??= performance.now();
  if (line.trim().startsWith(new URL('/authorize?', url).href)) asked = line.trim();
  if (line.includes('OAuth callback server running')) listens = true;
  if (asked && listens) {
    say('authorize', { url: asked });
    asked = undefined;
    listens = false;
  }
}

const env = { MCP_REMOTE_CONFIG_DIR: directory };
const transport = bridge({ command, args, env, heard });
const client = new Client({ name: 'oauth_bridge', version: '1.0' });
await run(url, {
  async signIn() {
    await client.connect(transport);
    return { client, began };
  },
  signInAgain: async (connected) => connected,
  accessToken() {
    const kept = readdirSync(directory, { recursive: true });
    const file = kept.find((name) => name.endsWith('_tokens.json'));
    return JSON.parse(readFileSync(join(directory, file), 'utf8')).access_token;
  },
});
