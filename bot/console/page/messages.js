// Knows how one message looks: author, time, text or blocks, files, reactions, hover actions; knows nothing of lists and panes.

import { post } from "./api.js";
import { attachment } from "./attachments.js";
import { blocks } from "./blocks.js";
import { directory } from "./directory.js";
import { el, icon, iconButton, link } from "./dom.js";
import { emoji, QUICK } from "./emoji.js";
import { fileCard } from "./filecards.js";
import { formFor } from "./forms.js";
import { openMenu } from "./menu.js";
import { mrkdwn, plain } from "./mrkdwn.js";
import { showRaw } from "./raw.js";

/** Draw a message. `view` says where: {channel, inThread, openThread(ts), dismiss(ts)}. */
export function messageNode(message, view) {
  const author = authorOf(message);
  const classes = ["message", message.is_ephemeral ? "ephemeral" : "", message.streaming ? "streaming" : "", quiet(message) ? "quiet" : ""];
  return el("li", { class: classes.filter(Boolean).join(" "), "data-ts": message.ts, "data-user": message.user || message.bot_id, tabindex: "-1", "aria-label": `${author.name}, ${clock(message.ts)}` },
    message.is_ephemeral ? el("div", { class: "only-you" }, icon("eye"), "Only visible to you") : null,
    message.subtype === "thread_broadcast" && !view.inThread ? el("div", { class: "only-you" }, icon("reply"), "Also sent from a thread") : null,
    el("div", { class: "message-grid" },
      avatar(author), el("time", { class: "gutter-time", datetime: iso(message.ts), "aria-hidden": "true" }, clock(message.ts)),
      el("div", { class: "message-main" }, heading(author, message), body(message, view), foot(message, view))),
    hoverActions(message, view));
}

/** The minute of a ts, as a clock shows it. */
export function clock(ts) {
  return when(ts).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

/** The Date of a ts. */
export function when(ts) {
  return new Date(Number(ts) * 1000);
}

/** Who wrote a message: {id, name, color, letter, isApp, picture}. */
export function authorOf(message) {
  const user = directory.user(message.user) || directory.user(message.bot_id);
  const isApp = Boolean(message.bot_id || user?.is_bot);
  const name = message.username || (user ? user.real_name || user.name : "") || message.bot_profile?.name || (isApp ? directory.app.name : "") || "Unknown";
  const own = message.user === directory.app.bot_user_id || (isApp && !message.username);
  return { id: message.user, name, color: user?.color, isApp, own, face: message.icons?.emoji ? emoji(message.icons.emoji.replaceAll(":", "")) : "" };
}

/** A square with the author's initial. */
export function avatar(author) {
  const color = author.color ? `#${String(author.color).replace(/^#/, "")}` : "";
  return el("div", { class: author.own ? "avatar agent" : "avatar", "aria-hidden": "true", "data-letter": author.face || [...author.name.trim()][0]?.toUpperCase() || "?", css: color && !author.own ? { background: color } : {} });
}

function quiet(message) {
  return ["channel_join", "channel_leave", "channel_topic", "channel_purpose", "tombstone"].includes(message.subtype);
}

function iso(ts) {
  return when(ts).toISOString();
}

function heading(author, message) {
  return el("div", { class: "who" }, el("b", {}, author.name), author.isApp ? el("span", { class: "app-tag" }, "APP") : null,
    el("time", { datetime: iso(message.ts), title: when(message.ts).toLocaleString() }, clock(message.ts)));
}

function body(message, view) {
  const form = formFor(`${view.channel}/${message.ts}`, { channel: view.channel, message_ts: message.ts });
  const hasBlocks = message.blocks?.length > 0;
  const text = hasBlocks ? blocks(message.blocks, form) : message.text ? el("div", { class: "text" }, mrkdwn(message.text)) : null;
  return el("div", { class: "message-body" }, text,
    message.edited && !message.bot_id ? el("small", { class: "edited" }, "(edited)") : null,
    (message.attachments || []).map((one) => attachment(one, form)),
    (message.files || []).map(fileCard));
}

function foot(message, view) {
  return [
    message.reactions?.length ? el("div", { class: "reactions" }, message.reactions.map((one) => reaction(one, message, view))) : null,
    !view.inThread && message.reply_count ? replies(message, view) : null,
    el("div", { class: "status-slot" }),
  ];
}

function reaction(one, message, view) {
  const mine = (one.users || []).includes(directory.me);
  const names = (one.users || []).map((id) => directory.userName(id)).join(", ");
  return el("button", { type: "button", class: "reaction", "data-action-id": `reaction-${one.name}`, "aria-pressed": String(mine), title: `${names} reacted with :${one.name}:`,
    "aria-label": `${one.count} ${one.count === 1 ? "person" : "people"} reacted with ${one.name}`, on: { click: () => react(message, view, one.name) } }, el("span", { class: "emoji" }, emoji(one.name)), el("span", {}, String(one.count)));
}

function react(message, view, name) {
  return post("react", { channel: view.channel, ts: message.ts, name });
}

function replies(message, view) {
  const last = message.latest_reply ? `last ${clock(message.latest_reply)}` : "";
  const faces = (message.reply_users || []).slice(0, 3).map((id) => avatar(authorOf({ user: id })));
  return el("button", { type: "button", class: "replies", "data-action-id": "open-thread", on: { click: () => view.openThread(message.ts) } }, faces,
    el("b", {}, `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`), el("span", {}, last));
}

function hoverActions(message, view) {
  const picker = iconButton("smile", "Add a reaction", () => openMenu(picker, QUICK.map((name) => ({ label: [el("span", { class: "emoji" }, emoji(name)), ` ${name.replaceAll("_", " ")}`], value: name, choose: () => react(message, view, name) })), "Reactions"), { "data-action-id": "add-reaction", "aria-haspopup": "menu" });
  const inThread = view.inThread || message.is_ephemeral;
  return el("div", { class: "hover-actions", role: "group", "aria-label": "Message actions" },
    message.is_ephemeral ? null : picker,
    inThread ? null : iconButton("reply", "Reply in thread", () => view.openThread(message.ts), { "data-action-id": "reply-in-thread" }),
    iconButton("code", "What Slack would receive", () => showRaw(message, view.channel), { "data-action-id": "show-raw" }),
    message.is_ephemeral ? iconButton("close", "Dismiss message", () => view.dismiss(message.ts), { "data-action-id": "dismiss" }) : null);
}
