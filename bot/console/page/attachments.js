// Knows legacy attachments and unfurled links under a message; knows nothing of the message around them.

import { blocks } from "./blocks.js";
import { el, link, safeUrl } from "./dom.js";
import { mrkdwn, plain, shownDate } from "./mrkdwn.js";
import { picture } from "./pictures.js";
import { toast } from "./toast.js";

const NAMED = { good: "var(--good)", warning: "var(--warn)", danger: "var(--bad)" };

/** One attachment: a bar in its colour, then blocks or the older fields. */
export function attachment(one, form) {
  const named = typeof one.color === "string" && Object.hasOwn(NAMED, one.color) ? NAMED[one.color] : null;
  const color = /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(one.color || "") ? `#${one.color.replace(/^#/, "")}` : named;
  const pretext = one.pretext ? el("div", { class: "text" }, marked(one, "pretext", one.pretext)) : null;
  const body = one.blocks?.length ? blocks(one.blocks, form) : older(one);
  return el("div", { class: "attachment-frame" }, pretext, el("div", { class: "attachment", css: color ? { "--bar": color } : {} }, body));
}

function older(one) {
  const text = one.text || (one.title || one.fields?.length || one.image_url ? "" : one.fallback);
  const main = el("div", { class: "attachment-main" },
    author(one), one.title ? el("div", { class: "text strong" }, one.title_link ? link(one.title_link, plain(one.title)) : plain(one.title)) : null,
    text ? el("div", { class: "text" }, marked(one, "text", text)) : null, fields(one), buttons(one));
  const thumb = one.thumb_url && !one.image_url ? picture({ image_url: one.thumb_url, alt_text: one.title || "" }, "thumbnail") : null;
  return [el("div", { class: "with-accessory" }, main, thumb), one.image_url ? picture({ image_url: one.image_url, alt_text: one.title || one.fallback || "" }) : null, footer(one)];
}

// Slack reads mrkdwn in pretext and text unless mrkdwn_in names other parts only.
function marked(one, part, text) {
  return !one.mrkdwn_in || one.mrkdwn_in.includes(part) ? mrkdwn(text) : plain(text);
}

function author({ service_name: service, service_icon: serviceIcon, author_name: name, author_link: address, author_icon: face, author_subname: sub }) {
  if (!service && !name) return null;
  const icon = face || serviceIcon;
  const who = name && (address ? link(address, plain(name)) : el("span", {}, plain(name)));
  return el("div", { class: "attachment-author" }, icon ? picture({ image_url: icon, alt_text: "" }, "thumbnail") : null, service ? el("span", {}, plain(service)) : null, who, sub ? el("small", {}, plain(sub)) : null);
}

function fields({ fields: list, ...one }) {
  if (!list?.length) return null;
  return el("div", { class: "fields" }, list.map((field) => el("div", { class: field.short ? null : "whole" }, el("strong", {}, plain(field.title)), el("div", {}, one.mrkdwn_in && !one.mrkdwn_in.includes("fields") ? plain(field.value) : mrkdwn(field.value)))));
}

function buttons({ actions }) {
  if (!actions?.length) return null;
  return el("div", { class: "buttons" }, actions.map((one) => {
    const style = ["primary", "danger"].includes(one.style) ? one.style : "";
    const address = one.url && safeUrl(one.url);
    if (address) return el("a", { class: `button ${style}`.trim(), href: address, target: "_blank", rel: "noopener noreferrer" }, plain(one.text));
    const refuse = () => toast("Legacy attachment actions are shown, but not delivered. Block Kit buttons are.", "error");
    return el("button", { type: "button", class: `button ${style}`.trim(), "data-action-id": one.name, on: { click: refuse } }, plain(one.text));
  }));
}

function footer({ footer: text, footer_icon: face, ts }) {
  if (!text && !ts) return null;
  const at = ts ? new Date(Number(ts) * 1000) : null;
  return el("div", { class: "attachment-footer" }, face ? picture({ image_url: face, alt_text: "" }, "thumbnail") : null, text ? el("span", {}, plain(text)) : null,
    at && !Number.isNaN(at.getTime()) ? el("time", { datetime: at.toISOString() }, shownDate(at, "{date_short_pretty}")) : null);
}
