// Knows the elements people type into; knows nothing of labels, hints and errors around them (inputs.js).

import { el } from "./dom.js";
import { files } from "./fileinput.js";
import { plain } from "./mrkdwn.js";
import { datePicker, dateTimePicker, timePicker } from "./pickers.js";
import { richInput } from "./richinput.js";

const PAUSE_MS = 250;

export const FIELDS = {
  plain_text_input: text,
  email_text_input: (spec, slot) => text(spec, slot, { type: "email", inputmode: "email", autocomplete: "email" }),
  url_text_input: (spec, slot) => text(spec, slot, { type: "url", inputmode: "url" }),
  // A text box, as a number box would swallow what is not a number instead of letting it be complained about.
  number_input: (spec, slot) => text(spec, slot, { inputmode: spec.is_decimal_allowed ? "decimal" : "numeric", class: "field number" }),
  rich_text_input: (spec, slot) => richInput(spec, slot, keepTyping),
  datepicker: datePicker,
  timepicker: timePicker,
  datetimepicker: dateTimePicker,
  file_input: files,
};

function text(spec, slot, kind = {}) {
  const state = slot.read({ value: spec.initial_value ?? null });
  const shared = slot.attrs({ class: "field", placeholder: plain(spec.placeholder?.text).join("") || null, "aria-label": slot.place.label ? null : plain(spec.placeholder?.text).join("") || "Text" });
  const node = spec.multiline ? el("textarea", { ...shared, rows: "4" }) : el("input", { ...shared, type: "text", autocomplete: "off", ...kind });
  node.value = state.value ?? "";
  keepTyping(spec, slot, node, () => ({ value: node.value === "" ? null : node.value }));
  if (!spec.max_length) return node;
  return el("div", { class: spec.multiline ? "counted tall" : "counted" }, node, counter(node, spec.max_length));
}

// Slack counts down and lets people write past the end, in red, rather than cutting off what they paste.
function counter(node, most) {
  const left = el("span", { class: "counter", role: "status" });
  const count = () => {
    const rest = most - node.value.length;
    left.textContent = rest <= Math.max(20, most / 5) ? String(rest) : "";
    left.classList.toggle("over", rest < 0);
    left.setAttribute("aria-label", `${rest} characters left`);
  };
  node.addEventListener("input", count);
  count();
  return left;
}

// Keeps what is typed; sends it as an action where the input block asks for that.
function keepTyping(spec, slot, node, read) {
  const triggers = spec.dispatch_action_config?.trigger_actions_on || ["on_enter_pressed"];
  let waiting = null;
  node.addEventListener("input", () => {
    slot.keep(read());
    if (slot.place.silent || !triggers.includes("on_character_entered")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => slot.change(read(), node), PAUSE_MS);
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || slot.place.silent || !triggers.includes("on_enter_pressed")) return;
    if (event.shiftKey || (node.isContentEditable && !spec.dispatch_action_config)) return;
    event.preventDefault();
    clearTimeout(waiting);
    slot.change(read(), node);
  });
}
