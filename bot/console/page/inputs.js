// Knows input blocks: label, hint, error and what must be filled in; knows nothing of single elements.

import { el } from "./dom.js";
import { element } from "./elements.js";
import { plain } from "./mrkdwn.js";

const MANY = ["selected_options", "selected_users", "selected_channels", "selected_conversations", "files"];
const GROUPED = ["radio_buttons", "checkboxes", "datetimepicker"];
const CONTROLS = "input, textarea, button.picker, [contenteditable]";
const TEXT_MOST = 3000;
let serial = 0;

/** Draw an input block. */
export function inputBlock(block, form) {
  const id = `input-${(serial += 1)}`;
  const kind = block.element?.type;
  const grouped = GROUPED.includes(kind);
  const place = { id: grouped ? null : id, labelId: `${id}-label`, label: true, describedBy: `${id}-hint ${id}-error`, silent: !block.dispatch_action, optional: Boolean(block.optional) };
  const label = el(grouped || kind === "rich_text_input" ? "div" : "label", { class: "label", id: `${id}-label`, for: grouped ? null : id }, plain(block.label?.text), block.optional ? el("small", {}, " (optional)") : null);
  const error = el("div", { class: "error", id: `${id}-error`, role: "alert" });
  const node = el("div", { class: "input" }, label, element(block.element || {}, block, form, 0, place),
    el("div", { class: "hint", id: `${id}-hint` }, block.hint ? plain(block.hint.text) : null), error);
  if (kind === "rich_text_input") label.addEventListener("click", () => node.querySelector("[contenteditable]").focus());
  node.addEventListener("input", () => clear(node));
  node.addEventListener("kept", () => clear(node));
  return node;
}

function clear(node) {
  node.querySelector(":scope > .error").textContent = "";
  node.classList.remove("wrong");
  for (const control of node.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
}

/** Put errors ({block_id: text}) at their inputs, focus the first, and return those that have no input here. */
export function showErrors(root, errors) {
  const inputs = [...root.querySelectorAll(".block.input")];
  const wrong = inputs.filter((node) => Object.hasOwn(errors, node.dataset.blockId));
  for (const node of wrong) {
    const input = node.querySelector(".input");
    input.classList.add("wrong");
    input.querySelector(":scope > .error").textContent = String(errors[node.dataset.blockId]);
    for (const control of input.querySelectorAll(CONTROLS)) control.setAttribute("aria-invalid", "true");
  }
  wrong[0]?.querySelector(CONTROLS)?.focus();
  const homes = new Set(wrong.map((node) => node.dataset.blockId));
  return Object.entries(errors).filter(([id]) => !homes.has(id)).map(([, text]) => String(text));
}

/** Take all errors away again. */
export function clearErrors(root) {
  for (const node of root.querySelectorAll(".input.wrong")) clear(node);
}

/** What Slack's own client would refuse before it sends: {block_id: text}. */
export function missing(blocks, values) {
  const errors = {};
  (blocks || []).forEach((block, index) => {
    if (block.type !== "input") return;
    const id = block.block_id || `block-${index}`;
    const value = Object.values(values[id] || {})[0] || {};
    const problem = empty(value) ? (block.optional ? "" : "Please complete this required field.") : broken(block.element, value);
    if (problem) errors[id] = problem;
  });
  return errors;
}

function empty(value) {
  const content = Object.entries(value).filter(([name]) => name !== "type");
  return content.every(([name, one]) => one === null || one === undefined || one === "" || (MANY.includes(name) && one.length === 0));
}

function broken(spec, { value }) {
  if (typeof value !== "string") return "";
  const checks = {
    number_input: () => numberProblem(spec, value.trim()),
    email_text_input: () => (/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(value) ? "" : "Please enter a valid email address."),
    url_text_input: () => (/^https?:\/\/\S+$/.test(value) ? "" : "Please enter a valid URL."),
    plain_text_input: () => lengthProblem(spec, value),
  };
  return Object.hasOwn(checks, spec.type) ? checks[spec.type]() : "";
}

function numberProblem(spec, value) {
  if (!(spec.is_decimal_allowed ? /^-?\d+(\.\d+)?$/ : /^-?\d+$/).test(value)) return spec.is_decimal_allowed ? "Please enter a number." : "Please enter a whole number.";
  const number = Number(value);
  if (spec.min_value !== undefined && number < Number(spec.min_value)) return `Please enter a number of at least ${spec.min_value}.`;
  if (spec.max_value !== undefined && number > Number(spec.max_value)) return `Please enter a number of at most ${spec.max_value}.`;
  return "";
}

function lengthProblem(spec, value) {
  const most = spec.max_length || TEXT_MOST;
  if (spec.min_length && value.length < spec.min_length) return `Please enter at least ${spec.min_length} characters.`;
  if (value.length > most) return `Please enter no more than ${most} characters.`;
  return "";
}
