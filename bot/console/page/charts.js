// Knows how to draw the data_visualization block as SVG with a readable table under it; knows nothing of other blocks.

import { el, svg } from "./dom.js";
import { plain } from "./mrkdwn.js";

const WIDE = 520;
const HIGH = 220;
const EDGE = { left: 44, right: 12, top: 10, bottom: 40 };

/** Draw a chart: bar, line, area or pie. */
export function chart(block) {
  const spec = block.chart || {};
  const title = plain(block.title?.text ?? block.title ?? "").join("");
  const draw = { bar: bars, line: lines, area: lines, pie }[spec.type];
  if (!draw) return el("pre", {}, el("code", {}, JSON.stringify(block, null, 2)));
  const names = spec.type === "pie" ? (spec.segments || []).map((one) => one.label) : (spec.series || []).map((one) => one.name);
  return el("figure", { class: "chart" }, title ? el("figcaption", {}, title) : null, draw(spec, title || "Chart"), legend(names, spec.type), dataTable(spec));
}

function categories(spec) {
  const given = spec.axis_config?.categories;
  const labels = (given || (spec.series?.[0]?.data || []).map((point) => point.label)) ?? [];
  return labels.map((one) => (typeof one === "object" ? one.label ?? one.text : String(one)));
}

function points(series, labels) {
  return labels.map((label, index) => {
    const found = (series.data || []).find((point) => String(point.label) === label) ?? (series.data || [])[index];
    return Number(typeof found === "object" ? found?.value : found);
  });
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

function plot(spec, name, fromZero) {
  const labels = categories(spec);
  const values = (spec.series || []).flatMap((one) => points(one, labels)).filter(Number.isFinite);
  const low = Math.min(fromZero ? 0 : Infinity, ...values);
  const marks = ticks(Number.isFinite(low) ? low : 0, Math.max(fromZero ? 0 : -Infinity, ...values, Number.isFinite(low) ? low : 1));
  const [bottom, top] = [marks[0], marks.at(-1)];
  const y = (value) => HIGH - EDGE.bottom - ((value - bottom) / (top - bottom || 1)) * (HIGH - EDGE.top - EDGE.bottom);
  const root = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": `${name}: ${summary(spec, labels)}` });
  for (const mark of marks) {
    root.append(svg("line", { class: "grid", x1: EDGE.left, x2: WIDE - EDGE.right, y1: y(mark), y2: y(mark) }));
    root.append(svg("text", { class: "tick", x: EDGE.left - 6, y: y(mark) + 3.5, "text-anchor": "end" }, shortNumber(mark)));
  }
  const { x_label: xLabel, y_label: yLabel } = spec.axis_config || {};
  if (xLabel) root.append(svg("text", { class: "axis", x: (EDGE.left + WIDE) / 2, y: HIGH - 6, "text-anchor": "middle" }, String(xLabel)));
  if (yLabel) root.append(svg("text", { class: "axis", x: -(HIGH - EDGE.bottom) / 2, y: 9, transform: "rotate(-90)", "text-anchor": "middle" }, String(yLabel)));
  return { root, labels, y, bottom };
}

function xTicks(root, labels, x) {
  const every = Math.ceil(labels.length / 10);
  labels.forEach((label, index) => {
    if (index % every === 0) root.append(svg("text", { class: "tick", x: x(index), y: HIGH - EDGE.bottom + 15, "text-anchor": "middle" }, label));
  });
}

function bars(spec, name) {
  const { root, labels, y } = plot(spec, name, true);
  const slot = (WIDE - EDGE.left - EDGE.right) / Math.max(1, labels.length);
  const count = spec.series.length;
  const width = Math.min(46, (slot * 0.7) / count);
  spec.series.forEach((series, at) => {
    points(series, labels).forEach((value, index) => {
      if (!Number.isFinite(value)) return;
      const x = EDGE.left + slot * (index + 0.5) + (at - count / 2) * width;
      const rect = svg("rect", { class: `series-${at % 6}`, x: x + 1, y: Math.min(y(value), y(0)), width: width - 2, height: Math.max(1, Math.abs(y(0) - y(value))), rx: 3 });
      rect.append(svg("title", {}, `${labels[index]}, ${series.name}: ${value}`));
      root.append(rect);
      if (labels.length * count <= 8) root.append(svg("text", { class: "value", x: x + width / 2, y: Math.min(y(value), y(0)) - 4, "text-anchor": "middle" }, shortNumber(value)));
    });
  });
  xTicks(root, labels, (index) => EDGE.left + slot * (index + 0.5));
  return root;
}

function lines(spec, name) {
  const { root, labels, y, bottom } = plot(spec, name, spec.type === "area");
  const step = (WIDE - EDGE.left - EDGE.right - 16) / Math.max(1, labels.length - 1);
  const x = (index) => EDGE.left + 8 + step * index;
  spec.series.forEach((series, at) => {
    const known = points(series, labels).map((value, index) => [index, value]).filter(([, value]) => Number.isFinite(value));
    if (!known.length) return;
    const path = known.map(([index, value], first) => `${first ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    if (spec.type === "area") root.append(svg("path", { class: `area series-${at % 6}`, d: `${path}L${x(known.at(-1)[0])} ${y(bottom)}L${x(known[0][0])} ${y(bottom)}Z` }));
    root.append(svg("path", { class: `line stroke-${at % 6}`, d: path }));
    for (const [index, value] of known) root.append(svg("circle", { class: `series-${at % 6}`, cx: x(index), cy: y(value), r: labels.length > 14 ? 2 : 3 }, svg("title", {}, `${labels[index]}, ${series.name}: ${value}`)));
  });
  xTicks(root, labels, x);
  return root;
}

function pie(spec, name) {
  const segments = (spec.segments || []).filter((one) => Number(one.value) > 0);
  const total = segments.reduce((sum, one) => sum + Number(one.value), 0) || 1;
  const root = svg("svg", { viewBox: "0 0 220 200", class: "pie", role: "img", "aria-label": `${name}: ${segments.map((one) => `${one.label} ${one.value}`).join(", ")}` });
  let from = -Math.PI / 2;
  segments.forEach((one, index) => {
    const turn = (Number(one.value) / total) * Math.PI * 2;
    const to = from + Math.min(turn, Math.PI * 2 - 0.0001);
    const at = (angle) => `${(110 + 88 * Math.cos(angle)).toFixed(2)} ${(100 + 88 * Math.sin(angle)).toFixed(2)}`;
    const wedge = svg("path", { class: `wedge series-${index % 6}`, d: `M110 100L${at(from)}A88 88 0 ${turn > Math.PI ? 1 : 0} 1 ${at(to)}Z` });
    wedge.append(svg("title", {}, `${one.label}: ${one.value} (${Math.round((one.value / total) * 100)}%)`));
    root.append(wedge);
    from += turn;
  });
  return root;
}

function legend(names, type) {
  if (type !== "pie" && names.length < 2) return null;
  return el("ul", { class: "legend", "aria-hidden": "true" }, names.map((name, index) => el("li", {}, el("span", { class: `dot fill-${index % 6}` }), String(name ?? ""))));
}

// The same numbers as a table: for screen readers, and for people who want to read values off.
function dataTable(spec) {
  const labels = spec.type === "pie" ? (spec.segments || []).map((one) => one.label) : categories(spec);
  const columns = spec.type === "pie" ? [{ name: "Value", values: (spec.segments || []).map((one) => one.value) }] : (spec.series || []).map((one) => ({ name: one.name, values: points(one, labels) }));
  const head = el("tr", {}, el("td", {}), columns.map((one) => el("th", { scope: "col" }, String(one.name ?? ""))));
  const rows = labels.map((label, index) => el("tr", {}, el("th", { scope: "row" }, String(label)), columns.map((one) => el("td", { class: "right" }, Number.isFinite(Number(one.values[index])) ? String(one.values[index]) : "")))); 
  return el("details", { class: "chart-data" }, el("summary", { "data-action-id": "chart-data" }, "Numbers"), el("div", { class: "table-frame" }, el("table", {}, el("thead", {}, head), el("tbody", {}, rows))));
}

function summary(spec, labels) {
  return spec.series.map((one) => {
    const values = points(one, labels).filter(Number.isFinite);
    return values.length ? `${one.name} from ${values[0]} to ${values.at(-1)}` : one.name;
  }).join("; ");
}

function shortNumber(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(4)));
}
