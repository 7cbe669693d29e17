// What the page that is open tells about itself. Each function answers a list.
(() => {
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  const shown = (element) => element.checkVisibility({ visibilityProperty: true });
  const all = (css) => [...document.querySelectorAll(css)].filter(shown);
  const told = (element) => {
    const text = element.innerText || element.value || element.ariaLabel || "";
    const id = element.id && `#${element.id}`;
    return `${element.tagName.toLowerCase()}${id} "${text.trim().slice(0, 40)}"`;
  };

  const isOutlined = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  // The element itself, what lies over it, or its label in the place of a radio button that is not seen.
  const showsFocus = (element) =>
    isOutlined(getComputedStyle(element)) ||
    isOutlined(getComputedStyle(element, "::after")) ||
    [...(element.labels ?? [])].some((label) => isOutlined(getComputedStyle(label)));

  window.walk = {
    keyboard() {
      const found = [];
      for (const control of all(CONTROLS).filter((one) => one.tabIndex >= 0 && !one.disabled).slice(0, 300)) {
        if (control.tabIndex > 0) found.push(`changes the order of keys at ${told(control)}`);
        control.focus({ preventScroll: true });
        if (document.activeElement !== control) found.push(`cannot be left by keys to ${told(control)}`);
        else if (!showsFocus(control)) found.push(`shows no focus on ${told(control)}`);
      }
      for (const element of all("body *")) {
        if (getComputedStyle(element).cursor !== "pointer") continue;
        const control = element.closest("a[href], button, input, select, textarea, summary, label");
        if (!control || (control.matches("label") && !control.control)) {
          found.push(`takes clicks and no keys on ${told(element)}`);
        }
      }
      return found;
    },

    withoutScripts() {
      const found = [];
      if (all("h1").length !== 1) found.push(`has ${all("h1").length} titles`);
      for (const element of all(".needs-js")) found.push(`shows what needs a script: ${told(element)}`);
      for (const button of all("button[type=button]")) {
        if (!button.popoverTargetElement) found.push(`has a dead button: ${told(button)}`);
      }
      for (const form of all("form")) {
        if (!form.querySelector("button:not([type=button]), input[type=submit]")) {
          found.push(`has a form without a button: ${told(form)}`);
        }
      }
      return found;
    },

    links() {
      const links = [...document.querySelectorAll("a[href]")].map((link) => new URL(link.href));
      const own = links.filter((link) => link.origin === location.origin);
      return [...new Set(own.map((link) => link.pathname + link.search))];
    },

    // Pairs of a link and the page that has it.
    async dead(links) {
      const answers = links.map(async ([link, page]) => {
        const { status } = await fetch(link);
        return status < 400 ? [] : [`${page} leads to ${link}, which answers ${status}`];
      });
      return (await Promise.all(answers)).flat();
    },

    async answers(paths) {
      const answers = paths.map(async (path) => {
        const answer = await fetch(path);
        const html = await answer.text();
        const page = new DOMParser().parseFromString(html, "text/html");
        const text = (page.querySelector("main") ?? page.body).textContent.replace(/\s+/g, " ");
        return { status: answer.status, path: new URL(answer.url).pathname, text, html };
      });
      return Promise.all(answers);
    },
  };
})();
