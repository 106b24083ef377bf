// The colour theme: system, light or dark.

import { byId } from "./dom.js";

const KEPT = "gristmill-theme";
const THEMES = { auto: ["◐", "system"], light: ["☀", "light"], dark: ["☾", "dark"] };

function choose(name = localStorage.getItem(KEPT) ?? "auto") {
  const [sign, words] = THEMES[name] ?? THEMES.auto;
  document.documentElement.dataset.theme = name;
  localStorage.setItem(KEPT, name);
  Object.assign(byId("theme"), { textContent: sign, title: `Theme: ${words} (t)`, ariaLabel: `Theme: ${words}` });
}

/** Switches to the next theme. */
export const nextTheme = () => choose({ auto: "light", light: "dark" }[document.documentElement.dataset.theme] ?? "auto");

byId("theme").addEventListener("click", nextTheme);
choose();
