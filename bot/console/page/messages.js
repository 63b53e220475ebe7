// Knows how one message looks: author, time, text or blocks, files, reactions; knows nothing of lists, panes and menus.

import { post } from "./api.js";
import { attachment } from "./attachments.js";
import { blocks } from "./blocks.js";
import { directory } from "./directory.js";
import { el, icon, link } from "./dom.js";
import { emoji } from "./emoji.js";
import { fileCard } from "./filecards.js";
import { formFor } from "./forms.js";
import { mrkdwn, plain, unescape } from "./mrkdwn.js";

const CLOCK = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat([], { dateStyle: "full", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat([], { weekday: "long", month: "long", day: "numeric" });
const YEAR = new Intl.DateTimeFormat([], { weekday: "long", year: "numeric", month: "long", day: "numeric" });

/** Draw a message. `view` says where: {channel, inThread, openThread(ts), dismiss(ts), pick(anchor, message)}. */
export function messageNode(message, view) {
  const author = authorOf(message);
  const classes = ["message", message.is_ephemeral ? "ephemeral" : "", message.streaming ? "streaming" : "", quiet(message) ? "quiet" : "", message.pinned_to?.length ? "pinned" : ""];
  const said = brief(message.text || "");
  return el("li", { class: classes.filter(Boolean).join(" "), "data-ts": message.ts, "data-user": message.user || message.bot_id, tabindex: "-1", "aria-label": `${author.name}, ${clock(message.ts)}${said ? `: ${said}` : ""}` },
    note(message, view),
    el("div", { class: "message-grid" },
      avatar(author), el("time", { class: "gutter-time", datetime: iso(message.ts), "aria-hidden": "true" }, clock(message.ts)),
      el("div", { class: "message-main" }, heading(author, message), body(message, view), foot(message, view))));
}

/** The first words of a message's text, for names and previews; cheaper than drawing it. */
export function brief(text) {
  const named = text.slice(0, 400).replace(/<(@|#)(\w+)(?:\|([^<>]*))?>/g, (_, mark, id, label) => `${mark}${label || (mark === "@" ? directory.userName(id) : directory.channel(id)?.name || id)}`);
  return unescape(named.replace(/<([^<>|]+)(?:\|([^<>]*))?>/g, (_, address, label) => label || address)).replace(/\s+/g, " ").slice(0, 300).trim();
}

function note(message, view) {
  if (message.is_ephemeral) return el("div", { class: "only-you" }, icon("eye"), "Only visible to you");
  if (message.pinned_to?.length) return el("div", { class: "only-you" }, icon("pin"), "Pinned");
  if (message.subtype !== "thread_broadcast" || view.inThread) return null;
  const open = () => view.openThread(message.thread_ts);
  return el("div", { class: "only-you" }, icon("reply"), el("span", {}, "replied to ", el("button", { type: "button", class: "link-button", "data-action-id": "open-broadcast-thread", on: { click: open } }, "a thread")));
}

/** The minute of a ts, as a clock shows it. */
export function clock(ts) {
  return CLOCK.format(when(ts));
}

/** The Date of a ts. */
export function when(ts) {
  return new Date(Number(ts) * 1000);
}

/** A key of the day of a ts. */
export function dayOf(ts) {
  const date = when(ts);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

/** How people name the day of a ts. */
export function dayName(ts) {
  const date = when(ts);
  const days = Math.round((new Date(new Date().toDateString()) - new Date(date.toDateString())) / 864e5);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return (date.getFullYear() === new Date().getFullYear() ? DAY : YEAR).format(date);
}

/** "today at 9:41", "Monday, March 2 at 9:41". */
export function dayAndClock(ts) {
  const day = dayName(ts);
  return `${/^(Today|Yesterday)$/.test(day) ? day.toLowerCase() : day} at ${clock(ts)}`;
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
  return el("div", { class: "who" }, el("b", { dir: "auto" }, author.name), author.isApp ? el("span", { class: "app-tag" }, "APP") : null,
    el("time", { datetime: iso(message.ts), title: FULL.format(when(message.ts)) }, clock(message.ts)));
}

function body(message, view) {
  const form = formFor(`${view.channel}/${message.ts}`, { channel: view.channel, message_ts: message.ts });
  const hasBlocks = message.blocks?.length > 0;
  const text = hasBlocks ? blocks(message.blocks, form) : message.text ? el("div", { class: "text" }, mrkdwn(message.text)) : null;
  return el("div", { class: "message-body" }, text,
    message.edited && !message.bot_id ? el("small", { class: "edited", title: message.edited.ts ? FULL.format(when(message.edited.ts)) : null }, "(edited)") : null,
    (message.attachments || []).map((one) => attachment(one, form)),
    (message.files || []).map(fileCard));
}

function foot(message, view) {
  return [
    message.reactions?.length ? reactions(message, view) : null,
    !view.inThread && message.reply_count ? replies(message, view) : null,
    el("div", { class: "status-slot" }),
  ];
}

function reactions(message, view) {
  const add = el("button", { type: "button", class: "reaction add", "aria-label": "Add a reaction", title: "Add a reaction", "data-action-id": "add-another-reaction", "aria-haspopup": "dialog", on: { click: () => view.pick?.(add, message) } }, icon("smile"));
  return el("div", { class: "reactions" }, message.reactions.map((one) => reaction(one, message, view)), view.pick ? add : null);
}

function reaction(one, message, view) {
  const mine = (one.users || []).includes(directory.me);
  const names = (one.users || []).map((id) => directory.userName(id)).join(", ");
  return el("button", { type: "button", class: "reaction", "data-action-id": `reaction-${one.name}`, "aria-pressed": String(mine), title: `${names} reacted with :${one.name}:`,
    "aria-label": `${one.count} ${one.count === 1 ? "person" : "people"} reacted with ${one.name}`, on: { click: () => react(message, view, one.name) } }, el("span", { class: "emoji" }, emoji(one.name)), el("span", {}, String(one.count)));
}

/** Add a reaction of the acting person, or take it back. */
export function react(message, view, name) {
  return post("react", { channel: view.channel, ts: message.ts, name });
}

function replies(message, view) {
  const last = message.latest_reply ? `Last reply ${dayAndClock(message.latest_reply)}` : "";
  const faces = (message.reply_users || []).slice(0, 5).map((id) => avatar(authorOf({ user: id })));
  return el("button", { type: "button", class: "replies", "data-action-id": "open-thread", on: { click: () => view.openThread(message.ts) } }, faces,
    el("b", {}, `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`), el("span", {}, last));
}
