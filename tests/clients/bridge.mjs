// A program that speaks over standard input and output, for a server that it reaches over HTTP.
import { createInterface } from 'node:readline';
import { load } from './scenario.mjs';

const { StdioClientTransport } = load('@modelcontextprotocol/sdk/client/stdio.js');

/** A transport to it. `heard` gets each line of its standard error. */
export function bridge({ command, args, env = {}, heard }) {
  // xdg-open runs this instead of a browser.
  const all = { ...process.env, ...env, BROWSER: 'true' };
  for (const desktop of ['DISPLAY', 'WAYLAND_DISPLAY', 'XDG_CURRENT_DESKTOP']) delete all[desktop];
  const transport = new StdioClientTransport({ command, args, env: all, stderr: 'pipe' });
  createInterface({ input: transport.stderr }).on('line', (line) => {
    console.error(line);
    heard(line);
  });
  return transport;
}
