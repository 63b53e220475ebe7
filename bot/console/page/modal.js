// Knows modals: the stack of views, submit, close, errors at inputs, keyboard; knows nothing of what a view is for.

import { get, post } from "./api.js";
import { blocks, refresh } from "./blocks.js";
import { el, iconButton } from "./dom.js";
import { keepingFocus } from "./focus.js";
import { dropForm, formFor } from "./forms.js";
import { clearErrors, missing, showErrors } from "./inputs.js";
import { closeMenu } from "./menu.js";
import { plain } from "./mrkdwn.js";
import { showJson } from "./raw.js";

const FOCUSABLE = "a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled]), summary, [contenteditable], [tabindex='0']";
const FIRST = "input:not([type=hidden]):not([type=file]), textarea, button.picker, [contenteditable]";
const stack = [];
let dialog = null;
let opener = null;
let drawn = null;

/** Show the views that were open before the page was loaded. */
export async function restoreModals() {
  const answer = await get("views");
  if (!answer) return;
  stack.length = 0;
  for (const view of answer.views || []) put(view);
  draw();
}

/** Take over an event about a view: opened (or pushed), updated, closed. */
export function takeViewEvent(event) {
  if (event.type === "view_close") {
    const ids = event.view_ids || [event.view_id || event.view?.id];
    if (event.all || event.clear) closeAll();
    else ids.forEach(remove);
  } else if (event.view) {
    put(event.view);
  }
  draw();
}

function put(view) {
  const at = stack.findIndex((one) => one.id === view.id);
  if (at >= 0) stack[at] = view;
  else stack.push(view);
}

function remove(id) {
  const at = stack.findIndex((one) => one.id === id);
  if (at < 0) return;
  stack.splice(at, 1);
  dropForm(id);
}

function closeAll() {
  while (stack.length) dropForm(stack.pop().id);
}

function draw() {
  const view = stack.at(-1);
  if (!view) return shut();
  if (!dialog) open();
  if (drawn === view) return null;
  const fresh = drawn?.id !== view.id;
  drawn = view;
  dialog.dataset.viewId = view.id;
  dialog.dataset.callbackId = view.callback_id || "";
  closeMenu();
  if (fresh) {
    dialog.replaceChildren(frame(view));
    focusFirst();
  } else if (!keepingFocus(dialog, () => update(view))) {
    focusFirst();
  }
  return null;
}

function open() {
  opener = document.activeElement;
  dialog = el("dialog", { class: "dialog modal", "data-testid": "modal", "aria-labelledby": "modal-title" });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    dismiss();
  });
  dialog.addEventListener("keydown", keys);
  document.body.append(dialog);
  dialog.showModal();
}

function shut() {
  drawn = null;
  if (!dialog) return;
  dialog.close();
  dialog.remove();
  dialog = null;
  if (opener?.isConnected) opener.focus();
  else document.getElementById("composer-text")?.focus();
}

function frame(view) {
  const form = formFor(view.id, { view_id: view.id });
  const body = el("div", { class: "modal-body" }, el("div", { class: "modal-blocks" }, blocks(view.blocks, form)), el("div", { class: "error homeless", role: "alert" }));
  const node = el("form", { class: "modal-form", novalidate: true }, head(view), body, foot(view, form));
  for (const type of ["input", "kept"]) body.addEventListener(type, () => void node.querySelector("[data-action-id=modal-submit]")?.removeAttribute("disabled"));
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    if (drawn.submit) send(drawn, form, node);
  });
  return node;
}

// A newer version of the view that is shown: what was typed, and where, stays (forms.js, focus.js).
function update(view) {
  const form = formFor(view.id, { view_id: view.id });
  dialog.querySelector(".pane-head").replaceWith(head(view));
  dialog.querySelector(".modal-foot").replaceWith(foot(view, form));
  refresh(dialog.querySelector(".modal-blocks"), view.blocks, form);
  dialog.querySelector(".homeless").textContent = "";
}

function head(view) {
  const raw = iconButton("code", "What Slack would receive", () => showJson("What Slack would receive", drawn, `View ${view.id}`), { "data-action-id": "show-raw" });
  return el("header", { class: "pane-head" }, stack.length > 1 ? iconButton("back", "Back", () => dismiss(), { "data-action-id": "modal-back" }) : null,
    el("h2", { id: "modal-title" }, plain(view.title?.text)), raw, iconButton("close", "Close", () => dismiss(true), { "data-action-id": "modal-x" }));
}

function foot(view, form) {
  const waiting = Boolean(view.submit_disabled) && !form.touched;
  const submit = view.submit ? el("button", { type: "submit", class: "button primary", "data-action-id": "modal-submit", disabled: waiting }, plain(view.submit.text)) : null;
  const close = el("button", { type: "button", class: "button", "data-action-id": "modal-close", on: { click: () => dismiss() } }, plain(view.close?.text || (view.submit ? "Cancel" : "Close")));
  return el("footer", { class: "dialog-buttons modal-foot" }, close, submit);
}

async function send(view, form, node) {
  const submit = node.querySelector("[data-action-id=modal-submit]");
  if (submit.disabled || submit.getAttribute("aria-busy") === "true") return;
  complain(node, {});
  const wrong = missing(view.blocks, form.values);
  if (Object.keys(wrong).length) return void complain(node, wrong);
  submit.setAttribute("aria-busy", "true");
  const answer = await post("view_submit", { view_id: view.id, state: form.state(view.blocks) });
  node.querySelector("[data-action-id=modal-submit]")?.removeAttribute("aria-busy");
  if (!answer) return;
  if (answer.response_action === "errors" || answer.errors) return void complain(node, answer.errors || {});
  // The same comes as an event, perhaps earlier and followed by a newer update, so a view that is known is left alone.
  if (answer.response_action === "clear") closeAll();
  else if (answer.view && !stack.some((one) => one.id === answer.view.id)) put(answer.view);
  else if (!answer.response_action) remove(view.id);
  draw();
}

function complain(node, errors) {
  clearErrors(node);
  node.querySelector(".homeless").textContent = showErrors(node, errors).join(" ");
}

/** Close the top view (Esc, Cancel, Back) or, with `everything`, the whole stack. */
async function dismiss(everything = false) {
  const lowest = everything ? stack[0] : stack.at(-1);
  if (!lowest) return;
  // The server closes what stands above it, too.
  stack.slice(stack.indexOf(lowest)).forEach((view) => remove(view.id));
  draw();
  if (!(await post("view_close", { view_id: lowest.id }))) restoreModals();
}

function keys(event) {
  if (event.key === "Escape" && !event.defaultPrevented) {
    event.preventDefault();
    if (!closeMenu(true)) dismiss();
  } else if (event.key === "Tab" && !event.defaultPrevented) {
    trap(event);
  }
}

function trap(event) {
  const all = [...dialog.querySelectorAll(FOCUSABLE)].filter((node) => node.getClientRects().length && node.tabIndex >= 0);
  const [first, last] = [all[0], all.at(-1)];
  if (!first) return;
  if (event.shiftKey && (document.activeElement === first || !dialog.contains(document.activeElement))) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && (document.activeElement === last || !dialog.contains(document.activeElement))) {
    event.preventDefault();
    first.focus();
  }
}

function focusFirst() {
  const body = dialog.querySelector(".modal-body");
  const first = body.querySelector("[data-focus]") || [...body.querySelectorAll(FIRST)].find((node) => node.getClientRects().length) || dialog.querySelector("[data-action-id=modal-submit]:not([disabled]), [data-action-id=modal-close]");
  first?.focus({ preventScroll: !first.matches("[data-focus]") });
}
