// Knows who is acting on this page and how to become somebody else; knows nothing of channels.

import { directory } from "./directory.js";
import { el, icon } from "./dom.js";
import { openMenu } from "./menu.js";
import { authorOf, avatar } from "./messages.js";
import { place } from "./nav.js";

const extras = [];

/** Another entry for the person's menu: a function that gives menu items. */
export function addToPersonMenu(items) {
  extras.push(items);
}

/** Draw the button that names the acting person. */
export function drawPerson() {
  const button = document.getElementById("person");
  const me = directory.user(directory.me);
  const role = directory.role(me);
  button.replaceChildren(avatar(authorOf({ user: directory.me })), el("span", { class: "person-name" }, el("span", { class: "person-lead" }, "You are "), el("b", {}, directory.userName(directory.me)), role ? el("span", { class: "role" }, role) : null), icon("chevron"));
  button.setAttribute("aria-label", `You are ${directory.userName(directory.me)}. Act as somebody else`);
  button.onclick = () => openMenu(button, [
    { title: "Act as" },
    ...directory.people().map((user) => ({ label: user.real_name || user.name, detail: directory.role(user), value: user.id, id: `act-as-${user.id}`, checked: user.id === directory.me, href: addressOf({ user: user.id }) })),
    { line: true },
    { label: "Second person in a new tab", detail: "Each browser tab may be somebody else.", icon: "newtab", id: "new-tab", choose: () => open(addressOf({ user: directory.people().find((user) => user.id !== directory.me)?.id || directory.me }), "_blank", "noopener") },
    ...extras.flatMap((items) => items()),
  ], "Person");
}

/** Draw the workspaces, where there is more than one. */
export function drawTeams() {
  const rail = document.getElementById("teams");
  rail.hidden = directory.teams.length < 2;
  document.body.classList.toggle("with-teams", !rail.hidden);
  rail.replaceChildren(...(rail.hidden ? [] : directory.teams.map((team) => el("a", { class: "team", href: `/?team=${encodeURIComponent(team.id)}`, "aria-current": team.id === directory.team.id ? "page" : null, title: team.name, "data-action-id": `team-${team.id}`, "aria-label": team.name }, [...team.name][0]?.toUpperCase() || "?"))));
}

// A DM belongs to one person, so only a channel is kept when another person takes over.
function addressOf({ user }) {
  const channel = directory.channel(place.channel);
  const hash = place.kind === "channel" ? (channel && !directory.isDirect(channel) ? location.hash : "") : `#${place.kind}`;
  const team = directory.teams.length > 1 ? `team=${encodeURIComponent(directory.team.id)}&` : "";
  return `/?${team}user=${encodeURIComponent(user)}${hash}`;
}
