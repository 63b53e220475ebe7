// Knows the small box that follows the pointer over a chart; knows nothing of how charts are drawn.

import { el } from "./dom.js";

/**
 * Show a tip over `plot`: at strips (`data-at`) all values of that place, at wedges their own text (`data-tip`).
 * The table under the chart holds the same numbers for keyboards and screen readers.
 */
export function tooltip(plot, columns) {
  const tip = el("div", { class: "chart-tip", hidden: true, "aria-hidden": "true" });
  plot.append(tip);
  plot.addEventListener("pointermove", (event) => show(plot, tip, columns, event));
  plot.addEventListener("pointerdown", (event) => show(plot, tip, columns, event));
  plot.addEventListener("pointerleave", () => void (tip.hidden = true));
}

function show(plot, tip, columns, event) {
  const { at, tip: text } = event.target.dataset || {};
  const column = at === undefined ? null : columns?.[Number(at)];
  tip.hidden = !column && !text;
  if (tip.hidden) return;
  tip.replaceChildren(...(column ? rows(column) : [text]));
  const box = plot.getBoundingClientRect();
  const size = tip.getBoundingClientRect();
  const x = event.clientX - box.left;
  tip.style.setProperty("left", `${Math.max(0, Math.min(x + 14 + size.width > box.width ? x - size.width - 14 : x + 14, box.width - size.width))}px`);
  tip.style.setProperty("top", `${Math.max(0, Math.min(event.clientY - box.top - size.height / 2, box.height - size.height))}px`);
}

function rows({ label, values }) {
  return [el("strong", {}, label), ...values.map((one, index) => el("div", {}, el("span", { class: `dot fill-${index % 6}` }), el("span", {}, one.name), el("b", {}, one.value.toLocaleString(undefined, { maximumFractionDigits: 6 }))))];
}
