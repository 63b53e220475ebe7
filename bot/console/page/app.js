// Knows how the parts of the page are put together and which event goes where; knows nothing of how they draw.

import { openAbout } from "./about.js";
import { get, post } from "./api.js";
import { startChannels } from "./channels.js";
import { Conversation } from "./conversation.js";
import { directory } from "./directory.js";
import { icon } from "./dom.js";
import { addFaults } from "./faults.js";
import { drawChannelHead, drawThreadHead, welcome } from "./heads.js";
import { openHome, takeHomeEvent } from "./home.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { restoreModals, takeViewEvent } from "./modal.js";
import { goChannel, goThread, leaveThread, onPlace, place, startNav } from "./nav.js";
import { drawPerson, drawTeams } from "./people.js";
import { bumpUnread, drawPlace, drawRail, markRead, markThreads, setUnread } from "./rail.js";
import { openSwitcher } from "./switcher.js";
import { openThreads, startThreads, threadSeen, threadsChanged } from "./threads.js";
import { toast } from "./toast.js";

const ANSWER_MS = 15000;
const RENEW_MS = 200;
const threadRoot = document.getElementById("thread");
// What was just sent and has no answer yet, and what was answered before the page knew that it was sent.
const justSent = new Set();
const justAnswered = new Set();
const early = [];
let channelPane = null;
let threadPane = null;
let keepFocus = false;
let keptUnread = "";
let renewTimer = 0;

start();

async function start() {
  directory.me = new URLSearchParams(location.search).get("user") || "";
  const inside = /^\/archives\/(\w+)/.exec(location.pathname);
  const boot = await get("boot", inside ? { channel: inside[1] } : {});
  if (!boot) return void setTimeout(start, 1500);
  directory.load(boot);
  nameInAddress();
  addFaults();
  drawBar(boot);
  channelPane = new Conversation(document.getElementById("channel"), { testid: "composer", inThread: false, name: (id) => `Messages in ${directory.channelLabel(id)}`, placeholder: (id) => `Message ${directory.channelLabel(id)}`, welcome, openThread: (ts) => goThread(place.channel, ts), sent, seen, keptUnread: keepUnread });
  threadPane = new Conversation(threadRoot, { testid: "thread-composer", inThread: true, name: () => "Thread", placeholder: () => "Reply…", welcome: () => [], openThread: () => null, seen: seenThread, gone: closeThread, sent: () => threadsChanged() });
  onPlace(show);
  drawRail();
  startNav();
  startLive(take, missed);
  startKeys({ channelPane, threadPane, closeThread });
  startChannels(renewDirectory);
  startThreads(markThreads);
  restoreModals();
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && seen());
}

// A tab stays who it is when it is loaded again, whatever another tab does.
function nameInAddress() {
  const query = new URLSearchParams(location.search);
  query.set("user", directory.me);
  if (directory.teams.length > 1) query.set("team", directory.team.id);
  history.replaceState(null, "", `${location.pathname}?${query}${location.hash}`);
}

function drawBar(boot) {
  const remote = boot.remote_endpoints || [];
  const text = boot.bar || (remote.length ? `In use on other machines: ${remote.join(", ")}` : "nothing leaves this machine");
  const node = document.getElementById("bar-text");
  node.textContent = text;
  node.classList.toggle("remote", remote.length > 0);
  if (remote.length) node.title = remote.join("\n");
  const jump = document.getElementById("switcher-button");
  jump.prepend(icon("search"));
  jump.addEventListener("click", openSwitcher);
  drawPerson();
  drawTeams();
}

async function show(now, before) {
  drawPlace();
  if (before.channel !== now.channel) keptUnread = "";
  drawChannelHead(channelPane.head);
  const isChannel = now.kind === "channel";
  channelPane.foot.hidden = !isChannel;
  if (!isChannel) return showPlace(now, before);
  const moved = before.channel !== now.channel || before.kind !== now.kind || !channelPane.list;
  const inThread = Boolean(now.thread);
  const loading = [moved || (now.focus && !inThread) ? openChannel(now, moved) : null, drawThread(now)];
  // Before the messages are there: a slow answer must not take the keyboard from someone who has moved on.
  const quietly = keepFocus;
  keepFocus = false;
  if (quietly) return void (await Promise.all(loading));
  if (inThread && now.thread !== before.thread && !moved) threadPane.composer.focus();
  else if (moved && matchMedia("(hover: hover)").matches) channelPane.composer.focus();
  return void (await Promise.all(loading));
}

async function showPlace(now, before) {
  if (before.kind !== now.kind || !channelPane.body.firstChild) {
    channelPane.close();
    const open = { home: openHome, about: openAbout, threads: openThreads }[now.kind];
    await Promise.all([open(channelPane.body), drawThread(now)]);
    return;
  }
  await drawThread(now);
  if (now.thread && now.thread !== before.thread) threadPane.composer.focus();
}

async function openChannel(now, moved) {
  if (moved && directory.isAgent(directory.channel(now.channel))) post("home_opened", { tab: "messages" }, true);
  const focus = now.focus && !now.thread ? now.focus : null;
  await channelPane.open(now.channel, null, focus);
  // A link to a message that has a thread means the talk that follows it, too.
  const message = focus && place.focus === focus ? channelPane.list?.known.get(focus)?.message : null;
  if (message?.reply_count && matchMedia("(min-width: 1000px)").matches) goChannel(now.channel, focus);
  else if (focus && !message && place.focus === focus) await openLinkedReply(now);
}

// A permalink names a reply by its own ts; the channel does not show it, its thread does.
async function openLinkedReply({ channel, focus }) {
  const answer = await get("messages", { channel, thread_ts: focus, limit: 1 }, true);
  const parent = answer?.messages[0];
  if (parent && parent.ts !== focus) goChannel(channel, parent.ts, focus);
  else if (!parent) toast("That message is not here any more.");
}

async function drawThread(now) {
  threadRoot.hidden = !now.thread;
  document.body.classList.toggle("with-thread", Boolean(now.thread));
  if (!now.thread) return threadPane.close();
  drawThreadHead(threadPane.head, closeThread);
  return threadPane.open(now.channel, now.thread, now.focus);
}

function closeThread() {
  const ts = place.thread;
  leaveThread();
  const node = channelPane.list?.known.get(ts)?.node;
  if (node) node.focus({ preventScroll: true });
  else channelPane.composer.focus();
}

function take(event) {
  if (!channelPane) return void early.push(event);
  if (event.type.startsWith("view_")) return takeViewEvent(event);
  if (event.type === "home") return takeHomeEvent(event);
  if (event.type === "toast") return toast(event.text || event.message || "", event.level || "error");
  if (event.type === "read") return takeRead(event);
  if (/^(channel|member|user|team|group|im|mpim|directory)(_|s$|$)/.test(event.type)) return renewSoon();
  if (!event.channel) return null;
  if (place.kind === "channel") channelPane.take(event);
  if (place.thread) threadPane.take(event);
  if (event.type === "message" || event.type === "ephemeral") arrived(event);
  if (event.message?.thread_ts || event.thread_ts) threadsChanged();
  return null;
}

function arrived(event) {
  const message = event.message || {};
  if (message.user === directory.me) return;
  const root = message.thread_ts && message.thread_ts !== message.ts ? message.thread_ts : null;
  // What the app begins for this person ("@Ada wants to train…") goes on in a thread, as an answer does.
  const forMe = (message.text || "").includes(`<@${directory.me}>`);
  if (!root && message.bot_id && forMe) expectAnswer(`${event.channel}/${message.ts}`);
  if (root) answered(event.channel, root);
  const channel = directory.channel(event.channel);
  if (!channel) return void renewSoon();
  if (isHere(event.channel)) seen();
  else if (!root || message.subtype === "thread_broadcast") bumpUnread(event.channel, forMe);
}

function isHere(channel) {
  return place.kind === "channel" && place.channel === channel && document.visibilityState === "visible";
}

// The answer to POST and the live event race each other; whichever comes second opens the thread.
function sent(message, channel, thread) {
  const ts = message?.ts || message?.message?.ts;
  if (ts && !thread) expectAnswer(`${channel}/${ts}`);
  keptUnread = "";
  threadsChanged();
}

function expectAnswer(key) {
  if (justAnswered.delete(key)) return follow(key);
  justSent.add(key);
  return null;
}

function answered(channel, root) {
  const key = `${channel}/${root}`;
  if (justSent.delete(key)) return void follow(key);
  justAnswered.add(key);
  return void setTimeout(() => justAnswered.delete(key), ANSWER_MS);
}

// The first answer to what was just written opens its thread where there is room for it. The keyboard stays where it is,
// and a thread in which something is being written stays, too.
function follow(key) {
  const [channel, root] = key.split("/");
  const fits = matchMedia("(min-width: 1000px)").matches || directory.isAgent(directory.channel(channel));
  const busy = place.thread && (threadPane.composer.input.value || threadRoot.contains(document.activeElement));
  if (!fits || busy || place.kind !== "channel" || place.channel !== channel || place.thread === root) return;
  keepFocus = true;
  goChannel(channel, root);
}

function seen() {
  if (!isHere(place.channel) || keptUnread === place.channel) return;
  const { list } = channelPane;
  if (list && channelPane.channel === place.channel && !list.hasNewer) markRead(place.channel, list.last?.ts);
}

function seenThread() {
  const { list, channel, thread } = threadPane;
  if (!list?.last || document.visibilityState !== "visible") return;
  threadSeen(channel, thread);
  post("read", { channel, thread_ts: thread, ts: list.last.ts }, true);
}

// Kept unread until the person comes back to it.
function keepUnread(channel, count) {
  keptUnread = channel;
  const known = directory.channel(channel);
  if (known) known.readTo = "";
  setUnread(channel, Math.max(1, count));
}

// The person read, or marked as unread, in another tab.
function takeRead(event) {
  if (event.thread_ts) return threadsChanged();
  if (event.channel === keptUnread) return null;
  if (typeof event.unread === "number" && (!isHere(event.channel) || event.unread === 0)) setUnread(event.channel, event.unread);
  return null;
}

function renewSoon() {
  clearTimeout(renewTimer);
  renewTimer = setTimeout(renewDirectory, RENEW_MS);
}

async function renewDirectory() {
  const boot = await get("boot", {}, true);
  if (!boot) return;
  directory.load(boot);
  drawRail();
  drawChannelHead(channelPane.head);
  if (isHere(place.channel)) seen();
}

// After a lost connection everything is asked for again; on the first one only what changed since it was asked for.
async function missed(seq) {
  while (early.length) take(early.shift());
  const stale = (pane) => pane.list && !pane.held && seq !== null && pane.seq !== undefined && pane.seq !== seq;
  if (seq !== null) {
    if (stale(channelPane)) channelPane.reload();
    if (place.thread && stale(threadPane)) threadPane.reload();
    return;
  }
  // A server that was started anew knows no page yet; asking for the page again makes this one known.
  await fetch("/").catch(() => null);
  await renewDirectory();
  restoreModals();
  threadsChanged();
  if (place.kind === "home") takeHomeEvent({});
  else if (place.kind === "channel") channelPane.reload();
  if (place.thread) threadPane.reload();
}
