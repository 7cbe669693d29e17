// A server made with the TypeScript SDK, version 1, which knows sessions only: `upstream.mjs`, with
// the value of its header X-Api-Key in QUAYMASTER_TOKEN.
//
// Prints `{"step": "listening", "port": …}`; a line of input makes it forget all sessions.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { hear, load, say } from './scenario.mjs';

const { McpServer } = load('@modelcontextprotocol/sdk/server/mcp.js');
const { StreamableHTTPServerTransport } = load('@modelcontextprotocol/sdk/server/streamableHttp.js');
const { z } = load('zod');

const sessions = new Map();

function made() {
  const server = new McpServer({ name: 'shelf', version: '1.0' });
  const inputSchema = { title: z.string().describe('Of the book') };
  server.registerTool(
    'find-book',
    { title: 'Find a book', description: 'Looks on the shelf.', inputSchema, annotations: { readOnlyHint: true } },
    ({ title }, { sessionId }) => ({
      content: [{ type: 'text', text: JSON.stringify({ title, session: sessionId ?? null }) }],
    }),
  );
  server.registerTool('putBook', { inputSchema }, async ({ title }, { sendRequest }) => {
    // A client that can do nothing of the kind says so, and the tool goes on.
    const question = { method: 'elicitation/create', params: { message: 'Where?', requestedSchema: { type: 'object', properties: {} } } };
    const refused = await sendRequest(question, z.any()).catch((error) => error.code);
    return { content: [{ type: 'text', text: `${title} ${refused}` }] };
  });
  return server;
}

async function body(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return text === '' ? undefined : JSON.parse(text);
}

const http = createServer(async (request, response) => {
  if (request.headers['x-api-key'] !== process.env.QUAYMASTER_TOKEN) {
    response.writeHead(401).end('who are you?');
    return;
  }
  const message = await body(request);
  const id = request.headers['mcp-session-id'];
  let transport = sessions.get(id);
  if (!transport) {
    if (id || message?.method !== 'initialize') {
      const error = { code: id ? -32001 : -32000, message: id ? 'Session not found' : 'No session' };
      response.writeHead(id ? 404 : 400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
      return;
    }
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (made) => sessions.set(made, transport),
    });
    transport.onclose = () => sessions.delete(transport.sessionId);
    await made().connect(transport);
  }
  await transport.handleRequest(request, response, message);
});

http.listen(0, '127.0.0.1', () => say('listening', { port: http.address().port }));
for (let line = await hear(); line !== undefined; line = await hear()) {
  const known = sessions.size;
  if (line === 'forget') sessions.clear();
  say('sessions', { known });
}
http.close();
http.closeAllConnections();
