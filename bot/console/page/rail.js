// Knows the left rail: workspace, Home, channels, direct messages, unread marks; knows nothing of what is in them.

import { post } from "./api.js";
import { directory } from "./directory.js";
import { el, icon, refill } from "./dom.js";
import { authorOf, avatar } from "./messages.js";
import { goChannel, goHome, place } from "./nav.js";

/** Draw the rail for the present place. */
export function drawRail() {
  const root = document.getElementById("rail");
  const channels = directory.channels.filter((one) => !one.is_im);
  const people = directory.channels.filter((one) => one.is_im && !directory.isAgent(one));
  const agents = directory.channels.filter((one) => directory.isAgent(one));
  refill(root,
    el("h1", {}, directory.team.name || "Workspace"),
    entry({ label: "Home", lead: icon("home"), on: place.kind === "home", go: goHome, id: "home" }),
    group("Channels", channels.map((one) => channelEntry(one, el("span", { class: one.is_private ? "hash private" : "hash" })))),
    group("Direct messages", people.map((one) => channelEntry(one, avatar(authorOf({ user: one.im_user }))))),
    group("Agents", agents.map((one) => channelEntry(one, avatar(authorOf({ user: one.im_user }))))));
}

/** Count one more unread message in a channel. */
export function bumpUnread(channelId) {
  const channel = directory.channel(channelId);
  if (!channel) return;
  channel.unread = (channel.unread || 0) + 1;
  drawRail();
  drawTitle();
}

/** A channel has been seen up to `ts`. */
export function markRead(channelId, ts) {
  const channel = directory.channel(channelId);
  if (channel?.unread) {
    channel.unread = 0;
    drawRail();
  }
  drawTitle();
  if (ts) post("read", { channel: channelId, ts });
}

/** The window's title: unread messages and the place. */
export function drawTitle() {
  const unread = directory.channels.reduce((sum, one) => sum + (one.unread || 0), 0);
  const channel = directory.channel(place.channel);
  const name = place.kind === "home" ? "Home" : channel ? `${channel.is_im ? "" : "#"}${directory.channelName(channel)}` : "";
  document.title = `${unread ? `(${unread}) ` : ""}${name} · ${directory.team.name || "Local Slack"}`;
}

function group(title, entries) {
  return entries.length ? el("section", { "aria-label": title }, el("h2", {}, title), entries) : null;
}

function channelEntry(channel, lead) {
  const label = directory.channelName(channel);
  return entry({ label, lead, unread: channel.unread, on: place.kind === "channel" && place.channel === channel.id, go: () => goChannel(channel.id), id: channel.id });
}

function entry({ label, lead, unread, on, go, id }) {
  return el("button", { type: "button", class: unread ? "rail-entry unread" : "rail-entry", "aria-current": on ? "page" : null, "data-channel": id, "data-action-id": `go-${id}`, on: { click: go } },
    el("span", { class: "lead", "aria-hidden": "true" }, lead), el("span", { class: "rail-label" }, label), unread ? el("span", { class: "badge" }, String(unread), el("span", { class: "unseen" }, " unread")) : null);
}
