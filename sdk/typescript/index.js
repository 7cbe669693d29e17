// Client of Quaymaster's management API: fetch and nothing else. The types are in index.d.ts.

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** A request that failed: what went wrong, whether trying again can help, and what to do next. */
export class QuaymasterError extends Error {
  constructor(message, { code, status = 0, retryable = false, hint, details = {}, cause }) {
    super(hint ? `${message} ${hint}` : message, { cause });
    this.name = 'QuaymasterError';
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.hint = hint;
    this.details = details;
  }
}

const fromEnvironment = () => globalThis.process?.env?.QUAYMASTER_URL;

export class QuaymasterClient {
  #base;
  #key;
  #fetch;
  #timeout;

  constructor({ apiKey, baseUrl, timeoutMs = 120_000, fetch = globalThis.fetch }) {
    const base = baseUrl ?? (fromEnvironment() || DEFAULT_URL);
    this.#base = `${base.replace(/\/+$/, '')}/api/v1`;
    this.#key = apiKey;
    this.#fetch = fetch;
    this.#timeout = timeoutMs;

    const get = (path, query) => this.request('GET', path, { query });
    const post = (path, body) => this.request('POST', path, { body });
    const patch = (path, body) => this.request('PATCH', path, { body });
    const remove = (path) => this.request('DELETE', path);

    const integrations = (workspace, ...rest) => ['workspaces', workspace, 'integrations', ...rest];
    this.workspaces = {
      list: (query) => get(['workspaces'], query),
      create: (fields) => post(['workspaces'], fields),
      get: (id) => get(['workspaces', id]),
      update: (id, change) => patch(['workspaces', id], change),
      delete: (id) => remove(['workspaces', id]),
      listIntegrations: (id) => get(integrations(id)),
      addIntegration: (id, fields) => post(integrations(id), fields),
      updateIntegration: (id, integration, change) => patch(integrations(id, integration), change),
      removeIntegration: (id, integration) => remove(integrations(id, integration)),
    };
    this.connections = {
      list: (query) => get(['connections'], query),
      get: (id) => get(['connections', id]),
      create: (fields) => post(['connections'], fields),
      delete: (id) => remove(['connections', id]),
      resolve: (fields) => post(['connections', 'resolve'], fields),
    };
    this.connect = {
      createToken: (fields) => post(['connect', 'token'], fields),
      getSession: (id) => get(['connect', 'session', id]),
      poll: (token) => post(['connect', 'session', 'poll'], { token }),
      wait: (token, options) => this.#wait(token, options),
    };
    this.integrations = {
      list: (query) => get(['integrations'], query),
      get: (name) => get(['integrations'], { name }),
      resolveOptions: (name, fields) => post(['integrations', name, 'properties', 'options'], fields),
    };
    this.partials = {
      list: (query) => get(['partials'], query),
      create: (fields) => post(['partials'], fields),
      get: (id) => get(['partials', id]),
      update: (id, change) => patch(['partials', id], change),
      setDefault: (id, isDefault) => post(['partials', id, 'set-default'], { isDefault }),
      delete: (id) => remove(['partials', id]),
    };
    this.endUsers = {
      list: (query) => get(['end-users'], query),
      create: (fields) => post(['end-users'], fields),
      get: (id) => get(['end-users', id]),
      update: (id, change) => patch(['end-users', id], change),
      delete: (id) => remove(['end-users', id]),
      createConnectToken: (id, fields = {}) => post(['end-users', id, 'connect-token'], fields),
    };
    const server = (id, ...rest) => ['mcp', 'servers', id, ...rest];
    this.mcpServers = {
      list: (query) => get(['mcp', 'servers'], query),
      create: (fields) => post(['mcp', 'servers'], fields),
      get: (id) => get(server(id)),
      update: (id, change) => patch(server(id), change),
      delete: (id) => remove(server(id)),
      regenerateToken: (id) => post(server(id, 'regenerate-token')),
      createAccessToken: (id, fields) => post(server(id, 'access-tokens'), fields),
      listTools: (id) => get(server(id, 'tools')),
      addTool: (id, fields) => post(server(id, 'tools'), fields),
      updateTool: (id, tool, change) => patch(server(id, 'tools', tool), change),
      deleteTool: (id, tool) => remove(server(id, 'tools', tool)),
      executeCode: (id, code) => post(server(id, 'execute-code'), { code }),
      getDeclarations: (id, alias) => get(server(id, 'declarations', alias)),
    };
    this.actions = {
      execute: (fields) => post(['actions', 'execute'], fields),
    };
    this.apiKeys = {
      list: () => get(['api-keys']),
      create: (fields) => post(['api-keys'], fields),
      delete: (id) => remove(['api-keys', id]),
    };
  }

  /** Sends one request; the parts of the path are escaped. For what has no member here. */
  async request(method, path, { body, query } = {}) {
    const url = new URL([this.#base, ...path.map(encodeURIComponent)].join('/'));
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = { Authorization: `Bearer ${this.#key}` };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    let answer;
    let text;
    try {
      // Called without `this`, which a browser's own fetch refuses.
      const send = this.#fetch;
      answer = await send(url, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(this.#timeout),
      });
      text = await answer.text();
    } catch (cause) {
      const why = `The server did not answer: ${cause.message}`;
      throw new QuaymasterError(why, { code: 'CONNECTION_FAILED', retryable: true, cause });
    }
    let read = {};
    try {
      read = JSON.parse(text);
    } catch {
      // What is no JSON does not come from the server itself.
    }
    if (answer.ok) return read;
    throw new QuaymasterError(read.message ?? `The server answered ${answer.status}.`, {
      code: read.code ?? 'HTTP_ERROR',
      status: answer.status,
      retryable: read.retryable ?? answer.status >= 500,
      hint: read.hint,
      details: read.details,
    });
  }

  async #wait(token, { timeoutMs = 120_000, intervalMs = 1_000 } = {}) {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const answer = await this.connect.poll(token);
      if (answer.status === 'COMPLETED' || answer.status === 'FAILED') return answer;
      if (Date.now() + intervalMs > end) {
        const why = 'Nobody used the link in time.';
        throw new QuaymasterError(why, { code: 'TIMEOUT', retryable: true });
      }
      await new Promise((go) => setTimeout(go, intervalMs));
    }
  }
}
