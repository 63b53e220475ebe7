// Knows the blocks that lead to other services: auth_provider and call; knows nothing of what happens there.

import { el, link, safeUrl } from "./dom.js";
import { element } from "./elements.js";
import { glyph } from "./glyphs.js";
import { plain } from "./mrkdwn.js";
import { picture } from "./pictures.js";

/** auth_provider: an account elsewhere, connected or not. */
export function authProvider(block, form) {
  const name = plain(block.name?.text ?? block.name).join("") || "Account";
  const on = Boolean(block.is_connected);
  const facts = [block.connected_identity, block.connected_context].map((one) => plain(one?.text).join("")).filter(Boolean).join(" · ");
  const about = on ? facts || "Connected" : plain(block.description?.text).join("");
  const face = block.icon_url ? picture({ image_url: block.icon_url, alt_text: "" }, "card-icon") : el("span", { class: "file-badge" }, glyph("key"));
  const address = on ? block.disconnect_url : block.auth_url;
  const verb = on ? "Disconnect" : "Connect";
  const button = { type: "button", text: { type: "plain_text", text: verb }, style: on ? undefined : "primary", action_id: `auth_provider_${verb.toLowerCase()}_${block.value}`, value: block.value, url: address, accessibility_label: `${verb} ${name}` };
  return el("div", { class: "row-card" }, face, el("div", { class: "file-facts" }, el("strong", {}, name), about ? el("small", {}, about) : null),
    on ? el("span", { class: "state good" }, "Connected") : null, address && safeUrl(address) ? element(button, block, form, 0) : null,
    on && block.accessory ? element(block.accessory, block, form, 1) : null);
}

/** call: a call that people can join. */
export function call(block) {
  const about = block.call?.v1 || {};
  const people = (about.active_participants || about.all_participants || []).length;
  const facts = [about.date_end ? "Call ended" : about.date_start ? "Call in progress" : "Call", people ? `${people} ${people === 1 ? "person" : "people"}` : ""].filter(Boolean).join(" · ");
  const join = safeUrl(about.join_url) && about.join_url && !about.date_end ? el("span", { class: "join" }, link(about.join_url, "Join")) : null;
  return el("div", { class: "row-card" }, el("span", { class: "file-badge" }, glyph("call")), el("div", { class: "file-facts" }, el("strong", {}, String(about.name || "Call")), el("small", {}, facts || String(block.call_id || ""))), join);
}
