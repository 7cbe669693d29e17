// Types of the client. Those of the management API are in types.d.ts.

import type { Json, PolledSession, Resources } from './types.js';

export type * from './types.js';

/** A request that failed. */
export class QuaymasterError extends Error {
  /** `VALIDATION_ERROR`, `NOT_FOUND` and others; `CONNECTION_FAILED` without an answer. */
  code: string;
  /** 0 without an answer. */
  status: number;
  /** Whether the same request may succeed later without any change. */
  retryable: boolean;
  /** What to do next. */
  hint?: string;
  details: Json;
}

/** What stands in the `Authorization` header, or an operator's key and the organization to act in. */
export type Credential =
  | { apiKey: string; serviceKey?: undefined; orgId?: string }
  | { serviceKey: string; apiKey?: undefined; orgId?: string };

export type Options = Credential & {
  /** Else `QUAYMASTER_URL` of the environment, else `http://127.0.0.1:8080`. */
  baseUrl?: string;
  timeoutMs?: number;
  fetch?: typeof globalThis.fetch;
};

export interface QuaymasterClient extends Resources {
  connect: Resources['connect'] & {
    /** Asks until the account is connected or the link has failed. */
    wait(
      token: string,
      options?: { timeoutMs?: number; intervalMs?: number },
    ): Promise<PolledSession>;
  };
}

export class QuaymasterClient {
  constructor(options: Options);
  /** Sends one request; the parts of the path are escaped. For what has no member here. */
  request<T = Json>(
    method: string,
    path: string[],
    options?: { body?: unknown; query?: Json },
  ): Promise<T>;
}
