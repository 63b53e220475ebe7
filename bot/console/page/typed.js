// Knows how what people type and what Slack stores are turned into each other; knows nothing of boxes and messages.

import { directory } from "./directory.js";

const CODE = /(```[\s\S]*?```|`[^`\n]+`)/;
const MOST_WORDS = 5;

/** What was typed, with names turned into ids as Slack's client does; the server escapes the rest. */
export function encode(text) {
  const names = new Map(directory.users.flatMap((user) => [[user.name, user.id], [user.real_name, user.id]]).filter(([name]) => name).map(([name, id]) => [name.toLowerCase(), id]));
  const channels = new Map(directory.channels.filter((one) => !directory.isDirect(one)).map((one) => [one.name, one.id]));
  // What stands in code stays as it is.
  return text.split(CODE).map((part, index) => (index % 2 ? part : named(part, names, channels))).join("");
}

function named(text, names, channels) {
  return text
    .replace(/(^|[\s(,])@(here|channel|everyone)\b/g, "$1<!$2>")
    .replace(/(^|[\s(,])#([\p{L}\p{N}_-]+)/gu, (whole, before, name) => (channels.has(name) ? `${before}<#${channels.get(name)}|${name}>` : whole))
    .replace(/(^|[\s(,])@((?:[\p{L}\p{N}_.'-]+)(?: [\p{L}\p{N}_.'-]+){0,4})/gu, (whole, before, words) => before + mention(words, names));
}

// The longest run of words after an @ that is somebody's name.
function mention(words, names) {
  const parts = words.split(" ");
  for (let count = Math.min(parts.length, MOST_WORDS); count > 0; count -= 1) {
    const name = parts.slice(0, count).join(" ");
    const bare = name.replace(/[.'_-]+$/, "").replace(/['’]s$/, "");
    const found = names.get(name.toLowerCase()) ? name : names.get(bare.toLowerCase()) ? bare : null;
    if (found) return `<@${names.get(found.toLowerCase())}>${words.slice(found.length)}`;
  }
  return `@${words}`;
}

/** A stored text the way a person would have typed it. */
export function decode(text) {
  return text
    .replace(/<@(\w+)(?:\|[^<>]*)?>/g, (_, id) => `@${directory.userName(id)}`)
    .replace(/<#(\w+)(?:\|([^<>]*))?>/g, (_, id, label) => `#${label || directory.channel(id)?.name || id}`)
    .replace(/<!(here|channel|everyone)(?:\|[^<>]*)?>/g, "@$1")
    .replace(/<([^<>|!@#]+)(?:\|[^<>]*)?>/g, "$1")
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
