// Knows a text box with a list of options under it, for one or several choices; knows nothing of Slack's state format.

import { el, iconButton } from "./dom.js";
import { plain } from "./mrkdwn.js";

let serial = 0;

/**
 * Build it. `load(query)` resolves to Slack options, `changed(chosen, node)` hears every change.
 * With `multiple` the choices stand as chips before the box, otherwise the one choice is the box's text.
 */
export function combobox({ attrs, multiple, most, placeholder, chosen, load, changed, hint }) {
  const id = `list-${(serial += 1)}`;
  const input = el("input", { ...attrs, type: "text", class: "combo-input", role: "combobox", autocomplete: "off", placeholder: placeholder || "Choose", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list" });
  const list = el("div", { id, class: "combo-list", role: "listbox", hidden: true, "aria-multiselectable": multiple ? "true" : null });
  const chips = el("span", { class: "combo-chips" });
  const box = el("div", { class: "combo" }, chips, input, list);
  const state = { chosen: [...chosen], options: [], active: -1, asked: 0 };

  const draw = () => {
    if (multiple) chips.replaceChildren(...state.chosen.map(chip));
    else input.value = plain(state.chosen[0]?.text?.text).join("");
  };
  const chip = (one) => el("span", { class: "chip-choice" }, plain(one.text?.text), iconButton("close", `Remove ${one.text?.text}`, () => drop(one)));
  const announceChange = () => {
    draw();
    changed([...state.chosen], input);
  };
  const drop = (one) => {
    state.chosen = state.chosen.filter((other) => other.value !== one.value);
    announceChange();
    input.focus();
  };
  const choose = (one) => {
    const has = state.chosen.some((other) => other.value === one.value);
    if (!multiple) state.chosen = [one];
    else if (has) state.chosen = state.chosen.filter((other) => other.value !== one.value);
    else if (!most || state.chosen.length < most) state.chosen = [...state.chosen, one];
    if (multiple) input.value = "";
    announceChange();
    if (multiple) open("");
    else close();
  };
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    if (!multiple) draw();
  };
  const open = async (query) => {
    const asked = (state.asked += 1);
    const options = await load(query);
    if (asked !== state.asked || !box.contains(document.activeElement)) return;
    state.options = options;
    state.active = options.length ? 0 : -1;
    list.replaceChildren(...(options.length ? options.map(row) : [el("div", { class: "combo-empty" }, query || !hint ? "No matches" : hint)]));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark();
  };
  const row = (one, index) => {
    const on = state.chosen.some((other) => other.value === one.value);
    const node = el("div", { id: `${id}-${index}`, role: "option", class: "combo-option", "aria-selected": String(on), "data-value": one.value }, plain(one.text?.text));
    node.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      choose(one);
    });
    return node;
  };
  const mark = () => {
    [...list.children].forEach((node, index) => node.classList.toggle("active", index === state.active));
    const active = list.children[state.active];
    if (state.active >= 0 && active) {
      input.setAttribute("aria-activedescendant", active.id);
      active.scrollIntoView({ block: "nearest" });
    }
  };
  const keys = (event) => {
    const shown = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!shown) return open(multiple ? input.value : "");
      const step = event.key === "ArrowDown" ? 1 : -1;
      state.active = (state.active + step + state.options.length) % Math.max(1, state.options.length);
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (shown && state.options[state.active]) choose(state.options[state.active]);
      else open(multiple ? input.value : "");
    } else if (event.key === "Escape" && shown) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Backspace" && multiple && !input.value && state.chosen.length) {
      drop(state.chosen.at(-1));
    }
    return null;
  };
  input.addEventListener("keydown", keys);
  input.addEventListener("input", () => open(input.value));
  input.addEventListener("click", () => list.hidden && open(multiple ? input.value : ""));
  input.addEventListener("blur", close);
  draw();
  return box;
}
