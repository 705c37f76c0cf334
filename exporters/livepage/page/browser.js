// What browsers do in more than one way.

const KEY = "stagemeter-theme";
const root = document.documentElement;

/** Shows the theme that was chosen on this page, if one was. Else it is that of the system. */
export function storedTheme() {
  try {
    const theme = localStorage.getItem(KEY);
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // A browser that stores nothing.
  }
}

/** Turns light into dark and back. What the system wants too is not a choice, and follows it again. */
export function turnTheme() {
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const theme = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
  if (theme === system) delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    if (theme === system) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // The choice lasts as long as the page.
  }
}

/**
 * Copies a text, and reports whether it could. Over plain HTTP there is no clipboard but that of a
 * selection, which has to be inside of an open dialog.
 * @param {string} text
 * @param {HTMLElement} inside
 */
export async function copy(text, inside) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "vh";
    field.readOnly = true;
    const before = document.activeElement;
    inside.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (before instanceof HTMLElement) before.focus();
    return done;
  }
}
