// Comfort on top of pages that work without it. Everything listens on the document, so that
// parts which are replaced later need no setup.
//
//   data-copy="id"          copies the text of the element with that id
//   data-dialog="id"        opens that <dialog> as a modal one; data-close closes it
//   data-swap="#a #b"       on a form: posts in the background and replaces these elements
//   data-progress="id"      on a form with a file: shows in that <progress> how much is sent
//   data-parts="path"       on such a form: a file of more than data-whole bytes goes in parts, which begin there
//   data-palette            on a link to the search: opens it as a dialog, as Ctrl+K does
//   data-refresh="seconds"  on an element with an id: replaced from time to time
//   data-load="path"        on a <details> with an id: when it is opened, its body comes from that page
//   data-mix                in a form: tells what the ticked tools cost a model together
//   <time datetime>         reads "3 minutes ago", with the local date as its tooltip

const root = document.documentElement;

// Copying. Browsers offer the clipboard only over https and on localhost, hence the second way.

async function copy(source) {
  const text = source.textContent;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

const live = document.createElement("p");
live.className = "sr-only";
live.setAttribute("role", "status");
document.body.append(live);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  const source = button && document.getElementById(button.dataset.copy);
  if (!source || button.dataset.done) return;
  const label = button.firstChild;
  const said = label.textContent;
  const done = (await copy(source)) ? "Copied" : "Press Ctrl+C";
  button.dataset.done = "yes";
  label.textContent = live.textContent = done;
  setTimeout(() => {
    label.textContent = said;
    live.textContent = "";
    delete button.dataset.done;
  }, 1600);
});

// Dialogs. Without this they open as popovers, which do not keep the focus inside.

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const closer = event.target.closest("[data-close]");
  if (opener) {
    event.preventDefault();
    document.getElementById(opener.dataset.dialog).showModal();
  } else if (closer) {
    event.preventDefault();
    closer.closest("dialog").close();
  } else if (event.target.matches("dialog[open]")) {
    event.target.close(); // the backdrop; what lies on the dialog is never the target itself
  }
});

// The menu closes when one looks elsewhere.

const closeMenu = () => document.querySelector(".menu[open]")?.removeAttribute("open");
document.addEventListener("click", (event) => event.target.closest(".menu") || closeMenu());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !document.querySelector(".menu[open]")) return;
  closeMenu();
  document.querySelector(".menu summary").focus();
});

// A row of links that is wider than the screen shows the one where one is.

for (const link of document.querySelectorAll(".nav [aria-current], .subnav [aria-current]")) {
  const row = link.parentElement;
  const [at, begin] = [link, row].map((element) => element.getBoundingClientRect().left);
  row.scrollLeft += at - begin - (row.clientWidth - link.offsetWidth) / 2;
}

// Theme.

const chosen = document.getElementById(`theme-${root.dataset.theme ?? "system"}`);
if (chosen) chosen.checked = true;
document.addEventListener("change", (event) => {
  if (event.target.name !== "theme") return;
  const theme = event.target.value;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage is blocked: it holds until the next page.
  }
});

// Updates in place. The server answers whole pages as always; only the named parts are taken.
// An answer without them (an error, the sign-in page) is shown whole.

function show(response, html, wanted) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const pairs = wanted.map((part) => [document.querySelector(part), page.querySelector(part)]);
  if (pairs.every(([old, fresh]) => old && fresh)) {
    for (const [old, fresh] of pairs) old.replaceWith(fresh);
  } else {
    document.body.replaceWith(page.body);
    document.title = page.title;
    if (response.redirected) history.replaceState(null, "", response.url);
  }
  tellTimes();
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.swap || form.ariaBusy) return;
  event.preventDefault();
  form.ariaBusy = "true";
  try {
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const response = await fetch(form.action, { method: "POST", body });
    show(response, await response.text(), form.dataset.swap.split(" "));
    document.getElementById("notices")?.focus();
  } catch {
    form.submit(); // no answer: let the browser say why
  }
});

// Sending a file, with the share that has left the browser. `fetch` does not tell it.

function send(method, path, body, tell) {
  return new Promise((resolve, reject) => {
    const url = new URL(path, location.href).href;
    const request = new XMLHttpRequest();
    if (tell) request.upload.onprogress = (sent) => tell(sent.loaded);
    request.onload = () => {
      const { status, responseText: text, responseURL } = request;
      const isPage = !request.getResponseHeader("content-type")?.startsWith("application/json");
      resolve({ status, text, isPage, url: responseURL, redirected: responseURL !== url });
    };
    request.onerror = reject;
    request.open(method, url);
    request.send(body);
  });
}

// Asks again for a minute while that may help: the connection broke, the server was started again or has too much to do.
const PASSING = [429, 500, 502, 503, 504];

async function patiently(ask) {
  let answer = null;
  for (let tries = 0; tries < 9; tries++) {
    await new Promise((resume) => setTimeout(resume, tries && Math.min(10_000, 500 * 2 ** tries)));
    answer = await ask().catch(() => null);
    if (answer && !PASSING.includes(answer.status)) break;
  }
  return answer;
}

// What does not arrive whole is refused at the end, with a page that says so. The end can be asked for again: it makes one
// document, and what passes by itself leaves what was sent where it is.
async function sendInParts(form, file, tell) {
  const fields = new FormData(form);
  for (const [name, value] of [...fields]) if (value instanceof File) fields.delete(name);
  fields.set("name", file.name);
  fields.set("size", file.size);
  const about = new URLSearchParams(fields);
  const begun = await send("POST", form.dataset.parts, about);
  if (begun.isPage) return begun;
  const { part, partSize, partCount, complete } = JSON.parse(begun.text);
  for (let n = 0; n < partCount; n++) {
    const at = n * partSize;
    const bytes = file.slice(at, at + partSize);
    const path = part.replace("{n}", n);
    const sent = await patiently(() => send("PUT", path, bytes, (sent) => tell(at + sent)));
    if (sent?.status !== 200) break;
  }
  const done = await patiently(() => send("POST", complete, about));
  if (!done) throw new Error("no answer");
  return done;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const bar = document.getElementById(form.dataset.progress);
  if (!bar) return;
  event.preventDefault();
  if (form.ariaBusy) return; // it is under way
  form.ariaBusy = "true";
  bar.hidden = false;
  const file = form.querySelector("input[type=file]").files[0];
  const tell = (sent) => (bar.value = file?.size ? Math.min(100, (100 * sent) / file.size) : 0);
  const inParts = form.dataset.parts && file?.size > Number(form.dataset.whole);
  try {
    const body = new FormData(form, event.submitter);
    const answer = await (inParts ? sendInParts(form, file, tell) : send("POST", form.action, body, tell));
    show(answer, answer.text, ["#content"]);
    if (answer.redirected) history.replaceState(null, "", answer.url);
    document.getElementById("notices")?.focus();
  } catch {
    delete form.dataset.progress;
    if (inParts) location.reload();
    else form.submit(); // no answer: let the browser say why
  }
});

setInterval(async () => {
  for (const part of document.querySelectorAll("[data-refresh]")) {
    part.age = (part.age ?? 0) + 1;
    const busy = document.hidden || part.contains(getSelection().focusNode) || part.querySelector(":focus");
    if (busy || part.age < Number(part.dataset.refresh)) continue;
    part.age = 0;
    const response = await fetch(location.href).catch(() => null);
    if (response?.ok && !response.redirected) show(response, await response.text(), [`#${part.id}`]);
  }
}, 1000);

// What is folded is asked for when somebody opens it. Without an answer its button is still there.

document.addEventListener("toggle", async (event) => {
  const part = event.target;
  const path = part.dataset.load;
  if (!path || !part.open) return;
  delete part.dataset.load;
  const html = await fetch(path).then((response) => response.text()).catch(() => "");
  const page = new DOMParser().parseFromString(html, "text/html");
  const body = page.querySelector(`#${part.id} > .module-body`);
  if (body) part.querySelector(".module-body").replaceWith(body);
  else part.dataset.load = path;
}, true);

// Going somewhere by name: Ctrl+K, or Cmd+K. The list is that of the page /search.

const palette = () => document.getElementById("palette");
let asked = 0;
let shown = null; // what the list was found for

async function look(query) {
  const mine = ++asked;
  const response = await fetch(`/search?q=${encodeURIComponent(query)}`).catch(() => null);
  if (mine !== asked || !response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const found = page.getElementById("found");
  if (mine !== asked || !found) return;
  document.getElementById("palette-found").replaceChildren(...found.childNodes);
  shown = query;
}

function openPalette() {
  const dialog = palette();
  if (!dialog || dialog.open) return;
  dialog.showModal();
  const input = dialog.querySelector("input");
  input.select();
  look(input.value);
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-palette]") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  openPalette();
});

let pause;
document.addEventListener("input", (event) => {
  if (event.target.id !== "palette-query") return;
  clearTimeout(pause);
  pause = setTimeout(look, 120, event.target.value);
});

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && palette()) {
    event.preventDefault();
    openPalette();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const dialog = event.target.closest?.("#palette");
  if (!step || !dialog) return;
  event.preventDefault();
  const stops = [dialog.querySelector("input"), ...dialog.querySelectorAll("#palette-found a")];
  const at = stops.indexOf(document.activeElement);
  stops[(at + step + stops.length) % stops.length].focus();
});

// Enter goes to the first that was found for what is written; without one, the page says that there is none.
document.addEventListener("submit", async (event) => {
  const dialog = event.target.closest("#palette");
  if (!dialog) return;
  event.preventDefault();
  const query = dialog.querySelector("input").value;
  clearTimeout(pause);
  if (query !== shown) await look(query);
  const first = query === shown && dialog.querySelector("#palette-found a");
  if (first) first.click();
  else event.target.submit();
});

// Choosing tools: what their list costs a model.

function tellCost(form) {
  const mix = form?.querySelector?.("[data-mix]");
  if (!mix) return;
  let [tokens, tools] = [0, 0];
  for (const group of mix.querySelectorAll("[data-mix-group]")) {
    const tick = group.querySelector("[name=toolsets]");
    const field = document.getElementById(group.dataset.mixWith);
    if (!(tick ? tick.checked : field?.value)) continue;
    const single = [...group.querySelectorAll("[name=tools]")];
    const ticked = single.length ? single.filter((tool) => tool.checked) : [group];
    tools += single.length ? ticked.length : Number(group.dataset.tools);
    for (const one of ticked) tokens += Number(one.dataset.tokens);
  }
  const [inTokens, inTools] = mix.querySelectorAll("[data-mix-total] strong");
  inTokens.textContent = `≈ ${tokens.toLocaleString("en")}`;
  inTools.textContent = tools.toLocaleString("en");
}

document.addEventListener("change", (event) => tellCost(event.target.form));

// Times.

const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "long" });

function tellTimes() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    const seconds = (at - Date.now()) / 1000;
    const unit = units.find(([, length]) => Math.abs(seconds) >= length);
    element.title = exact.format(at);
    if (!unit) element.textContent = seconds > 0 ? "in under a minute" : "just now";
    else if (Math.abs(seconds) > 30 * 86400) element.textContent = day.format(at);
    else element.textContent = relative.format(Math.round(seconds / unit[1]), unit[0]);
  }
}

tellTimes();
setInterval(tellTimes, 30_000);
