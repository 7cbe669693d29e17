// Signing in by a bridge, which does all of it and prints the address on standard error:
// `oauth_bridge.mjs URL CONFIG-DIRECTORY COMMAND ARG...`. The client at its standard input and
// output knows nothing of it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { run } from './oauth.mjs';
import { load, say } from './scenario.mjs';

const { Client } = load('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = load('@modelcontextprotocol/sdk/client/stdio.js');

const [url, directory, command, ...args] = process.argv.slice(2);
// xdg-open runs this instead of a browser.
const env = { ...process.env, MCP_REMOTE_CONFIG_DIR: directory, BROWSER: 'true' };
for (const desktop of ['DISPLAY', 'WAYLAND_DISPLAY', 'XDG_CURRENT_DESKTOP']) delete env[desktop];
const transport = new StdioClientTransport({
  command,
  args,
  env,
  stderr: 'pipe',
});
// Later than at first, the bridge shows the address before it listens for the answer; no person is
// as quick as the test.
let asked;
let listens = false;
createInterface({ input: transport.stderr }).on('line', (line) => {
  console.error(line);
  if (line.trim().startsWith(new URL('/authorize?', url).href)) asked = line.trim();
  if (line.includes('OAuth callback server running')) listens = true;
  if (asked && listens) {
    say('authorize', { url: asked });
    asked = undefined;
    listens = false;
  }
});

const client = new Client({ name: 'oauth_bridge', version: '1.0' });
await run(url, {
  async signIn() {
    await client.connect(transport);
    return client;
  },
  signInAgain: async (connected) => connected,
  accessToken() {
    const kept = readdirSync(directory, { recursive: true });
    const file = kept.find((name) => name.endsWith('_tokens.json'));
    return JSON.parse(readFileSync(join(directory, file), 'utf8')).access_token;
  },
});
