// Knows the dialogs about conversations: browse, create, details, members, a new direct message; knows nothing of messages.

import { get, post } from "./api.js";
import { buttons, field, openDialog } from "./dialog.js";
import { directory } from "./directory.js";
import { el, icon } from "./dom.js";
import { authorOf, avatar } from "./messages.js";
import { goChannel } from "./nav.js";
import { toast } from "./toast.js";

const MOST_ROWS = 60;
let renew = async () => null;

/** `again()` reads the workspace anew after something was made here. */
export function startChannels(again) {
  renew = again;
}

/** All channels that one may join. */
export async function browseChannels() {
  const answer = await get("browse");
  if (!answer) return;
  const search = el("input", { type: "text", class: "field", placeholder: "Search channels", "aria-label": "Search channels", autofocus: true, "data-action-id": "browse-search" });
  const list = el("ul", { class: "rows", "aria-label": "Channels" });
  const draw = (close) => {
    const word = search.value.trim().toLowerCase().replace(/^#/, "");
    const fits = answer.channels.filter((one) => !one.is_archived && `${one.name} ${one.topic}`.toLowerCase().includes(word));
    const found = [...fits.filter((one) => one.name.includes(word)), ...fits.filter((one) => !one.name.includes(word))];
    list.replaceChildren(...found.slice(0, MOST_ROWS).map((one) => channelRow(one, close)));
    if (found.length > MOST_ROWS) list.append(el("li", { class: "fine" }, `${found.length - MOST_ROWS} more. Type to narrow the list.`));
    if (!found.length) list.append(el("li", { class: "fine" }, "No channel is called that. You can create it."));
  };
  await openDialog({ title: "Browse channels", testid: "browse", make: (close) => {
    search.addEventListener("input", () => draw(close));
    draw(close);
    return { body: [search, list], foot: directory.isGuest() ? null : el("button", { type: "button", class: "button", "data-action-id": "browse-create", on: { click: () => (close(), createChannel(search.value.trim().replace(/^#/, ""))) } }, "Create a channel"), submit: () => list.querySelector("button")?.click() };
  } });
}

function channelRow(one, close) {
  const label = one.is_member ? "Open" : "Join";
  const go = async () => {
    if (!one.is_member && !(await post("join", { channel: one.id }))) return;
    if (!one.is_member) await renew();
    close();
    goChannel(one.id);
  };
  return el("li", { class: "row" }, icon(one.is_private ? "lock" : "hash"), el("span", { class: "row-main" }, el("b", {}, one.name), el("small", {}, [`${one.members} ${one.members === 1 ? "member" : "members"}`, one.is_member ? "you are in" : "", one.topic].filter(Boolean).join(" · "))),
    el("button", { type: "button", class: "button slim", "aria-label": `${label} ${one.name}`, "data-action-id": `browse-${one.id}`, on: { click: go } }, label));
}

/** Make a channel. */
export function createChannel(start = "") {
  const name = el("input", { type: "text", class: "field", maxlength: "80", placeholder: "e.g. plan-budget", value: start, autofocus: true, autocomplete: "off", "data-action-id": "create-name" });
  const secret = el("input", { type: "checkbox", "data-action-id": "create-private" });
  // Slack's own rule, applied while one types: lower case, no spaces.
  name.addEventListener("input", () => void (name.value = name.value.toLowerCase().replace(/[\s.]+/g, "-").replace(/[^\p{L}\p{N}_-]/gu, "")));
  return openDialog({ title: "Create a channel", testid: "create-channel", className: "narrow", make: (close) => ({
    body: [field("Name", name, "Lower case, without spaces, at most 80 characters."), el("label", { class: "check" }, secret, el("span", {}, "Private", el("small", {}, "Only people who are invited see it.")))],
    foot: buttons(close, "Create", "create-submit"),
    submit: async () => {
      if (!name.value) return void name.focus();
      const answer = await post("create_channel", { name: name.value, private: secret.checked });
      if (!answer) return;
      await renew();
      close();
      goChannel(answer.channel?.id || answer.channel);
    },
  }) });
}

/** A channel's topic, people and ways out. */
export async function channelDetails(id) {
  const answer = await get("details", { channel: id });
  if (!answer) return;
  const channel = directory.channel(id);
  const open = !directory.isDirect(channel);
  const topic = el("input", { type: "text", class: "field", maxlength: "250", value: answer.channel.topic || "", placeholder: "Add a topic", "data-action-id": "details-topic" });
  const save = async () => {
    if (topic.value === answer.channel.topic || !(await post("set_topic", { channel: id, text: topic.value }))) return;
    answer.channel.topic = topic.value;
    await renew();
    toast("Topic saved.");
  };
  const made = answer.channel.created ? `Created ${new Date(answer.channel.created * 1000).toLocaleDateString([], { dateStyle: "long" })}${answer.channel.creator ? ` by ${directory.userName(answer.channel.creator)}` : ""}` : "";
  await openDialog({ title: directory.channelLabel(id), testid: "details", make: (close) => ({
    body: [
      open ? field("Topic", topic) : null,
      open ? el("button", { type: "submit", class: "button slim", "data-action-id": "details-save" }, "Save topic") : null,
      el("section", { "aria-label": "Members" }, el("h3", {}, `${answer.members.length} ${answer.members.length === 1 ? "member" : "members"}`), el("ul", { class: "rows" }, answer.members.map((user) => memberRow(user)))),
      el("p", { class: "fine" }, made),
    ],
    foot: open && !directory.isGuest() ? [leaveButton(id, close), el("button", { type: "button", class: "button", "data-action-id": "details-add", on: { click: () => (close(), invitePeople(id, answer.members)) } }, "Add people or the app")] : null,
    submit: save,
  }) });
}

function leaveButton(id, close) {
  const leave = async () => {
    if (!(await post("leave", { channel: id }))) return;
    close();
    await renew();
    goChannel("");
  };
  return el("button", { type: "button", class: "button danger", "data-action-id": "details-leave", on: { click: leave } }, "Leave channel");
}

function memberRow(id) {
  const user = directory.user(id);
  return el("li", { class: "row" }, avatar(authorOf({ user: id })), el("span", { class: "row-main" }, el("b", {}, directory.userName(id), id === directory.me ? " (you)" : ""), el("small", {}, user?.is_bot ? "App" : directory.role(user))));
}

/** Add people, or the app, to a channel. */
export function invitePeople(id, members) {
  const others = directory.users.filter((user) => !members.includes(user.id) && user.id !== "USLACKBOT" && !user.deleted);
  return choosePeople({ title: `Add to ${directory.channelLabel(id)}`, testid: "invite", people: others, label: "Add", none: "Everyone is here already.", done: async (users) => {
    if (!(await post("invite", { channel: id, users }))) return false;
    await renew();
    return true;
  } });
}

/** Write to one or several people. */
export function newMessage() {
  const people = directory.users.filter((user) => user.id !== "USLACKBOT" && !user.deleted && user.id !== directory.me);
  return choosePeople({ title: "New message", testid: "new-message", people, label: "Write", none: "There is nobody else here.", done: (users) => openDirect(users) });
}

/** Go to the conversation with these people, made at first need. */
export async function openDirect(users) {
  const known = users.length === 1 ? directory.channels.find((one) => one.is_im && one.im_user === users[0]) : null;
  if (known) goChannel(known.id);
  if (known) return true;
  const answer = await post("open_dm", { users });
  if (!answer) return false;
  await renew();
  goChannel(answer.channel?.id || answer.channel);
  return true;
}

function choosePeople({ title, testid, people, label, none, done }) {
  const boxes = people.map((user) => el("li", { class: "row" }, el("label", { class: "row-label" }, el("input", { type: "checkbox", "data-value": user.id, "data-action-id": `person-${user.id}` }), avatar(authorOf({ user: user.id })), el("span", { class: "row-main" }, el("b", {}, user.real_name || user.name), el("small", {}, user.is_bot ? "App" : directory.role(user))))));
  const search = el("input", { type: "text", class: "field", placeholder: "Search people", "aria-label": "Search people", autofocus: true });
  search.addEventListener("input", () => boxes.forEach((box) => void (box.hidden = !box.textContent.toLowerCase().includes(search.value.trim().toLowerCase()))));
  return openDialog({ title, testid, className: "narrow", make: (close) => ({
    body: people.length ? [search, el("ul", { class: "rows", "aria-label": "People" }, boxes)] : el("p", { class: "fine" }, none),
    foot: people.length ? buttons(close, label, `${testid}-submit`) : null,
    submit: async () => {
      const chosen = boxes.map((box) => box.querySelector("input")).filter((box) => box.checked).map((box) => box.dataset.value);
      const only = boxes.filter((box) => !box.hidden);
      const users = chosen.length || only.length !== 1 ? chosen : [only[0].querySelector("input").dataset.value];
      if (users.length && (await done(users))) close();
    },
  }) });
}
