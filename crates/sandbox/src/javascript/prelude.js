// What a program finds besides the language: `quaymaster` (and its unlisted synonym `weavz`),
// `console`, `sleep`. Evaluated before any program, in the program's context; takes what it needs of the
// language now, so that a program that changes it changes itself alone.
//
// `native` has call(alias, action, json, error) and sleep(ms), which answer promises, and log(level,
// text). None of it, and nothing that is returned, is reachable from a program.
(function (native) {
  'use strict';
  const { Error, Proxy, String, TypeError } = globalThis;
  const { apply, defineProperty, ownKeys } = globalThis.Reflect;
  const { stringify, parse } = globalThis.JSON;
  const { isArray } = globalThis.Array;
  const join = globalThis.Array.prototype.join;
  const push = globalThis.Array.prototype.push;
  const wellFormed = globalThis.String.prototype.toWellFormed;
  const { call: callNative, log: logNative, sleep: sleepNative } = native;

  // Descriptors and handlers have no prototype: a program may have given `Object.prototype` a `get`.
  const hidden = (target, name, value) =>
    defineProperty(target, name, { __proto__: null, value, enumerable: false, configurable: false, writable: false });

  // A promise that is resolved with a namespace asks it for `then`, and JSON asks for `toJSON`.
  const never = { __proto__: null, then: true, toJSON: true, constructor: true, toString: true, valueOf: true };

  const action = (alias, name) => (input) => {
    // Made here, so that its stack has the line of the call. Its message comes with the answer.
    const error = new Error('');
    if (input === undefined || input === null) input = {};
    if (typeof input !== 'object' || isArray(input)) {
      throw new TypeError(`quaymaster.${alias}.${name} takes one object with the action's inputs`);
    }
    const json = stringify(input);
    if (json === undefined || json[0] !== '{') {
      throw new TypeError(`the input of quaymaster.${alias}.${name} is not an object in JSON`);
    }
    return callNative(apply(wellFormed, alias, []), apply(wellFormed, name, []), json, error);
  };

  // A value for each name that `make` knows; the names are listed, and any other name is for the server to judge, which
  // can say what was meant.
  const names = (listed, make) => {
    const known = { __proto__: null };
    for (let i = 0; i < listed.length; i++) known[listed[i]] = true;
    const made = { __proto__: null };
    const get = (name) => {
      if (typeof name !== 'string' || (never[name] && !known[name]) || name === 'then') return undefined;
      return (made[name] ??= make(name));
    };
    return new Proxy({ __proto__: null }, {
      __proto__: null,
      get: (_, name) => get(name),
      has: (_, name) => typeof name === 'string' && known[name] === true,
      ownKeys: () => ownKeys(known),
      getOwnPropertyDescriptor: (_, name) =>
        typeof name === 'string' && known[name]
          ? { __proto__: null, value: get(name), enumerable: true, configurable: true, writable: false }
          : undefined,
      set: () => false,
      defineProperty: () => false,
      deleteProperty: () => false,
      getPrototypeOf: () => null,
      setPrototypeOf: () => false,
      preventExtensions: () => false,
    });
  };

  const start = (json) => {
    const namespaces = parse(json);
    const aliases = [];
    const actions = { __proto__: null };
    for (let i = 0; i < namespaces.length; i++) {
      apply(push, aliases, [namespaces[i].alias]);
      actions[namespaces[i].alias] = namespaces[i].actions;
    }
    const root = names(aliases, (alias) => names(actions[alias] ?? [], (name) => action(alias, name)));
    hidden(globalThis, 'quaymaster', root);
    hidden(globalThis, 'weavz', root);
  };

  // Text leaves as UTF-8, which has no halves of surrogate pairs.
  const show = (value) => apply(wellFormed, words(value), []);
  const words = (value) => {
    if (typeof value === 'string') return value;
    try {
      if (value instanceof Error) return value.name + ': ' + value.message;
      if (typeof value === 'object' && value !== null) return stringify(value) ?? String(value);
      return typeof value === 'bigint' ? String(value) + 'n' : String(value);
    } catch {
      return '[' + typeof value + ']';
    }
  };
  const line = (values) => {
    const shown = [];
    for (let i = 0; i < values.length; i++) apply(push, shown, [show(values[i])]);
    return apply(join, shown, [' ']);
  };
  const console = {};
  const levels = ['debug', 'log', 'info', 'warn', 'error'];
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i];
    console[level] = (...values) => logNative(level, line(values));
  }
  console.trace = console.debug;
  console.table = console.dir = console.log;
  console.assert = (holds, ...values) => {
    if (!holds) logNative('error', 'Assertion failed: ' + line(values));
  };
  defineProperty(globalThis, 'console', { __proto__: null, value: console, enumerable: false, configurable: true, writable: true });

  const sleep = (ms) => sleepNative(+ms > 0 ? +ms : 0);
  defineProperty(globalThis, 'sleep', { __proto__: null, value: sleep, enumerable: false, configurable: true, writable: true });

  // The error of a call that failed, from the fault.
  const fail = (error, json) => {
    const fault = parse(json);
    hidden(error, 'name', 'Fault');
    const fields = ['message', 'code', 'retryable', 'hint', 'details'];
    for (let i = 0; i < fields.length; i++) {
      const name = fields[i];
      const enumerable = name !== 'message';
      defineProperty(error, name, { __proto__: null, value: fault[name], enumerable, configurable: true, writable: true });
    }
    return error;
  };

  // What a program returned, as JSON, and what it threw, as words.
  const result = (value) => {
    const json = stringify(value === undefined ? null : value);
    return json === undefined ? 'null' : json;
  };
  return { start, fail, result, show };
})
