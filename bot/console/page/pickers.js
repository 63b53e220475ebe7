// Knows the elements for dates and times; knows nothing of how the calendar is drawn (calendar.js).

import { calendar, shownDay } from "./calendar.js";
import { combobox } from "./combobox.js";
import { el, icon } from "./dom.js";
import { glyph } from "./glyphs.js";
import { plain } from "./mrkdwn.js";
import { popup } from "./popup.js";

let serial = 0;

/** datepicker: value `YYYY-MM-DD`. */
export function datePicker(spec, slot) {
  const state = slot.read({ selected_date: spec.initial_date ?? null });
  return dayBox(slot.attrs(), {
    day: state.selected_date, placeholder: plain(spec.placeholder?.text).join("") || "Select a date", clearable: slot.place.optional, labelId: slot.place.labelId,
    changed: (day, node, undo) => slot.change({ selected_date: day }, node, undo),
  });
}

/** timepicker: value `HH:MM`. */
export function timePicker(spec, slot) {
  const state = slot.read({ selected_time: spec.initial_time ?? null });
  const zone = spec.timezone ? el("small", { class: "zone" }, zoneName(spec.timezone)) : null;
  const box = timeBox(slot.attrs(), {
    time: state.selected_time, placeholder: plain(spec.placeholder?.text).join("") || "Select a time", clearable: slot.place.optional,
    changed: (time, node, undo) => slot.change({ selected_time: time }, node, undo),
  });
  return zone ? el("div", { class: "picker-row" }, box, zone) : box;
}

/** datetimepicker: value in seconds since 1970, told once both a date and a time are chosen. */
export function dateTimePicker(spec, slot) {
  const state = slot.read({ selected_date_time: spec.initial_date_time ?? null });
  const chosen = { day: null, time: null };
  const set = (seconds) => {
    const at = seconds ? new Date(seconds * 1000) : null;
    chosen.day = at && isoDay(at);
    chosen.time = at && `${two(at.getHours())}:${two(at.getMinutes())}`;
  };
  set(state.selected_date_time);
  const tell = (node, undo) => {
    if (Boolean(chosen.day) !== Boolean(chosen.time)) return null;
    const at = chosen.day ? new Date(`${chosen.day}T${chosen.time}`) : null;
    return slot.change({ selected_date_time: at ? Math.floor(at.getTime() / 1000) : null }, node, undo);
  };
  const part = (name, value, node, undo) => {
    const before = chosen[name];
    chosen[name] = value;
    return tell(node, () => ((chosen[name] = before), undo()));
  };
  const { id, ...attrs } = slot.attrs({ "aria-label": null });
  const label = slot.place.label ? "" : `${slot.attrs()["aria-label"]}: `;
  return el("div", { class: "picker-row", role: "group", "aria-labelledby": slot.place.labelId || null },
    dayBox({ ...attrs, id }, { day: chosen.day, placeholder: "Select a date", clearable: slot.place.optional, labelId: slot.place.labelId, changed: (day, node, undo) => part("day", day, node, undo) }),
    timeBox({ ...attrs, "aria-label": `${label}Time` }, { time: chosen.time, placeholder: "Select a time", clearable: slot.place.optional, changed: (time, node, undo) => part("time", time, node, undo) }));
}

function dayBox(attrs, { day, placeholder, clearable, labelId, changed }) {
  const valueId = `day-${(serial += 1)}`;
  const value = el("span", { id: valueId });
  const name = labelId ? { "aria-labelledby": `${labelId} ${valueId}`, "aria-label": null } : { "aria-label": null };
  const node = el("button", { ...attrs, ...name, type: "button", class: "field picker", "aria-haspopup": "dialog", "aria-expanded": "false" }, glyph("calendar"), value, el("span", { class: "combo-arrow" }, icon("chevron")));
  const box = el("span", { class: "picker-box" }, node);
  let chosen = day;
  const draw = () => {
    value.textContent = chosen ? shownDay(chosen) : placeholder;
    node.classList.toggle("empty", !chosen);
    node.dataset.value = chosen || "";
  };
  const close = () => {
    shown.hide();
    node.setAttribute("aria-expanded", "false");
    pop.replaceChildren();
  };
  const choose = (next) => {
    const before = chosen;
    chosen = next;
    draw();
    close();
    node.focus();
    if (next !== before) changed(next, node, () => ((chosen = before), draw()));
  };
  const pop = el("div", { class: "calendar", role: "dialog", "aria-label": "Choose a date" });
  const shown = popup(node, pop, { hidden: close });
  box.append(pop);
  node.addEventListener("click", () => {
    if (shown.shown) return close();
    pop.replaceChildren(calendar({ day: chosen, clearable, choose, leave: () => (close(), node.focus()) }));
    shown.show();
    node.setAttribute("aria-expanded", "true");
    return pop.querySelector("[tabindex='0']")?.focus();
  });
  draw();
  return box;
}

function timeBox(attrs, { time, placeholder, clearable, changed }) {
  const every = Array.from({ length: 48 }, (_, index) => timeOption(`${two(Math.floor(index / 2))}:${index % 2 ? "30" : "00"}`));
  const load = async (query) => {
    const typed = parseTime(query);
    const fits = every.filter((one) => one.text.text.toLowerCase().replace(/\s/g, " ").includes(query.trim().toLowerCase()) || one.value.includes(query.trim()));
    return [{ options: typed && !fits.some((one) => one.value === typed) ? [timeOption(typed), ...fits] : fits }];
  };
  const box = combobox({ attrs, placeholder, clearable, load, chosen: time ? [timeOption(time)] : [], changed: ([one], node, undo) => changed(one?.value ?? null, node, undo) });
  box.classList.add("time");
  return box;
}

function timeOption(value) {
  const [hours, minutes] = value.split(":").map(Number);
  return { text: { type: "plain_text", text: new Date(2000, 0, 1, hours, minutes).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }) }, value };
}

// "9", "9:5", "905", "21:05", "9.05 pm"
function parseTime(text) {
  const match = /^\s*(\d{1,2})(?:[:.h]?(\d{2}))?\s*([ap])?\.?m?\.?\s*$/i.exec(text);
  if (!match) return null;
  const minutes = Number(match[2] || 0);
  let hours = Number(match[1]);
  if (match[3]) hours = (hours % 12) + (match[3].toLowerCase() === "p" ? 12 : 0);
  return hours < 24 && minutes < 60 ? `${two(hours)}:${two(minutes)}` : null;
}

function zoneName(zone) {
  try {
    return new Intl.DateTimeFormat([], { timeZone: zone, timeZoneName: "short" }).formatToParts(new Date()).find((part) => part.type === "timeZoneName").value;
  } catch {
    return zone;
  }
}

function isoDay(at) {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function two(number) {
  return String(number).padStart(2, "0");
}

