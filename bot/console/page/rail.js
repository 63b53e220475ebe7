// Knows the list on the left: Home, threads, channels, direct messages, apps, unread marks; knows nothing of what is in them.

import { post } from "./api.js";
import { browseChannels, createChannel, newMessage } from "./channels.js";
import { directory } from "./directory.js";
import { el, icon, iconButton } from "./dom.js";
import { hasDraft, onDraft } from "./drafts.js";
import { openMenu } from "./menu.js";
import { authorOf, avatar } from "./messages.js";
import { goChannel, goHome, goPlace, place } from "./nav.js";
import { unreadThreads } from "./threads.js";

const folded = new Set(JSON.parse(localStorage.getItem("folded") || "[]"));
let entries = new Map();
let current = null;
let stop = null;

/** Draw the whole list; for when channels came or went. */
export function drawRail() {
  const root = document.getElementById("rail");
  const held = root.contains(document.activeElement) ? document.activeElement.dataset.actionId : "";
  const scroll = root.querySelector(".rail-scroll")?.scrollTop || 0;
  entries = new Map();
  const byName = (one, two) => directory.channelName(one).localeCompare(directory.channelName(two));
  const channels = directory.channels.filter((one) => !directory.isDirect(one)).sort(byName);
  const people = directory.channels.filter((one) => directory.isDirect(one) && !directory.isAgent(one)).sort(byName);
  const agents = directory.channels.filter((one) => directory.isAgent(one));
  const write = iconButton("edit", "New message", newMessage, { "data-action-id": "new-message", class: "icon-button compose" });
  const list = el("div", { class: "rail-scroll" },
    el("section", { "aria-label": "Overview" }, entry({ label: "Home", lead: icon("home"), go: goHome, id: "home", tip: `${directory.app.name || "App"} Home` }), entry({ label: "Threads", lead: icon("threads"), go: () => goPlace("threads"), id: "threads" })),
    group("Channels", channels.map(channelEntry), adder()),
    group("Direct messages", people.map(directEntry), iconButton("plus", "New direct message", newMessage, { "data-action-id": "add-dm" })),
    group("Apps", agents.map(directEntry)));
  root.replaceChildren(el("header", { class: "rail-head" }, el("h1", {}, directory.team.name || "Workspace"), write), list);
  list.scrollTop = scroll;
  list.addEventListener("keydown", (event) => walk(event, list));
  for (const id of entries.keys()) mark(id);
  drawPlace();
  if (held) root.querySelector(`[data-action-id="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

/** Show which entry is the present place. */
export function drawPlace() {
  const id = place.kind === "channel" ? place.channel : place.kind === "about" ? directory.agentDm()?.id : place.kind;
  current?.removeAttribute("aria-current");
  if (stop) stop.tabIndex = -1;
  const left = current?.dataset.channel;
  current = entries.get(id) || null;
  current?.setAttribute("aria-current", "page");
  current?.scrollIntoView({ block: "nearest" });
  // One entry can be reached with Tab; the arrow keys go on from there.
  stop = current || entries.values().next().value || null;
  if (stop) stop.tabIndex = 0;
  // A draft's pencil stands where the person is not.
  for (const one of [left, id]) if (one) mark(one);
  drawTitle();
}

/** Count one more unread message in a channel. */
export function bumpUnread(channelId, mentions = false) {
  const channel = directory.channel(channelId);
  if (!channel) return;
  channel.unread = (channel.unread || 0) + 1;
  if (mentions) channel.mentioned = true;
  mark(channelId);
  drawTitle();
}

/** Set what is unread in a channel, without telling the server. */
export function setUnread(channelId, count) {
  const channel = directory.channel(channelId);
  if (!channel || (channel.unread || 0) === count) return;
  channel.unread = count;
  if (!count) channel.mentioned = false;
  mark(channelId);
  drawTitle();
}

/** A channel has been seen up to `ts`; told to the server once for each ts. */
export function markRead(channelId, ts) {
  const channel = directory.channel(channelId);
  if (!channel) return;
  setUnread(channelId, 0);
  if (!ts || !(ts > (channel.readTo || ""))) return;
  channel.readTo = ts;
  post("read", { channel: channelId, ts }, true);
}

/** Threads with news, in their entry. */
export function markThreads() {
  mark("threads");
  drawTitle();
}

/** The window's title: unread messages and the place. */
export function drawTitle() {
  const unread = directory.channels.reduce((sum, one) => sum + (one.unread || 0), 0);
  const channel = directory.channel(place.channel);
  const names = { home: "Home", about: "About", threads: "Threads" };
  const name = names[place.kind] || (channel ? directory.channelLabel(channel.id) : "");
  document.title = `${unread ? `(${unread}) ` : ""}${name} · ${directory.team.name || "Local Slack"}`;
}

onDraft(mark);

// One entry's marks: bold with a number where something is unread, a pencil where something was begun.
function mark(id) {
  const node = entries.get(id);
  if (!node) return;
  const channel = directory.channel(id);
  const unread = id === "threads" ? unreadThreads() : channel?.unread || 0;
  node.classList.toggle("unread", unread > 0);
  node.querySelector(".badge")?.remove();
  node.querySelector(".pencil")?.remove();
  if (unread) node.append(el("span", { class: channel && (directory.isDirect(channel) || channel.mentioned) ? "badge for-me" : "badge" }, String(unread > 99 ? "99+" : unread), el("span", { class: "unseen" }, " unread")));
  else if (channel && hasDraft(id) && place.channel !== id) node.append(el("span", { class: "pencil", title: "Draft" }, icon("edit"), el("span", { class: "unseen" }, " draft")));
}

function group(title, nodes, add = null) {
  if (!nodes.length && !add) return null;
  const open = !folded.has(title);
  const list = el("div", { class: "rail-list", hidden: !open }, nodes);
  const fold = el("button", { type: "button", class: "rail-fold", "aria-expanded": String(open), "data-action-id": `fold-${title.toLowerCase().replaceAll(" ", "-")}` }, icon("chevron"), title);
  fold.addEventListener("click", () => {
    const now = folded.has(title) ? (folded.delete(title), true) : (folded.add(title), false);
    list.hidden = !now;
    fold.setAttribute("aria-expanded", String(now));
    localStorage.setItem("folded", JSON.stringify([...folded]));
  });
  return el("section", { "aria-label": title }, el("div", { class: "rail-title" }, el("h2", {}, fold), add), list);
}

function adder() {
  if (directory.isGuest()) return null;
  const add = iconButton("plus", "Add channels", () => openMenu(add, [{ label: "Browse channels", icon: "search", id: "browse-channels", choose: browseChannels }, { label: "Create a channel", icon: "plus", id: "create-channel", choose: () => createChannel() }], "Add channels"), { "data-action-id": "add-channel", "aria-haspopup": "menu" });
  return add;
}

function channelEntry(channel) {
  const secret = channel.is_private;
  return entry({ label: directory.channelName(channel), lead: icon(secret ? "lock" : "hash"), go: () => goChannel(channel.id), id: channel.id, note: secret ? "private channel" : "" });
}

function directEntry(channel) {
  const lead = channel.is_mpim ? el("span", { class: "count" }, String((channel.users || []).length || "")) : avatar(authorOf({ user: channel.im_user }));
  const role = directory.role(directory.user(channel.im_user));
  return entry({ label: directory.channelName(channel), lead, go: () => goChannel(channel.id), id: channel.id, tag: /guest/i.test(role) ? "guest" : "" });
}

function entry({ label, lead, go, id, tip = null, note = "", tag = "" }) {
  const node = el("button", { type: "button", class: "rail-entry", tabindex: "-1", "data-channel": id, "data-action-id": `go-${id}`, title: tip, on: { click: go } },
    el("span", { class: "lead", "aria-hidden": "true" }, lead), el("span", { class: "rail-label", dir: "auto" }, label), tag ? el("span", { class: "tag" }, tag) : null, note ? el("span", { class: "unseen" }, ` ${note}`) : null);
  entries.set(id, node);
  return node;
}

function walk(event, list) {
  const nodes = [...list.querySelectorAll(".rail-entry")].filter((node) => node.offsetParent);
  const at = nodes.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: nodes.length - 1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  nodes[Math.max(0, Math.min(nodes.length - 1, to))].focus();
}
