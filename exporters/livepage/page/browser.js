// The theme and the clipboard, which differ between browsers.

const KEY = "stagemeter-theme";
const root = document.documentElement;

/** Applies the theme that was chosen on this page, if one was, in place of the system's. */
export function storedTheme() {
  try {
    const theme = localStorage.getItem(KEY);
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // A browser that stores nothing.
  }
}

/** Switches between light and dark. The theme of the system is not stored: it follows the system. */
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
 * Copies a text, and reports whether it could. Over plain HTTP only a selection can be
 * copied, which must be inside of an open dialog.
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
