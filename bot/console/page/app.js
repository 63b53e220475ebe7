// Knows how the parts of the page are put together and which event goes where; knows nothing of how they draw.

import { get, post } from "./api.js";
import { Conversation } from "./conversation.js";
import { directory } from "./directory.js";
import { el, iconButton, refill } from "./dom.js";
import { openHome, shownHome, takeHomeEvent } from "./home.js";
import { startLive } from "./live.js";
import { restoreModals, takeViewEvent } from "./modal.js";
import { agentDm, goChannel, goHome, onPlace, place, showPane, startNav } from "./nav.js";
import { bumpUnread, drawRail, drawTitle, markRead } from "./rail.js";
import { hideRaw, showJson } from "./raw.js";
import { openSwitcher } from "./switcher.js";
import { toast } from "./toast.js";

const channelRoot = document.getElementById("channel");
const threadRoot = document.getElementById("thread");
const justSent = new Set();
let channelPane = null;
let threadPane = null;
let keepFocus = false;

start();

async function start() {
  directory.me = new URLSearchParams(location.search).get("user") || "";
  const boot = await get("boot");
  if (!boot) return;
  directory.load(boot);
  drawBar(boot);
  channelPane = new Conversation(channelRoot, { testid: "composer", inThread: false, name: (id) => `Messages in ${nameOf(id)}`, placeholder: (id) => `Message ${nameOf(id)}`, welcome, openThread, sent });
  threadPane = new Conversation(threadRoot, { testid: "thread-composer", inThread: true, name: () => "Thread", placeholder: () => "Reply…", welcome: () => [], openThread });
  onPlace(show);
  startNav();
  startLive(take, missed);
  restoreModals();
  document.addEventListener("keydown", shortcuts);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && seen());
}

function drawBar(boot) {
  const remote = boot.remote_endpoints || [];
  const text = boot.bar || (remote.length ? `In use on other machines: ${remote.join(", ")}` : "nothing leaves this machine");
  const node = document.getElementById("bar-text");
  node.textContent = text;
  node.classList.toggle("remote", remote.length > 0);
  if (remote.length) node.title = remote.join("\n");
  document.getElementById("switcher-button").addEventListener("click", openSwitcher);
  const select = document.getElementById("person");
  const people = directory.users.filter((user) => !user.is_bot && user.id !== "USLACKBOT");
  select.replaceChildren(...people.map((user) => el("option", { value: user.id }, user.real_name || user.name)));
  select.value = directory.me;
  select.addEventListener("change", () => location.assign(`/?user=${encodeURIComponent(select.value)}${keptHash()}`));
}

// A DM belongs to one person, so only a channel is kept when another person takes over.
function keptHash() {
  const channel = directory.channel(place.channel);
  return channel && !channel.is_im && place.kind === "channel" ? location.hash : place.kind === "home" ? "#home" : "";
}

function nameOf(id) {
  const channel = directory.channel(id);
  return channel?.is_im ? directory.channelName(channel) : `#${channel?.name || id}`;
}

async function show(now, before) {
  drawRail();
  drawTitle();
  if (now.kind === "home") {
    await drawThread(now);
    drawHead();
    channelPane.foot.hidden = true;
    await openHome(channelPane.body);
    channelPane.list = null;
    return;
  }
  const moved = before.channel !== now.channel || before.kind !== now.kind || !channelPane.list;
  channelPane.foot.hidden = false;
  drawHead();
  const loading = [moved ? openChannel(now.channel) : null, drawThread(now)];
  // Before the messages are there: a slow answer must not take the keyboard from someone who has moved on.
  const quietly = keepFocus;
  keepFocus = false;
  if (quietly) await Promise.all(loading);
  else if (now.thread && now.thread !== before.thread && !moved) threadPane.composer.focus();
  else if (moved && matchMedia("(hover: hover)").matches) channelPane.composer.focus();
  await Promise.all(loading);
}

async function openChannel(id) {
  const channel = directory.channel(id);
  if (directory.isAgent(channel)) post("home_opened", { tab: "messages" });
  await channelPane.open(id, null, channel?.unread || 0);
  seen();
}

async function drawThread(now) {
  threadRoot.hidden = !now.thread;
  document.body.classList.toggle("with-thread", Boolean(now.thread));
  if (!now.thread) return;
  const close = iconButton("close", "Close thread", closeThread, { "data-action-id": "thread-close" });
  const back = iconButton("back", "Back to the channel", closeThread, { class: "icon-button phone-only", "data-action-id": "thread-back" });
  threadPane.head.replaceChildren(back, el("h2", {}, "Thread"), el("span", { class: "pane-topic" }, nameOf(now.channel)), close);
  await threadPane.open(now.channel, now.thread);
}

function drawHead() {
  const back = iconButton("back", "Back to the list", () => showPane("rail"), { class: "icon-button phone-only", "data-action-id": "pane-back" });
  const channel = directory.channel(place.channel);
  const topic = topicOf(channel);
  const home = place.kind === "home";
  const agent = directory.isAgent(channel);
  const title = home || agent ? directory.app.name || "App" : nameOf(place.channel);
  refill(channelPane.head, back, el("h2", {}, title), home || agent ? tabs(home) : el("span", { class: "pane-topic" }, topic),
    home ? iconButton("code", "What Slack would receive", () => showJson("What Slack would receive", shownHome(), "Home tab"), { "data-action-id": "show-raw" }) : null);
}

function tabs(home) {
  const tab = (label, on, go) => el("button", { type: "button", class: "tab", "aria-current": on ? "page" : null, "data-action-id": `tab-${label.toLowerCase()}`, on: { click: go } }, label);
  return el("div", { class: "tabs", role: "group", "aria-label": "Tabs of the app" }, tab("Home", home, goHome), agentDm() ? tab("Messages", !home, () => goChannel(agentDm().id)) : null);
}

function welcome(id, pane) {
  const channel = directory.channel(id);
  const app = directory.app.name || "the app";
  if (directory.isAgent(channel)) return [el("h3", {}, app), el("p", {}, "Write a message below. Each one starts a thread.")];
  const lines = [el("h3", {}, nameOf(id)), el("p", {}, channel?.is_im ? "This is the beginning of your conversation." : `This is the beginning of the channel. Mention @${app} to ask something.`)];
  const forApp = `${channel?.name} ${topicOf(channel)}`.toLowerCase().includes(app.toLowerCase());
  if (!forApp || !directory.prompts.length) return lines;
  // Where the channel is about the app, its first prompts are at hand here, too, with the mention that a channel needs.
  const chips = directory.prompts.map((one) => pane.promptChip(one.title, `<@${directory.app.bot_user_id}> ${one.message}`));
  return [...lines, el("div", { class: "prompts", role: "group", "aria-label": "Suggestions" }, chips)];
}

function topicOf(channel) {
  return channel?.topic?.value ?? channel?.topic ?? "";
}

function openThread(ts) {
  goChannel(place.channel, ts);
}

function closeThread() {
  const ts = place.thread;
  goChannel(place.channel);
  channelPane.list?.known.get(ts)?.node.focus();
}

function sent(message, channel, thread) {
  const ts = message?.ts || message?.message?.ts;
  if (ts && !thread) justSent.add(`${channel}/${ts}`);
}

function take(event) {
  if (event.type.startsWith("view_")) return takeViewEvent(event);
  if (event.type === "home") return takeHomeEvent(event);
  if (event.type === "toast") return toast(event.text || event.message || "", event.level || "error");
  if (event.type === "reaction" || event.type === "message_changed" || event.channel) {
    if (place.kind === "channel") channelPane.take(event);
    if (place.thread) threadPane.take(event);
    if (event.type === "message" || event.type === "ephemeral") arrived(event);
  }
  return null;
}

function arrived(event) {
  const message = event.message || {};
  if (message.user === directory.me) return;
  const root = message.thread_ts && message.thread_ts !== message.ts ? message.thread_ts : null;
  // What the app begins for this person ("@Ada wants to train…") goes on in a thread, as an answer does.
  if (!root && message.bot_id && (message.text || "").includes(`<@${directory.me}>`)) justSent.add(`${event.channel}/${message.ts}`);
  followFirstAnswer(event.channel, root);
  const here = place.kind === "channel" && place.channel === event.channel && document.visibilityState === "visible";
  const channel = directory.channel(event.channel);
  if (!channel) return void reloadDirectory();
  if (here) seen();
  else if (!root || channel.is_im || message.subtype === "thread_broadcast") bumpUnread(event.channel);
}

// The first answer to what was just written opens its thread where there is room for it. The keyboard stays where it is,
// and a thread in which something is being written stays, too.
function followFirstAnswer(channel, root) {
  const key = `${channel}/${root}`;
  if (!root || !justSent.delete(key)) return;
  const fits = matchMedia("(min-width: 1000px)").matches || directory.isAgent(directory.channel(channel));
  const busy = place.thread && (threadPane.composer.input.value || threadRoot.contains(document.activeElement));
  if (!fits || busy || place.kind !== "channel" || place.channel !== channel) return;
  keepFocus = true;
  goChannel(channel, root);
}

function seen() {
  if (place.kind !== "channel" || !place.channel) return;
  const last = channelPane.list?.messages.at(-1)?.ts;
  markRead(place.channel, last);
}

async function reloadDirectory() {
  const boot = await get("boot");
  if (!boot) return;
  directory.load(boot);
  drawRail();
}

async function missed() {
  // A server that was started anew knows no page yet; asking for the page again makes this one known.
  await fetch("/").catch(() => null);
  await reloadDirectory();
  restoreModals();
  if (place.kind === "home") takeHomeEvent({});
  else channelPane.reload();
  if (place.thread) threadPane.reload();
}

function shortcuts(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) openSwitcher();
  } else if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) {
    if (!hideRaw() && place.thread) closeThread();
  }
}
