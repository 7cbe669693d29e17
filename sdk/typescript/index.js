// Client of Quaymaster's management API: fetch and nothing else. The types are in index.d.ts.

import { resources } from './resources.js';

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
  #headers;
  #fetch;
  #timeout;

  constructor({
    apiKey,
    serviceKey,
    orgId,
    baseUrl,
    timeoutMs = 120_000,
    fetch = globalThis.fetch,
  }) {
    if ((apiKey === undefined) === (serviceKey === undefined)) {
      throw new TypeError('Give either apiKey or serviceKey.');
    }
    const base = baseUrl ?? (fromEnvironment() || DEFAULT_URL);
    this.#base = `${base.replace(/\/+$/, '')}/api/v1`;
    this.#headers = {};
    if (apiKey !== undefined) this.#headers.Authorization = `Bearer ${apiKey}`;
    if (serviceKey !== undefined) this.#headers['X-Service-Key'] = serviceKey;
    if (orgId !== undefined) this.#headers['X-Org-ID'] = orgId;
    this.#fetch = fetch;
    this.#timeout = timeoutMs;
    Object.assign(this, resources(this.request.bind(this)));
    this.connect.wait = (token, options) => this.#wait(token, options);
  }

  /** Sends one request; the parts of the path are escaped. For what has no member here. */
  async request(method, path, { body, query } = {}) {
    const url = new URL([this.#base, ...path.map(encodeURIComponent)].join('/'));
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const headers = { ...this.#headers };
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
