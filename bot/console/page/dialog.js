// Knows how the page's own dialogs open, close and give the keyboard back; knows nothing of what they ask.

import { el, iconButton } from "./dom.js";

/**
 * Open a dialog. `make(close)` gives its body and may give a footer: {body, foot, submit}. `close(value)` ends it;
 * the promise resolves to the value, or null after Esc, the cross or a click beside it.
 */
export function openDialog({ title, testid, className = "", make }) {
  return new Promise((resolve) => {
    const opener = document.activeElement;
    const close = (value = null) => {
      if (!dialog.isConnected) return;
      dialog.close();
      dialog.remove();
      if (opener?.isConnected) opener.focus({ preventScroll: true });
      resolve(value);
    };
    const { body, foot = null, submit = null } = make(close);
    const form = el("form", { class: "modal-form", novalidate: true },
      el("header", { class: "pane-head" }, el("h2", { id: `${testid}-title` }, title), iconButton("close", "Close", () => close(), { "data-action-id": `${testid}-close` })),
      el("div", { class: "modal-body" }, body), foot ? el("footer", { class: "dialog-buttons" }, foot) : null);
    const dialog = el("dialog", { class: `dialog modal own ${className}`, "data-testid": testid, "aria-labelledby": `${testid}-title` }, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit?.();
    });
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      close();
    });
    dialog.addEventListener("pointerdown", (event) => event.target === dialog && close());
    document.body.append(dialog);
    dialog.showModal();
    (dialog.querySelector("[autofocus]") || dialog.querySelector(".modal-body :is(input, button, a, select, textarea)") || dialog.querySelector("button")).focus();
  });
}

/** A labelled field. */
export function field(label, input, hint = "") {
  return el("label", { class: "own-field" }, el("span", {}, label), input, hint ? el("small", {}, hint) : null);
}

/** Buttons of a dialog: Cancel and what it is for. */
export function buttons(close, label, id) {
  return [el("button", { type: "button", class: "button", on: { click: () => close() } }, "Cancel"), el("button", { type: "submit", class: "button primary", "data-action-id": id }, label)];
}
