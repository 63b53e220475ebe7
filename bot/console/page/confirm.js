// Knows how to ask "are you sure?" with a confirm object; knows nothing of what happens next.

import { el } from "./dom.js";
import { plain, textObject } from "./mrkdwn.js";

/** Ask; resolves to whether the person agreed. Esc and the backdrop mean no. */
export function confirmed(spec) {
  return new Promise((resolve) => {
    const opener = document.activeElement;
    const agree = el("button", { type: "button", class: `button ${spec.style === "danger" ? "danger filled" : "primary"}`, "data-action-id": "confirm-yes" }, plain(spec.confirm?.text || "Yes"));
    const deny = el("button", { type: "button", class: "button", "data-action-id": "confirm-no" }, plain(spec.deny?.text || "Cancel"));
    const dialog = el("dialog", { class: "dialog small", "data-testid": "confirm", role: "alertdialog", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
      el("h2", { id: "confirm-title" }, plain(spec.title?.text || "Are you sure?")),
      el("div", { class: "text", id: "confirm-text" }, textObject(spec.text)),
      el("div", { class: "dialog-buttons" }, deny, agree));
    const finish = (answer) => {
      dialog.close();
      dialog.remove();
      opener?.focus?.();
      resolve(answer);
    };
    agree.addEventListener("click", () => finish(true));
    deny.addEventListener("click", () => finish(false));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      finish(false);
    });
    dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
    document.body.append(dialog);
    dialog.showModal();
    deny.focus();
  });
}
