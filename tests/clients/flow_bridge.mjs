// An official client of standard input and output at the flows of a workspace, through a bridge:
// `flow_bridge.mjs COMMAND ARGUMENTS...`.
import { bridge } from './bridge.mjs';
import { load, names, say } from './scenario.mjs';

const [command, ...args] = process.argv.slice(2);
const { Client } = load('@modelcontextprotocol/sdk/client/index.js');

const client = new Client({ name: 'flows', version: '1.0' });
await client.connect(bridge({ command, args, heard: () => {} }));
say('connected', { server: client.getServerVersion()?.name });
say('listed', { tools: names(await client.listTools()) });
await client.close();
process.exit(0);
