// What the page that is open shows and does of the payloads. `payloads` are their texts, in which {n} is the
// number of a placement: a hundred times the field, and the payload.
(() => {
  const MARK = /(?:pwned=|canary-)(\d{3,})/g;
  const STRANGE = "applet, audio, base, embed, frame, iframe, math, marquee, meta[http-equiv], noscript, object, source, style, template, video";
  const ADDRESSES = ["action", "background", "cite", "data", "formaction", "href", "ping", "poster", "src", "srcdoc", "srcset", "xlink:href"];
  // Pages may show spaces, and signs that nobody sees, in other ways; addresses of mail are kept in small letters.
  const plain = (text) => text.replace(/[\s\p{Cc}\p{Cf}\u2028\u2029\ufffd\u2400-\u2426]+/gu, "").toLowerCase();
  const told = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 160);
  const quoted = (text) => JSON.stringify(text).slice(1, -1);

  // What no template writes.
  function strange(element) {
    if (element.matches(".guide picture > source")) return !element.srcset.startsWith("/assets/");
    if (element.matches(STRANGE)) return true;
    if (element.matches("script, link")) {
      const address = new URL(element.src || element.href || "none:", location.href);
      return address.origin !== location.origin || !address.pathname.startsWith("/assets/");
    }
    for (const { name, value } of element.attributes) {
      if (/^(on|hx-|data-hx)/.test(name) || name === "style" || /["'<>]/.test(name)) return true;
      if (!ADDRESSES.includes(name)) continue;
      const address = URL.parse(value, document.baseURI);
      if (!address || !["http:", "https:", "mailto:"].includes(address.protocol)) return true;
      if (/canary-\d/.test(address.pathname) && /^\W*canary-/.test(address.pathname)) return true;
    }
    return false;
  }

  // Every text that a page has, with whether a reader sees it.
  function* texts() {
    const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT | NodeFilter.SHOW_COMMENT);
    for (let node = walker.currentNode; node; node = walker.nextNode()) {
      if (node.nodeType === Node.COMMENT_NODE) yield { text: node.data, comment: true };
      else if (node.nodeType === Node.TEXT_NODE) yield { text: node.data, seen: true };
      else {
        if ("value" in node && typeof node.value === "string") yield { text: node.value, seen: true };
        for (const { name, value } of node.attributes) if (!ADDRESSES.includes(name)) yield { text: value };
      }
    }
  }

  window.payloads = {
    // What ran, was loaded or was made of a payload.
    ran() {
      const found = [];
      if (window.pwned !== undefined) found.push(`ran ${window.pwned}`);
      if (/^\/canary-/.test(location.pathname)) found.push(`went to ${location.pathname}`);
      for (const { name } of performance.getEntriesByType("resource")) {
        if (/\/canary-\d/.test(new URL(name).pathname)) found.push(`asked for ${name}`);
      }
      return found;
    },

    made: () => [...document.querySelectorAll("*")].filter(strange).map((element) => `has ${told(element)}`),

    // Which placements are shown whole, and what is shown of others.
    shown(payloads, paths) {
      const whole = new Set();
      const other = [];
      for (const { text, comment, seen } of texts()) {
        for (const [, mark] of text.matchAll(MARK)) {
          const payload = payloads[(mark % 100) - 1]?.replaceAll("{n}", mark);
          if (payload === undefined) continue;
          const ways = [payload, quoted(payload), quoted(quoted(payload))].map(plain);
          const is = ways.some((way) => plain(text).includes(way));
          // A slash in it begins the next part of the path.
          const parts = paths.includes(Math.floor(mark / 100)) ? payload.split("/") : [];
          const isPart = parts.some((part) => part.includes(mark) && plain(text).includes(plain(part)));
          if (comment) other.push(`has a comment with ${mark}`);
          else if (is && seen) whole.add(Number(mark));
          else if (!is && !isPart && !text.includes("…")) other.push(`shows ${mark} as ${text.trim().slice(0, 160)}`);
        }
      }
      return { whole: [...whole], other };
    },
  };
})();
