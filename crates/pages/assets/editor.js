// Comfort in the editor of flows, which works without it. Everything listens on the document, so that
// parts which are replaced need no setup.
//
//   data-complete="url"     on a <textarea> of YAML: shows in #completion what this schema allows at the caret
//   data-check="#a #b"      on its form: checks what is written from time to time, and replaces these elements

// Completing the text of a flow. First, where the caret is in the YAML: by indentation and braces
// alone, as half of the text is not written yet. It is nowhere in strings, comments and texts of
// several lines, and wherever it is not plain what would be meant.

const ITEM = Symbol("an item of a list");
const WORD = /^(\w[\w-]*)?$/;
const KEY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#&*!|>%@`{}[\],](?:(?! #).)*?)\s*:(\s+|$)/;
const TOKENS = new RegExp([
  /\s+|(?<=^|\s)#.*|[{}[\],]|:(?=[\s,{}[\]]|$)|(?<=["']):/,
  /"[^"\\]*(?:\\.[^"\\]*)*"|'[^']*(?:''[^']*)*'(?!')|["']/, // a quote alone: the string goes on
  /[^\s,{}[\]#](?:\s*(?:[^\s,{}[\]:#]|:(?![\s,{}[\]]|$)|(?<=\S)#))*|./,
].map((part) => part.source).join("|"), "g");
const bare = (text) => text.replace(/^(["'])(.*)\1$/, "$2");

function placeIn(text, caret) {
  // The mappings and lists around the line, by their column. `last` is the key or item that was
  // read last, `full` says that its value is on the same line, `child` is what is below it.
  const blocks = [{ col: -1, list: false, path: [], keys: [] }];
  let braces = []; // and brackets that are open, the innermost last
  let deep = null; // they, and texts of several lines, go on while lines are further in than this
  const pathOf = (at) => (at.last === undefined ? at.path : [...at.path, at.last]);
  const begin = (at, last) => Object.assign(at, { last, full: false, child: null });

  function block(col, list) {
    let at = blocks.at(-1);
    for (; at.col > col || (at.col === col && at.list && !list); at = blocks.at(-1)) blocks.pop();
    if (at.col === col && at.list === list) return at;
    if (!at.full) at.child ??= { col, list, path: pathOf(at), keys: [] };
    if (at.full || at.child.col !== col || at.child.list !== list) return null;
    blocks.push(at.child);
    return at.child;
  }

  function readBraces(line, here) {
    let [typed, before] = ["", ""];
    for (const [token] of line.matchAll(TOKENS)) {
      const brace = braces.at(-1);
      typed = "";
      if (token === "{" || token === "[") {
        const kind = token === "[" ? { last: ITEM, stage: "value" } : { stage: "key" };
        braces.push({ path: pathOf(brace ?? blocks.at(-1)), keys: [], ...kind });
      } else if (token === "}" || token === "]") {
        braces.pop();
        if (braces.length) braces.at(-1).stage = "done";
      } else if (token === '"' || token === "'") {
        braces = []; // what goes on is a text
        return null;
      } else if (token === ",") {
        brace.stage = brace.last === ITEM ? "value" : "key";
      } else if (token === ":") {
        if (brace.stage === "named") brace.keys.push(brace.last);
        brace.stage = brace.stage === "named" ? "value" : "done";
      } else if (token.startsWith("#")) {
        if (here) return null;
      } else if (token.trim()) {
        [typed, before] = [token, brace?.stage];
        if (before === "key") brace.last = bare(token);
        if (brace) brace.stage = before === "key" ? "named" : "done";
      }
      if (!braces.length) {
        deep = null;
        return null;
      }
    }
    const { path, keys, last, stage } = braces.at(-1);
    const apart = /(^|[\s[,])$/.test(line.slice(0, line.length - typed.length));
    const now = typed ? before : stage;
    if (!here || !WORD.test(typed)) return null;
    if (now === "key") return { path, keys, word: typed, inBraces: true };
    if (now === "value" && apart) return { path: [...path, last], word: typed, isValue: true, inBraces: true };
    return null;
  }

  function read(line, here, below) {
    const blank = !line.trim();
    let col = line.search(/[^ ]|$/);
    if (deep !== null) {
      const within = here && blank ? Math.max(col, below) : col;
      const closes = braces.length && /^\s*[}\]]/.test(line);
      if (within > deep || closes || (blank && !here)) return braces.length ? readBraces(line, here) : null;
      [braces, deep] = [[], null]; // it is over, closed or not
    }
    if (/^(\s*#| *\t|---|\.\.\.|%)/.test(line) || (blank && !here)) return null;
    let rest = line.slice(col);
    for (let dash; (dash = /^-(\s+|$)/.exec(rest)?.[0]); col += dash.length) {
      const list = here && dash === "-" ? null : block(col, true);
      if (!list) return null;
      begin(list, ITEM);
      rest = rest.slice(dash.length);
    }
    const key = KEY.exec(rest);
    const isWord = here && WORD.test(rest);
    const at = key || isWord ? block(col, false) : blocks.at(-1);
    if (isWord) return at && { path: at.path, keys: at.keys, word: rest, col };
    if (!at || (!key && (at.full || at.col >= col))) return null; // more of a text, or no key yet
    if (key) {
      begin(at, bare(key[1]));
      at.keys.push(at.last);
      rest = rest.slice(key[0].length);
      if (here && key[2] && WORD.test(rest)) return { path: pathOf(at), word: rest, isValue: true };
    }
    at.full = /^[^#]/.test(rest);
    if (!/^["'{[|>]/.test(rest)) return null;
    deep = at.col;
    return /^[|>]/.test(rest) ? null : readBraces(rest, here);
  }

  let [start, place] = [0, null];
  for (const whole of text.split("\n")) {
    const line = whole.replace(/\r$/, "");
    const column = caret - start;
    start += whole.length + 1;
    if (column < 0 || column > whole.length) {
      read(line); // behind the caret, too, for the keys that are there already
      continue;
    }
    const below = /^\s*\n( *)\S/.exec(text.slice(caret))?.[1].length ?? 0;
    const rest = line.slice(column);
    place = read(line.slice(0, column), true, below);
    if (!place || !(place.inBraces ? /^\s*([,}\]]|$)|^\s+#/ : /^\s*$|^\s+#/).test(rest)) return null;
    if (place.inBraces) readBraces(rest);
  }
  return place;
}

// Then what the schema says of that place.

function alternatives(schema, nodes, found = new Set()) {
  for (const node of nodes) {
    if (!node || typeof node !== "object" || found.has(node)) continue;
    found.add(node);
    const steps = node.$ref?.startsWith("#/") ? node.$ref.slice(2).split("/") : [null];
    const named = steps.reduce((at, step) => at?.[step], schema);
    alternatives(schema, [named, ...["allOf", "anyOf", "oneOf"].flatMap((kind) => node[kind] ?? [])], found);
  }
  return [...found];
}

function fitting(schema, { path, keys, word, col, isValue, inBraces }) {
  const property = (node, key) => (Object.hasOwn(node.properties ?? {}, key) ? node.properties[key] : undefined);
  const below = (node, part) => (part === ITEM ? node.items : property(node, part) ?? node.additionalProperties);
  const told = (nodes) => nodes.find((node) => node.description)?.description.replace(/\s+/g, " ") ?? "";
  const begun = ({ label }) => label.toLowerCase().startsWith(word.toLowerCase());
  const values = (node) => {
    const known = node.type === "boolean" ? [true, false] : node.enum ?? [node.const];
    return known.filter((value) => value != null && /^[\w.-]+$/.test(value)).map(String);
  };
  let nodes = alternatives(schema, [schema]);
  for (const part of path) nodes = alternatives(schema, nodes.map((node) => below(node, part)));
  if (isValue) {
    const all = nodes.flatMap((node) => values(node).map((text) => ({ label: text, text, title: told([node]) })));
    return all.filter((fit) => begun(fit) && fit.label !== word);
  }
  // Of alternatives that exclude each other, those that allow what is written already.
  const maps = nodes.filter((node) => node.properties);
  const left = maps.filter((node) => node.additionalProperties !== false || keys.every((key) => property(node, key)));
  const all = new Map((left.length ? left : maps).flatMap((node) => Object.entries(node.properties)));
  const fits = [...all].map(([label, node]) => {
    const kinds = alternatives(schema, [node]);
    const types = kinds.flatMap((kind) => kind.type ?? []).filter((type) => type !== "null");
    const isLong = types.length && types.every((type) => type === "object" || type === "array") && !inBraces;
    const line = `\n${" ".repeat((col ?? 0) + 2)}${types.includes("object") ? "" : "- "}`;
    return { label, text: `${label}:${isLong ? line : " "}`, title: told(kinds) };
  });
  return fits.filter((fit) => begun(fit) && !keys.includes(fit.label));
}

// Last, what fits as a row of buttons under the text.

const MOST_CHIPS = 30;
const schemas = {}; // by address; without one, one writes as ever
let waiting;
const writing = () => [document.querySelector("[data-complete]"), document.getElementById("completion")];

async function suggest(area) {
  const url = area.dataset.complete;
  schemas[url] ??= fetch(url).then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
  const schema = await schemas[url];
  const [, group] = writing();
  if (!schema || !group || document.activeElement !== area) return;
  const place = area.selectionStart === area.selectionEnd && placeIn(area.value, area.selectionEnd);
  const fits = place ? fitting(schema, place) : [];
  const chips = fits.slice(0, MOST_CHIPS).map(({ label, text, title }, at) => {
    const chip = document.createElement("button");
    Object.assign(chip, { type: "button", className: "chip", title, textContent: label, tabIndex: at ? -1 : 0 });
    Object.assign(chip.dataset, { text, word: place.word });
    return chip;
  });
  group.replaceChildren(...chips, fits.length > MOST_CHIPS ? `and ${fits.length - MOST_CHIPS} more` : "");
  group.hidden = !chips.length;
}

for (const kind of ["input", "keyup", "click", "focusin"]) {
  document.addEventListener(kind, (event) => {
    const [area, group] = writing();
    if (!area || !group) return;
    if (event.target === area) {
      clearTimeout(waiting);
      waiting = setTimeout(suggest, 120, area);
    } else if (/key|click/.test(kind) && !group.contains(event.target)) {
      group.hidden = true; // not with the focus: what one clicks would move away from under the pointer
    }
  });
}

document.addEventListener("mousedown", (event) => {
  if (event.target.closest("#completion")) event.preventDefault(); // the focus stays in the text
});

document.addEventListener("click", (event) => {
  const chip = event.target.closest("#completion .chip");
  if (!chip) return;
  const [area] = writing();
  const { text, word } = chip.dataset;
  const end = area.selectionEnd;
  // What is typed stays where it can: undoing selects what was replaced.
  const [start, more] = text.startsWith(word) ? [end, text.slice(word.length)] : [end - word.length, text];
  area.focus();
  area.setSelectionRange(start, end);
  if (document.execCommand("insertText", false, more)) return; // which can be undone
  area.setRangeText(more, start, end, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
});

document.addEventListener("keydown", async (event) => {
  const [area, group] = writing();
  if (!area || !group) return;
  if (event.target === area && event.key === " " && event.ctrlKey) {
    event.preventDefault();
    await suggest(area);
    if (!group.hidden && document.activeElement === area) group.querySelector(".chip").focus();
  }
  if (!group.contains(event.target)) return;
  const chips = [...group.querySelectorAll(".chip")];
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (event.key === "Escape") area.focus();
  if (!step || event.altKey) return;
  event.preventDefault();
  const next = chips[(chips.indexOf(event.target) + step + chips.length) % chips.length];
  [event.target.tabIndex, next.tabIndex] = [-1, 0]; // one stop of the Tab key for the whole row
  next.focus();
});

// Checking while one writes. What the server says of the text, without the rest of its page.

let checking; // the timer
let question; // what was asked last
let sent; // the form that is leaving with its page

function stopChecking() {
  clearTimeout(checking);
  question?.abort();
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-complete]") || !target.form?.dataset.check) return;
  stopChecking(); // the answer would be about an older text
  checking = setTimeout(check, 700, target.form, target);
});

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.check) return;
  stopChecking();
  sent = event.target;
});

addEventListener("pageshow", () => (sent = null)); // also when one comes back to it

async function check(form, area) {
  const text = area.value;
  if (text === (area.checkedText ?? area.defaultValue) || form === sent || form.ariaBusy) return;
  question = new AbortController();
  const { signal } = question;
  const fields = [...new FormData(form)].filter(([, value]) => typeof value === "string");
  const body = new URLSearchParams([...fields, ["do", "check"]]);
  try {
    const response = await fetch(form.action, { method: "POST", body, signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const parts = form.dataset.check.split(" ");
    const pairs = parts.map((part) => [document.querySelector(part), page.querySelector(part)]);
    const selected = getSelection();
    const isFree = ([old, fresh]) => old && fresh && !old.contains(area) && !old.matches(":focus-within")
      && (selected.isCollapsed || !old.contains(selected.focusNode));
    if (signal.aborted || !pairs.every(isFree)) return;
    for (const [old, fresh] of pairs) old.replaceWith(fresh);
    area.ariaInvalid = page.getElementById(area.id)?.ariaInvalid ?? null;
    area.checkedText = text;
  } catch {
    // Nobody asked for it, and whoever saves is told what is wrong.
  }
}
