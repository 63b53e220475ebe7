// Knows how a message is edited where it stands; knows nothing of lists.

import { post } from "./api.js";
import { Completion } from "./completion.js";
import { el } from "./dom.js";
import { decode, encode } from "./typed.js";
import { shortcutKeys } from "./format.js";

/** Turn a message's body into a box; Enter saves, Esc gives up. `done()` draws the message again. */
export function editInPlace(node, message, channel, done) {
  const main = node?.querySelector(".message-main");
  if (!main || node.classList.contains("editing")) return;
  node.classList.add("editing");
  const box = el("textarea", { class: "edit-text", rows: "1", dir: "auto", "aria-label": "Edit message", "data-testid": "edit-text", "data-action-id": "edit-text" });
  box.value = decode(message.text || "");
  const save = el("button", { type: "submit", class: "button primary slim", "data-action-id": "edit-save" }, "Save");
  const cancel = el("button", { type: "button", class: "button slim", "data-action-id": "edit-cancel", on: { click: () => finish() } }, "Cancel");
  const form = el("form", { class: "composer edit" }, box, el("div", { class: "dialog-buttons" }, el("small", {}, "Esc to cancel · Enter to save"), cancel, save));
  const completion = new Completion(box, form, { commands: false });
  const fit = () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, innerHeight * 0.4)}px`;
  };
  const finish = () => {
    node.classList.remove("editing");
    done();
    document.querySelector(`.message[data-ts="${CSS.escape(message.ts)}"]`)?.focus({ preventScroll: true });
  };
  const send = async () => {
    if (!box.value.trim() || save.getAttribute("aria-busy")) return;
    save.setAttribute("aria-busy", "true");
    const answer = box.value === decode(message.text || "") || (await post("edit", { channel, ts: message.ts, text: encode(box.value.trimEnd()) }));
    save.removeAttribute("aria-busy");
    if (answer) finish();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  box.addEventListener("input", fit);
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || completion.key(event) || shortcutKeys(event, box)) return event.stopPropagation();
    if (event.key === "Escape") finish();
    else if (event.key === "Enter" && !event.shiftKey && !event.altKey) send();
    else return event.stopPropagation();
    event.preventDefault();
    return event.stopPropagation();
  });
  main.querySelector(".message-body")?.replaceWith(form);
  fit();
  box.focus({ preventScroll: true });
  box.setSelectionRange(box.value.length, box.value.length);
  node.scrollIntoView({ block: "nearest" });
}
