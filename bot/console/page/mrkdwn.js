// Knows Slack's mrkdwn and turns it into DOM nodes; knows nothing of blocks or of where a message stands.

import { el, link } from "./dom.js";
import { EMOJI, emoji } from "./emoji.js";
import { directory } from "./directory.js";

const STYLES = { "*": "strong", _: "em", "~": "s" };
const TOKEN = /`([^`\n]+)`|<([^<>\n]+)>|:([a-z0-9_+'-]+):(?::skin-tone-\d:)?|(https?:\/\/[^\s<>|]+)|([*_~])|([▓█]{3,}[░▒]*|[▓█]*[░▒]{3,})/g;

/** Nodes for Slack's mrkdwn. Every piece of data ends up in a text node. `verbatim` leaves bare addresses as text. */
export function mrkdwn(text, verbatim = false) {
  const nodes = [];
  String(text ?? "").split(/```/).forEach((part, index, parts) => {
    const closed = index < parts.length - 1;
    if (index % 2 === 1 && closed) nodes.push(el("pre", {}, el("code", {}, preText(part))));
    else nodes.push(...quotes(index % 2 === 1 ? "```" + part : trimAround(part, index, parts.length), verbatim));
  });
  return nodes;
}

/** Nodes for a text object ({type: "mrkdwn" | "plain_text", text}) or a bare string. */
export function textObject(object) {
  if (object === null || object === undefined) return [];
  if (typeof object === "string") return plain(object);
  return object.type === "mrkdwn" ? mrkdwn(object.text, object.verbatim) : plain(object.text, object.emoji !== false);
}

/** Plain text with its emoji shortcodes. */
export function plain(text, withEmoji = true) {
  const value = unescape(String(text ?? ""));
  return [withEmoji ? value.replace(/:([a-z0-9_+'-]+):/g, (whole, name) => (Object.hasOwn(EMOJI, name) ? EMOJI[name] : whole)) : value];
}

/** The three escapes that Slack uses, undone. */
export function unescape(text) {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}

/** One line of readable text for previews, announcements and notifications. */
export function flatten(text) {
  const holder = el("div", {}, mrkdwn(text));
  return holder.textContent.replace(/\s+/g, " ").trim();
}

function preText(part) {
  const inner = part.replace(/<([^<>|\n]+)\|([^<>\n]+)>/g, "$2").replace(/<((?:https?|mailto):[^<>\n]+)>/g, "$1");
  return unescape(inner.replace(/^\n/, "").replace(/\n$/, ""));
}

function trimAround(part, index, count) {
  let text = part;
  if (index > 0) text = text.replace(/^\n/, "");
  if (index < count - 1) text = text.replace(/\n$/, "");
  return text;
}

function quotes(text, verbatim) {
  const nodes = [];
  let quoted = null;
  let normal = null;
  const flush = () => {
    if (quoted) nodes.push(el("blockquote", {}, inline(quoted.join("\n"), verbatim)));
    if (normal !== null && normal.length) nodes.push(...inline(normal.join("\n"), verbatim));
    quoted = normal = null;
  };
  let toTheEnd = false;
  for (const line of text.split("\n")) {
    const whole = /^(?:&gt;|>){3}\s?(.*)$/.exec(line);
    const match = toTheEnd ? [line, line] : whole || /^(?:&gt;|>)\s?(.*)$/.exec(line);
    toTheEnd ||= Boolean(whole);
    if (match) {
      if (normal) flush();
      (quoted ??= []).push(match[1]);
    } else {
      if (quoted) flush();
      (normal ??= []).push(line);
    }
  }
  flush();
  return nodes;
}

function inline(text, verbatim = false) {
  const nodes = [];
  let from = 0;
  const pattern = new RegExp(TOKEN.source, "g");
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const made = token(match, text, verbatim);
    if (!made) {
      pattern.lastIndex = match.index + (match[5] ? 1 : match[0].length);
      continue;
    }
    if (match.index > from) nodes.push(unescape(text.slice(from, match.index)));
    nodes.push(made.node);
    from = pattern.lastIndex = made.end;
  }
  if (from < text.length) nodes.push(unescape(text.slice(from)));
  return nodes;
}

function token(match, text, verbatim) {
  const end = match.index + match[0].length;
  if (match[1]) return { node: el("code", {}, unescape(match[1].replace(/<([^<>|]+\|)?([^<>]+)>/g, "$2"))), end };
  if (match[2]) return { node: angle(match[2]), end };
  if (match[3]) return Object.hasOwn(EMOJI, match[3]) ? { node: el("span", { class: "emoji", title: `:${match[3]}:` }, emoji(match[3])), end } : null;
  if (match[4]) return verbatim ? null : bareLink(match);
  if (match[6]) return { node: meter(match[6]), end };
  return styled(match, text, verbatim);
}

// A bar of block characters is read out as a share, and drawn evenly in every font.
function meter(bar) {
  const share = `${Math.round(([...bar].filter((one) => "▓█".includes(one)).length / bar.length) * 100)}%`;
  return el("span", { class: "meter", role: "img", "aria-label": share }, bar, el("i", { css: { width: share } }));
}

function bareLink(match) {
  const address = match[4].replace(/[.,;:!?)\]*_~]+$/, "");
  return { node: link(unescape(address), unescape(address)), end: match.index + address.length };
}

// Slack only starts a style after a space or punctuation and only ends it before one, so snake_case stays as it is.
function styled(match, text, verbatim) {
  const mark = match[5];
  const start = match.index;
  if (start > 0 && /[\p{L}\p{N}]/u.test(text[start - 1])) return null;
  if (!text[start + 1] || /\s/.test(text[start + 1]) || text[start + 1] === mark) return null;
  for (let close = text.indexOf(mark, start + 2); close > 0; close = text.indexOf(mark, close + 1)) {
    const body = text.slice(start + 1, close);
    if (body.includes("\n")) return null;
    const after = text[close + 1];
    if (/\s/.test(text[close - 1]) || (after && /[\p{L}\p{N}]/u.test(after)) || insideCode(body)) continue;
    return { node: el(STYLES[mark], {}, inline(body, verbatim)), end: close + 1 };
  }
  return null;
}

function insideCode(body) {
  return (body.match(/`/g) || []).length % 2 === 1 || (body.match(/</g) || []).length !== (body.match(/>/g) || []).length;
}

function angle(body) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? "" : body.slice(bar + 1);
  if (target.startsWith("@")) return mention(target.slice(1), label);
  if (target.startsWith("#")) return channelLink(target.slice(1), label);
  if (target.startsWith("!")) return special(target.slice(1), label);
  if (!/^[a-z][a-z0-9+.-]*:/i.test(target)) return document.createTextNode(unescape(`<${body}>`));
  return link(unescape(target), label ? inline(label) : unescape(target.replace(/^mailto:/, "")));
}

/** A person's name as a chip. */
export function mention(id, label = "") {
  const user = directory.user(id);
  const name = user ? user.real_name || user.name : label || id;
  return el("span", { class: id === directory.me ? "mention me" : "mention", "data-user": id }, `@${name}`);
}

/** A channel's name as a link inside this page. */
export function channelLink(id, label = "") {
  const channel = directory.channel(id);
  return el("a", { class: "mention", href: `#${encodeURIComponent(id)}` }, `#${channel ? channel.name : label || id}`);
}

function special(target, label) {
  if (target.startsWith("date^")) {
    const node = el("time", { title: label || null }, date(target, label));
    const address = target.split("^").slice(3).join("^");
    return address ? link(unescape(address), node) : node;
  }
  if (target.startsWith("subteam^")) return el("span", { class: "mention" }, label || "@group");
  return el("span", { class: "mention me" }, `@${["here", "channel", "everyone"].includes(target) ? target : label || target}`);
}

function date(target, fallback) {
  const [, seconds, format] = target.split("^");
  const when = new Date(Number(seconds) * 1000);
  return Number.isNaN(when.getTime()) || !format ? fallback || target : shownDate(when, format);
}

/** A moment in Slack's date tokens, such as `{date_short_pretty} at {time}`. */
export function shownDate(when, format) {
  const day = (style) => when.toLocaleDateString([], style);
  const words = {
    date_num: day(), date_slash: day(), date_short: day({ dateStyle: "medium" }), date: day({ dateStyle: "long" }), date_long: day({ dateStyle: "full" }),
    date_pretty: near(when) || day({ dateStyle: "long" }), date_short_pretty: near(when) || day({ dateStyle: "medium" }), date_long_pretty: near(when) || day({ dateStyle: "full" }), ago: ago(when),
    day_divider_pretty: near(when) || day({ weekday: "long", month: "long", day: "numeric" }),
    time: when.toLocaleTimeString([], { timeStyle: "short" }), time_secs: when.toLocaleTimeString([], { timeStyle: "medium" }),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => words[name] ?? whole);
}

// The pretty forms say "today" and its neighbours in words.
function near(when) {
  const midnight = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
  const days = Math.round((midnight(when) - midnight(new Date())) / 86400000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] || "";
}

function ago(when) {
  const seconds = Math.round((when.getTime() - Date.now()) / 1000);
  const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(([, one]) => Math.abs(seconds) >= one) || ["second", 1];
  return new Intl.RelativeTimeFormat([], { numeric: "auto" }).format(Math.round(seconds / size), unit);
}
