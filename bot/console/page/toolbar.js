// Knows what people do to a message: react, reply, edit, delete, pin, copy its link, mark it unread, use an app's shortcut.
// One bar of buttons moves to the message under the pointer or the keyboard; knows nothing of how messages are drawn.

import { post } from "./api.js";
import { confirmed } from "./confirm.js";
import { directory } from "./directory.js";
import { el, iconButton } from "./dom.js";
import { editInPlace } from "./edit.js";
import { emoji, QUICK } from "./emoji.js";
import { openMenu } from "./menu.js";
import { brief, react } from "./messages.js";
import { linkTo } from "./nav.js";
import { openPicker } from "./picker.js";
import { showRaw } from "./raw.js";
import { toast } from "./toast.js";

export class ToolBar {
  /** Watch a list of messages; `find(ts)` gives a message object. */
  constructor(list, find, view) {
    Object.assign(this, { list, find, view, bar: null });
    view.keyOn = (event, message, node) => this.key(event, message, node);
    view.pick = (anchor, message) => this.pick(anchor, message);
    list.addEventListener("pointerover", (event) => event.pointerType !== "touch" && this.on(event.target.closest(".message")));
    list.addEventListener("pointerleave", () => this.bar?.contains(document.activeElement) || this.bar?.querySelector("[aria-expanded=true]") || this.off());
    list.addEventListener("focusin", (event) => this.on(event.target.closest(".message"), true));
    list.addEventListener("contextmenu", (event) => this.context(event));
  }

  on(node, byFocus = false) {
    if (!node || node.classList.contains("editing") || this.bar?.parentNode === node) return;
    if (!byFocus && (this.bar?.contains(document.activeElement) || this.bar?.querySelector("[aria-expanded=true]"))) return;
    const message = this.find(node.dataset.ts);
    if (!message || message.subtype === "tombstone") return;
    this.off();
    this.bar = el("div", { class: "hover-actions", role: "group", "aria-label": "Message actions" }, this.buttons(message));
    node.append(this.bar);
  }

  off() {
    this.bar?.remove();
    this.bar = null;
  }

  buttons(message) {
    const { view } = this;
    const raw = iconButton("code", "What Slack would receive", () => showRaw(message, view.channel), { "data-action-id": "show-raw" });
    if (message.is_ephemeral) return [raw, iconButton("close", "Dismiss message", () => view.dismiss(message.ts), { "data-action-id": "dismiss" })];
    const quick = QUICK.slice(0, 3).map((name) => el("button", { type: "button", class: "icon-button quick", "aria-label": `React with ${name.replaceAll("_", " ")}`, title: `:${name}:`, "data-action-id": `quick-${name}`, on: { click: () => react(message, view, name) } }, emoji(name)));
    const picker = iconButton("smile", "Add a reaction", () => this.pick(picker, message), { "data-action-id": "add-reaction", "aria-haspopup": "dialog" });
    const more = iconButton("more", "More actions", () => openMenu(more, this.items(message)), { "data-action-id": "message-menu", "aria-haspopup": "menu" });
    more.classList.add("dots");
    return [quick, picker, view.inThread ? null : iconButton("reply", "Reply in thread", () => view.openThread(root(message)), { "data-action-id": "reply-in-thread" }), raw, more];
  }

  pick(anchor, message) {
    openPicker(anchor, (name) => react(message, this.view, name));
  }

  items(message) {
    const { channel } = this.view;
    const mine = message.user === directory.me;
    const pinned = message.pinned_to?.length > 0;
    const shortcuts = directory.shortcuts.filter((one) => one.type === "message");
    return [
      { label: "Mark unread", key: "U", id: "mark-unread", choose: () => this.view.markUnread?.(message) },
      { label: "Copy link", key: "L", id: "copy-link", choose: () => copy(linkTo(channel, message), "Link copied.") },
      { label: "Copy text", id: "copy-text", choose: () => copy(brief(message.text || ""), "Text copied.") },
      { label: pinned ? "Unpin" : "Pin to this conversation", key: "P", id: "pin", choose: () => pin(channel, message) },
      { label: "What Slack would receive", id: "menu-raw", choose: () => showRaw(message, channel) },
      ...(shortcuts.length ? [{ line: true }, { title: directory.app.name || "App" }, ...shortcuts.map((one) => ({ label: one.name, icon: "flash", id: `shortcut-${one.callback_id}`, choose: () => post("shortcut", { callback_id: one.callback_id, channel, message_ts: message.ts }) }))] : []),
      ...(mine ? [{ line: true }, { label: "Edit message", key: "E", id: "edit-message", choose: () => this.edit(message) }, { label: "Delete message…", key: "Del", id: "delete-message", danger: true, choose: () => this.remove(message) }] : []),
    ];
  }

  key(event, message, node) {
    const { view } = this;
    const own = message.user === directory.me && !message.is_ephemeral;
    const act = {
      Enter: () => view.inThread || message.is_ephemeral || view.openThread(root(message)),
      t: () => view.inThread || message.is_ephemeral || view.openThread(root(message)),
      ArrowRight: () => view.inThread || message.is_ephemeral || view.openThread(root(message)),
      r: () => message.is_ephemeral || this.pick(node, message),
      e: own ? () => this.edit(message) : null,
      Delete: own ? () => this.remove(message) : null,
      Backspace: own ? () => this.remove(message) : null,
      p: () => message.is_ephemeral || pin(view.channel, message),
      u: () => message.is_ephemeral || view.markUnread?.(message),
      l: () => copy(linkTo(view.channel, message), "Link copied."),
      m: () => openMenu(this.bar?.querySelector("[data-action-id=message-menu]") || node, this.items(message)),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  context(event) {
    const node = event.target.closest(".message");
    const message = node && this.find(node.dataset.ts);
    // The browser's own menu stays where text is selected or a link or field is meant.
    if (!message || message.is_ephemeral || event.target.closest("a, input, textarea, select, img, .editing") || String(getSelection())) return;
    event.preventDefault();
    this.on(node, true);
    const anchor = this.bar?.querySelector("[data-action-id=message-menu]");
    if (anchor) openMenu(anchor, this.items(message));
  }

  /** Edit one's own message where it stands. */
  edit(message) {
    const node = this.list.querySelector(`:scope > .message[data-ts="${CSS.escape(message.ts)}"]`);
    this.off();
    editInPlace(node, message, this.view.channel, () => this.view.redraw(message.ts));
  }

  async remove(message) {
    const sure = await confirmed({ title: { text: "Delete this message?" }, text: { type: "plain_text", text: `“${brief(message.text || "file").slice(0, 140)}” goes away for everyone. This can't be undone.` }, confirm: { text: "Delete" }, deny: { text: "Cancel" }, style: "danger" });
    if (sure) await post("delete", { channel: this.view.channel, ts: message.ts });
  }
}

function root(message) {
  return message.thread_ts || message.ts;
}

function pin(channel, message) {
  return post("pin", { channel, ts: message.ts });
}

/** Put a text on the clipboard and say so. */
export async function copy(text, told) {
  try {
    await navigator.clipboard.writeText(text);
    toast(told);
  } catch {
    toast("The browser did not let the page use the clipboard.", "error");
  }
}
