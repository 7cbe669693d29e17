// What an ordinary client does, step by step, whichever official SDK it is made of.
//
// Talks with the test by lines: prints `{"step": …}`, waits for a line before it goes on where the
// test has to do something first (change the credential, revoke it).
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const require = createRequire(join(process.env.QUAYMASTER_TEST_TOOLS, 'node', 'package.json'));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** A package of tests/clients/package.json. */
export const load = (name) => require(name);
export const say = (step, facts = {}) => console.log(JSON.stringify({ step, ...facts }));
export const hear = async () => (await lines.next()).value;

/** Changes of the list of tools, as the SDK reports them: with the new list. */
export class Changes {
  #waiting = [];
  #come = [];

  /** For the SDK's option `listChanged`. */
  options = {
    tools: {
      onChanged: (error, tools) => {
        const change = error ? { error: String(error) } : { tools: tools.map((tool) => tool.name) };
        const next = this.#waiting.shift();
        if (next) next(change);
        else this.#come.push(change);
      },
    },
  };

  next() {
    const come = this.#come.shift();
    return come ? Promise.resolve(come) : new Promise((resolve) => this.#waiting.push(resolve));
  }
}

export const names = (list) => list.tools.map((tool) => tool.name);
/** The status of the HTTP answer: `code` in SDK 1, `status` in SDK 2. */
const facts = (error) => ({
  status: error.status ?? error.code ?? null,
  message: String(error.message ?? error),
});

/**
 * @param client a connected client
 * @param changes what it was made with
 * @param about facts of the connection for the test
 * @param foreign pings in this client's session with another token; absent without a session
 * @param sentAway fails when somebody else sends the person away to sign in
 */
export async function run({ client, changes, about, foreign, sentAway = new Promise(() => {}) }) {
  say('connected', { server: client.getServerVersion()?.name, ...about });
  say('listed', { tools: names(await client.listTools()) });

  const call = (name, args) => client.callTool({ name, arguments: args });
  await call('write_file', { path: 'notes/a.txt', content: 'one\ntwo\n' });
  await call('replace_lines', { path: 'notes/a.txt', start_line: 2, end_line: 2, content: 'zwei' });
  const read = await call('read_file', { path: 'notes/a.txt', line_numbers: false });
  say('edited', { content: read.structuredContent?.content, blocks: read.content });

  say('waiting');
  say('told', await changes.next());
  say('told', await changes.next());

  const token = await hear();
  const refused = foreign ? await foreign(token).then(() => ({ status: 200 }), facts) : {};
  say('foreign', refused);

  for (let calls = 1; ; calls += 1) {
    const result = await call('list_files', {});
    if (result.isError) {
      say('capped', { calls, fault: JSON.parse(result.content[0].text) });
      break;
    }
  }

  await hear();
  const refusal = Promise.race([client.listTools(), sentAway]);
  say('revoked', await refusal.then(() => ({ status: 200 }), facts));
  await client.close().catch(() => {});
  process.exit(0);
}
