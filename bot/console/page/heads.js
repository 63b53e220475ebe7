// Knows what stands above a conversation: its name, tabs, topic, people, and a channel's beginning; knows nothing of messages.

import { channelDetails } from "./channels.js";
import { directory } from "./directory.js";
import { el, icon, iconButton, refill } from "./dom.js";
import { shownHome } from "./home.js";
import { goChannel, goHome, goPlace, place, showPane } from "./nav.js";
import { showJson } from "./raw.js";

/** Draw the head of the middle pane for the present place. */
export function drawChannelHead(head) {
  const back = iconButton("back", "Back to the list", () => showPane("rail"), { class: "icon-button phone-only", "data-action-id": "pane-back" });
  const channel = directory.channel(place.channel);
  const ofApp = place.kind === "home" || place.kind === "about" || (place.kind === "channel" && directory.isAgent(channel));
  if (place.kind === "threads") return void refill(head, back, el("h2", {}, "Threads"));
  if (ofApp) return void refill(head, back, el("h2", {}, directory.app.name || "App"), tabs(), place.kind === "home" ? rawHome() : null);
  const details = iconButton("people", "Channel details", () => channelDetails(place.channel), { "data-action-id": "channel-details", "aria-haspopup": "dialog" });
  return void refill(head, back, el("h2", { dir: "auto" }, channel?.is_private ? [icon("lock"), channel.name] : directory.channelLabel(place.channel)), el("span", { class: "pane-topic", dir: "auto", title: topicOf(channel) || null }, topicOf(channel)), details);
}

/** Draw the head of the thread. */
export function drawThreadHead(head, closeThread) {
  const close = iconButton("close", "Close thread", closeThread, { "data-action-id": "thread-close" });
  const back = iconButton("back", "Back to the channel", closeThread, { class: "icon-button phone-only", "data-action-id": "thread-back" });
  refill(head, back, el("h2", {}, "Thread"), el("span", { class: "pane-topic", dir: "auto" }, directory.channelLabel(place.channel)), close);
}

/** What stands above a channel's first message; `pane.promptChip` makes a button that sends a first message. */
export function welcome(id, pane, isEmpty) {
  const channel = directory.channel(id);
  const app = directory.app.name || "the app";
  if (directory.isAgent(channel)) return [el("h3", {}, app), el("p", {}, "Write a message below. Each one starts a thread.")];
  if (directory.isDirect(channel)) return [el("h3", {}, directory.channelName(channel)), el("p", {}, `This is the beginning of your conversation with ${directory.channelName(channel)}.`)];
  const lines = [el("h3", {}, directory.channelLabel(id)), el("p", {}, `This is the beginning of the ${channel?.is_private ? "private channel" : "channel"}. Mention @${app} to ask something.`)];
  const forApp = `${channel?.name} ${topicOf(channel)}`.toLowerCase().includes(app.toLowerCase());
  if (!isEmpty || !forApp || !directory.prompts.length) return lines;
  // Where the channel is about the app, its first prompts are at hand here, too, with the mention that a channel needs.
  const chips = directory.prompts.map((one) => pane.promptChip(one.title, `<@${directory.app.bot_user_id}> ${one.message}`));
  return [...lines, el("div", { class: "prompts", role: "group", "aria-label": "Suggestions" }, chips)];
}

function tabs() {
  const dm = directory.agentDm();
  const tab = (label, on, go) => el("button", { type: "button", class: "tab", "aria-current": on ? "page" : null, "data-action-id": `tab-${label.toLowerCase()}`, on: { click: go } }, label);
  return el("div", { class: "tabs", role: "group", "aria-label": "Tabs of the app" }, tab("Home", place.kind === "home", goHome), dm ? tab("Messages", place.kind === "channel", () => goChannel(dm.id)) : null, tab("About", place.kind === "about", () => goPlace("about")));
}

function rawHome() {
  return iconButton("code", "What Slack would receive", () => showJson("What Slack would receive", shownHome(), "Home tab"), { "data-action-id": "show-raw" });
}

function topicOf(channel) {
  return channel?.topic?.value ?? channel?.topic ?? "";
}
