// Runs before the first paint, so that a chosen theme does not flash in the other one.
// Not a module: modules wait until the page is read.
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // Storage is blocked: the system's theme it is.
  }
})();
