// The TypeScript SDK, version 2, looks for skills: skills.mjs URL legacy|VERSION, with the token in
// QUAYMASTER_TOKEN.
import { load } from './scenario.mjs';

const { Client, StreamableHTTPClientTransport } = load('@modelcontextprotocol/client');

const [url, era] = process.argv.slice(2);
const negotiation = era === 'legacy' ? {} : { versionNegotiation: { mode: { pin: era } } };
const say = (step, facts) => console.log(JSON.stringify({ step, ...facts }));

const client = new Client({ name: 'skills', version: '1.0' }, negotiation);
await client.connect(
  new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${process.env.QUAYMASTER_TOKEN}` } },
  }),
);
const { resources } = await client.listResources();
say('listed', { uris: resources.map((resource) => resource.uri) });
const { contents } = await client.readResource({ uri: resources[0].uri });
say('read', { text: contents[0].text });
await client.close();
process.exit(0);
