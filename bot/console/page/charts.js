// Knows how to draw the data_visualization block as SVG with a readable table under it; knows nothing of other blocks.

import { el, svg } from "./dom.js";
import { plain } from "./mrkdwn.js";
import { tooltip } from "./charttips.js";
import { unknown } from "./unknown.js";

const WIDE = { desk: 520, phone: 330 };
const HIGH = 230;
const EDGE = { left: 48, right: 12, top: 12, bottom: 42 };
const COLORS = 6;
const LETTER = 6.4;

/** Draw a chart: bar, line, area or pie. */
export function chart(block) {
  const spec = block.chart || {};
  const title = plain(block.title?.text ?? block.title ?? "").join("");
  const draw = { bar: bars, line: lines, area: lines, pie }[spec.type];
  if (!draw) return unknown(block, "chart");
  const root = draw(spec, title || "Chart");
  const figure = el("figure", { class: `chart chart-${spec.type}` }, title ? el("figcaption", {}, title) : null, el("div", { class: "chart-plot" }, root), legend(spec), numbers(spec));
  tooltip(figure.querySelector(".chart-plot"), spec.type === "pie" ? null : columnsOf(spec));
  return figure;
}

function categories(spec) {
  const given = spec.axis_config?.categories;
  const labels = (given || (spec.series?.[0]?.data || []).map((point) => point.label)) ?? [];
  return labels.map((one) => String(one !== null && typeof one === "object" ? one.label ?? one.text : one));
}

function points(series, labels) {
  return labels.map((label, index) => {
    const found = (series.data || []).find((point) => String(point?.label) === label) ?? (series.data || [])[index];
    return Number(found !== null && typeof found === "object" ? found.value : found);
  });
}

// For the tooltip: what stands at each place of the x axis.
function columnsOf(spec) {
  const labels = categories(spec);
  const series = (spec.series || []).map((one) => ({ name: String(one.name ?? ""), values: points(one, labels) }));
  return labels.map((label, index) => ({ label, values: series.map((one) => ({ name: one.name, value: one.values[index] })).filter((one) => Number.isFinite(one.value)) }));
}

// Round ticks: the smallest of 1, 2, 5 times a power of ten that gives at most five steps.
function ticks(low, high) {
  const rough = (high - low || Math.abs(high) || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const first = Math.floor(low / step) * step;
  const out = [];
  for (let at = first; at <= high + step * 0.999; at += step) out.push(Number(at.toPrecision(12)));
  return out;
}

// Letters keep their size when a chart is narrow, so it is drawn for the screen that is there.
function width() {
  return matchMedia("(max-width: 720px)").matches ? WIDE.phone : WIDE.desk;
}

function plot(spec, name, fromZero) {
  const wide = width();
  const labels = categories(spec);
  const values = (spec.series || []).flatMap((one) => points(one, labels)).filter(Number.isFinite);
  const low = Math.min(fromZero ? 0 : Infinity, ...values);
  const marks = ticks(Number.isFinite(low) ? low : 0, Math.max(fromZero ? 0 : -Infinity, ...values, Number.isFinite(low) ? low : 1));
  const [bottom, top] = [marks[0], marks.at(-1)];
  const y = (value) => HIGH - EDGE.bottom - ((value - bottom) / (top - bottom || 1)) * (HIGH - EDGE.top - EDGE.bottom);
  const root = svg("svg", { viewBox: `0 0 ${wide} ${HIGH}`, role: "img", "aria-label": `${name}: ${summary(spec, labels)}` });
  for (const mark of marks) {
    root.append(svg("line", { class: mark === 0 ? "grid zero" : "grid", x1: EDGE.left, x2: wide - EDGE.right, y1: y(mark), y2: y(mark) }));
    root.append(svg("text", { class: "tick", x: EDGE.left - 6, y: y(mark) + 3.5, "text-anchor": "end" }, shortNumber(mark)));
  }
  const { x_label: xLabel, y_label: yLabel } = spec.axis_config || {};
  if (xLabel) root.append(svg("text", { class: "axis", x: (EDGE.left + wide) / 2, y: HIGH - 6, "text-anchor": "middle" }, String(xLabel)));
  if (yLabel) root.append(svg("text", { class: "axis", x: -(HIGH - EDGE.bottom + EDGE.top) / 2, y: 10, transform: "rotate(-90)", "text-anchor": "middle" }, String(yLabel)));
  return { root, labels, y, bottom, wide };
}

// As many labels as there is room for; a long one is cut.
function xTicks(root, labels, x) {
  const room = labels.length > 1 ? Math.abs(x(1) - x(0)) : width();
  const longest = Math.min(20, Math.max(...labels.map((one) => one.length), 1)) * LETTER;
  const every = Math.max(1, Math.ceil(Math.min(longest, 76) / room));
  const letters = Math.max(4, Math.floor((room * every - 4) / LETTER));
  labels.forEach((label, index) => {
    if (index % every) return;
    const shown = label.length > letters ? `${label.slice(0, letters - 1)}…` : label;
    root.append(svg("text", { class: "tick", x: x(index), y: HIGH - EDGE.bottom + 16, "text-anchor": "middle" }, shown));
  });
}

// Invisible strips that catch the pointer for the tooltip of their place.
function strips(root, labels, x, width) {
  labels.forEach((_, index) => root.append(svg("rect", { class: "strip", "data-at": String(index), x: x(index) - width / 2, y: EDGE.top, width, height: HIGH - EDGE.top - EDGE.bottom })));
}

function bars(spec, name) {
  const { root, labels, y, wide } = plot(spec, name, true);
  const slot = (wide - EDGE.left - EDGE.right) / Math.max(1, labels.length);
  const series = spec.series || [];
  const thick = Math.min(46, (slot * 0.72) / Math.max(1, series.length));
  const centre = (index) => EDGE.left + slot * (index + 0.5);
  series.forEach((one, at) => {
    points(one, labels).forEach((value, index) => {
      if (!Number.isFinite(value)) return;
      const x = centre(index) + (at - series.length / 2) * thick;
      root.append(svg("rect", { class: `series-${at % COLORS}`, x: x + 1, y: Math.min(y(value), y(0)), width: Math.max(1, thick - 2), height: Math.max(1, Math.abs(y(0) - y(value))), rx: Math.min(3, thick / 4) }));
      if (labels.length * series.length <= 8) root.append(svg("text", { class: "value", x: x + thick / 2, y: value < 0 ? y(value) + 12 : y(value) - 4, "text-anchor": "middle" }, shortNumber(value)));
    });
  });
  xTicks(root, labels, centre);
  strips(root, labels, centre, slot);
  return root;
}

function lines(spec, name) {
  const { root, labels, y, bottom, wide } = plot(spec, name, spec.type === "area");
  const step = (wide - EDGE.left - EDGE.right - 32) / Math.max(1, labels.length - 1);
  const x = (index) => (labels.length > 1 ? EDGE.left + 16 + step * index : (EDGE.left + wide) / 2);
  (spec.series || []).forEach((series, at) => {
    const known = points(series, labels).map((value, index) => [index, value]).filter(([, value]) => Number.isFinite(value));
    if (!known.length) return;
    const path = known.map(([index, value], first) => `${first ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const floor = y(Math.max(bottom, 0));
    if (spec.type === "area") root.append(svg("path", { class: `area series-${at % COLORS}`, d: `${path}L${x(known.at(-1)[0])} ${floor}L${x(known[0][0])} ${floor}Z` }));
    root.append(svg("path", { class: `line stroke-${at % COLORS}`, d: path }));
    for (const [index, value] of known) root.append(svg("circle", { class: `series-${at % COLORS}`, cx: x(index), cy: y(value), r: labels.length > 14 ? 2 : 3 }));
  });
  xTicks(root, labels, x);
  strips(root, labels, x, labels.length > 1 ? step : wide / 2);
  return root;
}

function pie(spec, name) {
  const segments = parts(spec);
  const total = segments.reduce((sum, one) => sum + one.value, 0) || 1;
  const root = svg("svg", { viewBox: "0 0 200 200", class: "pie", role: "img", "aria-label": `${name}: ${segments.map((one) => `${one.label} ${one.value}`).join(", ")}` });
  let from = -Math.PI / 2;
  segments.forEach((one) => {
    const turn = (one.value / total) * Math.PI * 2;
    const to = from + Math.min(turn, Math.PI * 2 - 0.0001);
    const at = (angle) => `${(100 + 94 * Math.cos(angle)).toFixed(2)} ${(100 + 94 * Math.sin(angle)).toFixed(2)}`;
    root.append(svg("path", { class: `wedge series-${one.index % COLORS}`, d: `M100 100L${at(from)}A94 94 0 ${turn > Math.PI ? 1 : 0} 1 ${at(to)}Z`, "data-tip": `${one.label}: ${one.value.toLocaleString()} (${share(one.value, total)})` }));
    from += turn;
  });
  return root;
}

function parts(spec) {
  return (spec.segments || []).map((one, index) => ({ label: String(one?.label ?? ""), value: Number(one?.value), index })).filter((one) => one.value > 0);
}

function share(value, total) {
  const percent = (value / total) * 100;
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)}%`;
}

function legend(spec) {
  const segments = spec.type === "pie" ? parts(spec) : [];
  const total = segments.reduce((sum, one) => sum + one.value, 0) || 1;
  const names = spec.type === "pie" ? segments.map((one) => [one.label, share(one.value, total), one.index]) : (spec.series || []).map((one, index) => [String(one.name ?? ""), "", index]);
  if (spec.type !== "pie" && names.length < 2) return null;
  return el("ul", { class: "legend" }, names.map(([name, percent, index]) => el("li", {}, el("span", { class: `dot fill-${index % COLORS}` }), el("span", {}, name), percent ? el("b", {}, percent) : null)));
}

// The same numbers as a table: for screen readers, and for people who want to read values off.
function numbers(spec) {
  const labels = spec.type === "pie" ? (spec.segments || []).map((one) => one.label) : categories(spec);
  const columns = spec.type === "pie" ? [{ name: "Value", values: (spec.segments || []).map((one) => one.value) }] : (spec.series || []).map((one) => ({ name: one.name, values: points(one, labels) }));
  const head = el("tr", {}, el("td", {}, spec.axis_config?.x_label ? String(spec.axis_config.x_label) : ""), columns.map((one) => el("th", { scope: "col" }, String(one.name ?? ""))));
  const cell = (value) => el("td", { class: "right" }, Number.isFinite(Number(value)) ? Number(value).toLocaleString(undefined, { maximumFractionDigits: 6 }) : "");
  const rows = labels.map((label, index) => el("tr", {}, el("th", { scope: "row" }, String(label)), columns.map((one) => cell(one.values[index]))));
  const table = el("table", {}, el("thead", {}, head), el("tbody", {}, rows));
  return el("details", { class: "chart-data" }, el("summary", { "data-action-id": "chart-data" }, "Show as table"), el("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": "Numbers of the chart" }, table));
}

function summary(spec, labels) {
  return (spec.series || []).map((one) => {
    const values = points(one, labels).filter(Number.isFinite);
    return values.length ? `${one.name} from ${values[0]} to ${values.at(-1)}` : one.name;
  }).join("; ");
}

function shortNumber(value) {
  const size = Math.abs(value);
  if (size >= 1e9) return `${Number((value / 1e9).toPrecision(3))}B`;
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(4)));
}
