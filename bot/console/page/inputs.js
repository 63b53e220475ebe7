// Knows input blocks: label, hint, error and what must be filled in; knows nothing of single elements.

import { el } from "./dom.js";
import { element } from "./elements.js";
import { plain } from "./mrkdwn.js";

const MANY = ["selected_options", "selected_users", "selected_channels", "selected_conversations", "files"];
let serial = 0;

/** Draw an input block. */
export function inputBlock(block, form) {
  const id = `input-${(serial += 1)}`;
  const grouped = ["radio_buttons", "checkboxes"].includes(block.element?.type);
  const place = { id: grouped ? null : id, labelId: `${id}-label`, label: true, describedBy: `${id}-hint ${id}-error`, silent: !block.dispatch_action };
  const label = el(grouped ? "div" : "label", { class: "label", id: `${id}-label`, for: grouped ? null : id }, plain(block.label?.text), block.optional ? el("small", {}, " (optional)") : null);
  const error = el("div", { class: "error", id: `${id}-error`, role: "alert" });
  const node = el("div", { class: "input" }, label, element(block.element || {}, block, form, 0, place),
    el("div", { class: "hint", id: `${id}-hint` }, block.hint ? plain(block.hint.text) : null), error);
  const clear = () => {
    error.textContent = "";
    node.classList.remove("wrong");
  };
  node.addEventListener("input", clear);
  node.addEventListener("kept", clear);
  return node;
}

/** Put errors ({block_id: text}) at their inputs, focus the first, and return those that have no input here. */
export function showErrors(root, errors) {
  const homeless = [];
  let first = null;
  for (const [blockId, text] of Object.entries(errors)) {
    const input = [...root.querySelectorAll(".block.input")].find((node) => node.dataset.blockId === blockId)?.querySelector(".input");
    if (!input) {
      homeless.push(String(text));
      continue;
    }
    input.classList.add("wrong");
    input.querySelector(".error").textContent = String(text);
    first ??= input.querySelector("input, textarea, select");
    for (const control of input.querySelectorAll("input, textarea, select")) control.setAttribute("aria-invalid", "true");
  }
  first?.focus();
  return homeless;
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
    number_input: () => numberProblem(spec, value),
    email_text_input: () => (/^\S+@\S+\.\S+$/.test(value) ? "" : "Enter a valid email address."),
    url_text_input: () => (/^https?:\/\/\S+$/.test(value) ? "" : "Enter a full address that starts with http:// or https://."),
    plain_text_input: () => lengthProblem(spec, value),
  };
  return checks[spec.type]?.() || "";
}

function numberProblem(spec, value) {
  const number = Number(value);
  if (Number.isNaN(number)) return "Enter a number.";
  if (!spec.is_decimal_allowed && !Number.isInteger(number)) return "Enter a whole number.";
  if (spec.min_value !== undefined && number < Number(spec.min_value)) return `Enter ${spec.min_value} or more.`;
  if (spec.max_value !== undefined && number > Number(spec.max_value)) return `Enter ${spec.max_value} or less.`;
  return "";
}

function lengthProblem(spec, value) {
  if (spec.min_length && value.length < spec.min_length) return `Write at least ${spec.min_length} characters.`;
  if (spec.max_length && value.length > spec.max_length) return `Write at most ${spec.max_length} characters.`;
  return "";
}
