// Knows how a month is shown and walked through with the keyboard; knows nothing of the field that opened it.

import { el } from "./dom.js";
import { glyphButton } from "./glyphs.js";

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [0, -7], ArrowDown: [0, 7], PageUp: [-1, 0], PageDown: [1, 0] };

/** A month to choose from. `choose(day)` gets `YYYY-MM-DD` or null, `leave()` is called on Esc. */
export function calendar({ day, clearable, choose, leave }) {
  const state = { at: parseDay(day) || startOfToday() };
  const root = el("div", { class: "calendar-month" });
  const go = (at, focus = true) => {
    state.at = at;
    draw();
    if (focus) root.querySelector("[tabindex='0']")?.focus();
  };
  const draw = () => root.replaceChildren(head(state.at, go), grid(state.at, day, choose), foot(clearable && day, choose));
  root.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      leave();
    } else if (step && event.target.matches("[data-day]")) {
      event.preventDefault();
      go(moved(state.at, ...step));
    } else if (event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      turn(root, event.shiftKey ? -1 : 1);
    }
  });
  draw();
  return root;
}

/** A Date for `YYYY-MM-DD`, at noon so that no time zone moves it; null where it is none. */
export function parseDay(text) {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text || "");
  return match ? new Date(Number(match[1]), Number(match[2]) - 1, Number(match[3]), 12) : null;
}

/** The day as people read it. */
export function shownDay(text) {
  return parseDay(text)?.toLocaleDateString([], { year: "numeric", month: "short", day: "numeric" }) ?? text;
}

function head(at, go) {
  const title = at.toLocaleDateString([], { month: "long", year: "numeric" });
  return el("div", { class: "calendar-head" }, glyphButton("caret-left", "Previous month", () => go(moved(at, -1, 0), false)),
    el("strong", { "aria-live": "polite" }, title), glyphButton("caret-right", "Next month", () => go(moved(at, 1, 0), false)));
}

function grid(at, chosen, choose) {
  const first = new Date(at.getFullYear(), at.getMonth(), 1, 12);
  const start = moved(first, 0, -((first.getDay() - weekStart() + 7) % 7));
  const names = Array.from({ length: 7 }, (_, index) => moved(start, 0, index));
  const head = names.map((one) => el("th", { scope: "col", abbr: one.toLocaleDateString([], { weekday: "long" }) }, one.toLocaleDateString([], { weekday: "narrow" })));
  const weeks = Array.from({ length: 6 }, (_, week) => el("tr", {}, names.map((_, index) => cell(moved(start, 0, week * 7 + index), at, chosen, choose))));
  return el("table", { role: "grid", "aria-label": at.toLocaleDateString([], { month: "long", year: "numeric" }) }, el("thead", {}, el("tr", {}, head)), el("tbody", {}, weeks));
}

function cell(one, at, chosen, choose) {
  const day = iso(one);
  const classes = [one.getMonth() === at.getMonth() ? "" : "other", day === iso(startOfToday()) ? "today" : ""].join(" ").trim();
  const button = el("button", { type: "button", class: classes || null, "data-day": day, tabindex: day === iso(at) ? "0" : "-1", "aria-label": one.toLocaleDateString([], { dateStyle: "full" }), "aria-pressed": String(day === chosen), on: { click: () => choose(day) } }, String(one.getDate()));
  return el("td", { role: "gridcell" }, button);
}

function foot(clearable, choose) {
  return el("div", { class: "calendar-foot" },
    el("button", { type: "button", class: "link-button", on: { click: () => choose(iso(startOfToday())) } }, "Today"),
    clearable ? el("button", { type: "button", class: "link-button", on: { click: () => choose(null) } }, "Clear") : null);
}

function turn(root, by) {
  const all = [...root.querySelectorAll("button")].filter((node) => node.tabIndex >= 0);
  all[(all.indexOf(document.activeElement) + by + all.length) % all.length].focus();
}

// A month on, the 31st becomes the last day there is.
function moved(at, months, days) {
  const last = new Date(at.getFullYear(), at.getMonth() + months + 1, 0).getDate();
  const day = months ? Math.min(at.getDate(), last) : at.getDate();
  return new Date(at.getFullYear(), at.getMonth() + months, day + days, 12);
}

// 0 is Sunday. Where the browser does not tell, Monday, as ISO 8601 has it.
function weekStart() {
  const locale = new Intl.Locale(navigator.language || "en");
  return ((locale.getWeekInfo?.() ?? locale.weekInfo)?.firstDay ?? 1) % 7;
}

function startOfToday() {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate(), 12);
}

function iso(at) {
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
}
