// Knows which place the page shows (in the address's hash, so that Back works); knows nothing of what is shown there.

import { directory } from "./directory.js";
import { permalink } from "./dom.js";

const listeners = [];
const PLACES = ["home", "about", "threads"];

/** Where we are: {kind: "channel" | "home" | "about" | "threads", channel, thread, focus}; focus is a message to point out. */
export const place = { kind: "channel", channel: "", thread: null, focus: null };

/** Call `listener(place, before)` whenever the place changes. */
export function onPlace(listener) {
  listeners.push(listener);
}

/** Go to a channel, and perhaps a thread in it, and perhaps to one message. */
export function goChannel(channel, thread = null, focus = null) {
  location.hash = [channel, ...(thread || focus ? [thread || ""] : []), ...(focus ? [focus] : [])].join("/");
  showPane(thread ? "thread" : "channel");
}

/** Open a thread beside what is shown; from the list of threads, the list stays. */
export function goThread(channel, thread) {
  if (place.kind !== "threads") return goChannel(channel, thread);
  location.hash = `threads/${channel}/${thread}`;
  return showPane("thread");
}

/** Close the thread. */
export function leaveThread() {
  if (place.kind === "threads") location.hash = "threads";
  else location.hash = place.channel;
  showPane("channel");
}

/** Go to the app's Home tab. */
export function goHome() {
  goPlace("home");
}

/** Go to "home", "about" or "threads". */
export function goPlace(kind) {
  location.hash = kind;
  showPane("channel");
}

/** On a phone one pane shows at a time: "rail", "channel" or "thread". */
export function showPane(name) {
  document.body.dataset.pane = name;
}

/** The address of a message, as Slack's permalinks are written. */
export function linkTo(channel, message) {
  const inThread = message.thread_ts && message.thread_ts !== message.ts ? `?thread_ts=${message.thread_ts}&cid=${channel}` : "";
  return `${location.origin}/archives/${channel}/p${message.ts.replace(".", "")}${inThread}`;
}

/** Start listening; reads the first place from the address. */
export function startNav() {
  const inside = permalink(location.href);
  if (inside) history.replaceState(null, "", `/${location.search.replace(/[?&](thread_ts|cid)=[^&]*/g, "").replace(/^&/, "?")}${inside}`);
  addEventListener("hashchange", read);
  read();
}

function read() {
  const parts = decodeURIComponent(location.hash.slice(1)).split("/");
  const before = { ...place };
  if (parts[0] === "threads") Object.assign(place, { kind: "threads", channel: parts[1] || "", thread: parts[2] || null, focus: null });
  else if (PLACES.includes(parts[0])) Object.assign(place, { kind: parts[0], channel: directory.agentDm()?.id || "", thread: null, focus: null });
  else Object.assign(place, { kind: "channel", channel: (directory.channel(parts[0]) || firstChannel())?.id || "", thread: parts[1] || null, focus: parts[2] || null });
  showPane(place.thread ? "thread" : before.channel || parts[0] ? "channel" : document.body.dataset.pane);
  for (const listener of listeners) listener(place, before);
}

function firstChannel() {
  return directory.channels.find((channel) => !directory.isDirect(channel)) || directory.channels[0];
}
