// Knows how to show what this page cannot draw: its type, and its JSON on demand; never drops anything.

import { el } from "./dom.js";

/** A fold with the JSON of a block, element or other part that has no drawing here. */
export function unknown(value, what = "block", why = "") {
  const type = typeof value?.type === "string" ? value.type : "no type";
  return el("details", { class: "unknown-block" }, el("summary", {}, why || `Unknown ${what}: ${type}`), el("pre", { tabindex: "0" }, el("code", {}, JSON.stringify(value, null, 2))));
}

/** The same inside a line of text. */
export function unknownInline(value) {
  const type = typeof value?.type === "string" ? value.type : "no type";
  return el("code", { class: "unknown-inline", title: `Unknown: ${type}` }, JSON.stringify(value));
}
