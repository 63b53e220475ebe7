// Knows the app's About tab: what it says of itself, its commands and shortcuts; knows nothing of Home.

import { directory } from "./directory.js";
import { el } from "./dom.js";
import { authorOf, avatar } from "./messages.js";

/** Show what is known of the app in `root`. */
export function openAbout(root) {
  const { app, commands, shortcuts } = directory;
  const list = (title, rows) => (rows.length ? el("section", { "aria-label": title }, el("h3", {}, title), el("dl", {}, rows)) : null);
  root.replaceChildren(el("div", { class: "scroller about", "data-testid": "about", tabindex: "-1" },
    el("div", { class: "home-column" },
      el("div", { class: "about-head" }, avatar(authorOf({ user: app.bot_user_id })), el("div", {}, el("h2", {}, app.name || "App"), el("p", { class: "fine" }, app.description || "An app of this workspace."))),
      list("Commands", commands.map((one) => [el("dt", {}, el("code", {}, [one.command, one.usage_hint].filter(Boolean).join(" "))), el("dd", {}, one.description || "")])),
      list("Shortcuts", shortcuts.map((one) => [el("dt", {}, one.name), el("dd", {}, [one.description, one.type === "message" ? "In a message's menu." : "In the + menu of the message box."].filter(Boolean).join(" "))])),
      el("section", { "aria-label": "Ids" }, el("h3", {}, "Ids"), el("dl", {}, [["App", app.id], ["Bot user", app.bot_user_id], ["Bot", app.bot_id], ["Workspace", directory.team.id]].map(([name, id]) => [el("dt", {}, name), el("dd", {}, el("code", {}, id || ""))]))))));
}
