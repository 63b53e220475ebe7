// Knows which place the page shows (in the address's hash, so that Back works); knows nothing of what is shown there.

import { directory } from "./directory.js";
import { permalink } from "./dom.js";

const listeners = [];

/** Where we are: {kind: "channel" | "home", channel, thread}. */
export const place = { kind: "channel", channel: "", thread: null };

/** Call `listener` whenever the place changes. */
export function onPlace(listener) {
  listeners.push(listener);
}

/** Go to a channel, and perhaps a thread in it. */
export function goChannel(channel, thread = null) {
  location.hash = thread ? `${channel}/${thread}` : channel;
  showPane(thread ? "thread" : "channel");
}

/** Go to the app's Home tab. */
export function goHome() {
  location.hash = "home";
  showPane("channel");
}

/** On a phone one pane shows at a time: "rail", "channel" or "thread". */
export function showPane(name) {
  document.body.dataset.pane = name;
}

/** Start listening; reads the first place from the address. */
export function startNav() {
  const inside = permalink(location.href);
  if (inside) history.replaceState(null, "", `/${location.search}${inside}`);
  addEventListener("hashchange", read);
  read();
}

function read() {
  const [first, thread] = decodeURIComponent(location.hash.slice(1)).split("/");
  const before = { ...place };
  if (first === "home") Object.assign(place, { kind: "home", channel: agentDm()?.id || "", thread: null });
  else Object.assign(place, { kind: "channel", channel: (directory.channel(first) || firstChannel())?.id || "", thread: thread || null });
  showPane(place.thread ? "thread" : before.channel || first ? "channel" : document.body.dataset.pane);
  for (const listener of listeners) listener(place, before);
}

function firstChannel() {
  return directory.channels.find((channel) => !channel.is_im) || directory.channels[0];
}

/** The acting person's DM with the app. */
export function agentDm() {
  return directory.channels.find((channel) => directory.isAgent(channel));
}
