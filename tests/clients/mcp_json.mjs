// Lists the tools of a server in an .mcp.json, which has nothing but `url` and `headers`:
// `mcp_json.mjs FILE NAME`.
import { readFileSync } from 'node:fs';
import { load, names, say } from './scenario.mjs';

const { Client } = load('@modelcontextprotocol/sdk/client/index.js');
const { StreamableHTTPClientTransport } = load(
  '@modelcontextprotocol/sdk/client/streamableHttp.js',
);

const [file, name] = process.argv.slice(2);
const { url, headers } = JSON.parse(readFileSync(file, 'utf8')).mcpServers[name];
const client = new Client({ name: 'mcp_json', version: '1.0' });
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
say('listed', { tools: names(await client.listTools()) });
await client.close();
process.exit(0);
