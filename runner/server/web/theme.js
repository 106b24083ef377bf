// Light, dark, or as the system has it.

import { byId } from "./dom.js";

const KEPT = "gristmill-theme";
const THEMES = { auto: ["◐", "as the system has it"], light: ["☀", "light"], dark: ["☾", "dark"] };

function choose(name = localStorage.getItem(KEPT) ?? "auto") {
  const [sign, words] = THEMES[name] ?? THEMES.auto;
  document.documentElement.dataset.theme = name;
  localStorage.setItem(KEPT, name);
  Object.assign(byId("theme"), { textContent: sign, title: `Colours: ${words} (t)`, ariaLabel: `Colours: ${words}` });
}

/** The next of the three. */
export const nextTheme = () => choose({ auto: "light", light: "dark" }[document.documentElement.dataset.theme] ?? "auto");

byId("theme").addEventListener("click", nextTheme);
choose();
