// Knows the emoji picker: search, groups, arrow keys; knows nothing of what the emoji is for.

import { el } from "./dom.js";
import { emoji, emojiLike, groups, QUICK } from "./emoji.js";

const ACROSS = 9;
let dialog = null;

/** Open the picker near `anchor`; `choose(name)` gets the name without colons. */
export function openPicker(anchor, choose) {
  closePicker();
  const search = el("input", { type: "text", class: "field", placeholder: "Search emoji", "aria-label": "Search emoji", autocomplete: "off", "data-action-id": "emoji-search" });
  const grid = el("div", { class: "emoji-grid", role: "group", "aria-label": "Emoji", tabindex: "0" });
  const name = el("div", { class: "emoji-name", "aria-hidden": "true" });
  const finish = (chosen) => {
    closePicker();
    if (anchor.isConnected) anchor.focus({ preventScroll: true });
    if (chosen) choose(chosen);
  };
  const button = (one) => el("button", { type: "button", class: "emoji-cell", tabindex: "-1", "aria-label": one.name.replaceAll("_", " "), "data-value": one.name, "data-action-id": `emoji-${one.name}`, on: { click: () => finish(one.name) } }, one.face);
  const draw = () => {
    const word = search.value.trim().replace(/^:|:$/g, "");
    const found = word ? [{ title: "Found", items: emojiLike(word, 90) }] : [{ title: "Frequently used", items: QUICK.map((one) => ({ name: one, face: emoji(one) })) }, ...groups];
    grid.replaceChildren(...found.filter((one) => one.items.length).map((one) => el("section", { "aria-label": one.title }, el("h3", {}, one.title), el("div", { class: "emoji-cells" }, one.items.map(button)))));
    if (!grid.firstChild) grid.append(el("p", { class: "fine" }, `No emoji is called “${word}”.`));
  };
  dialog = el("dialog", { class: "dialog picker", "data-testid": "emoji-picker", "aria-label": "Choose an emoji" }, search, grid, name);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    finish(null);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && finish(null));
  dialog.addEventListener("keydown", (event) => keys(event, search, grid, finish));
  const tell = (event) => void (name.textContent = event.target.dataset?.value ? `${event.target.textContent}  :${event.target.dataset.value}:` : "");
  grid.addEventListener("focusin", tell);
  grid.addEventListener("pointerover", tell);
  search.addEventListener("input", draw);
  (anchor.closest("dialog") || document.body).append(dialog);
  draw();
  dialog.showModal();
  put(anchor);
  search.focus();
}

function closePicker() {
  dialog?.close();
  dialog?.remove();
  dialog = null;
}

function keys(event, search, grid, finish) {
  const cells = [...grid.querySelectorAll(".emoji-cell")];
  const at = cells.indexOf(document.activeElement);
  if (event.key === "Enter" && document.activeElement === search) {
    event.preventDefault();
    if (cells[0]) finish(cells[0].dataset.value);
    return;
  }
  const step = { ArrowDown: at < 0 ? 1 : ACROSS, ArrowUp: -ACROSS, ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step || (document.activeElement === search && event.key !== "ArrowDown")) return;
  event.preventDefault();
  if (at + step < 0) search.focus();
  else cells[Math.min(cells.length - 1, at + step)]?.focus();
}

function put(anchor) {
  const box = anchor.getBoundingClientRect();
  const size = dialog.getBoundingClientRect();
  const below = box.bottom + 6 + size.height < innerHeight;
  dialog.style.top = `${Math.max(8, below ? box.bottom + 6 : Math.min(box.top - size.height - 6, innerHeight - size.height - 8))}px`;
  dialog.style.left = `${Math.max(8, Math.min(box.right - size.width, innerWidth - size.width - 8))}px`;
}
