// Knows what people began to write and keeps it over a reload, for each person apart; knows nothing of boxes.

import { directory } from "./directory.js";

const listeners = [];
let cache = null;

function key() {
  return `drafts/${directory.team.id || ""}/${directory.me}`;
}

function all() {
  if (cache?.key === key()) return cache.drafts;
  let drafts = {};
  try {
    drafts = JSON.parse(localStorage.getItem(key()) || "{}");
  } catch {
    drafts = {};
  }
  cache = { key: key(), drafts: drafts && typeof drafts === "object" ? drafts : {} };
  return cache.drafts;
}

/** What was being written in a conversation: {text, files, broadcast}. */
export function draftOf(channel, thread) {
  return { text: "", files: [], ...all()[`${channel}/${thread || ""}`] };
}

/** Keep it; an empty draft is forgotten. */
export function keepDraft(channel, thread, draft) {
  const id = `${channel}/${thread || ""}`;
  const had = hasDraft(channel);
  if (draft.text.trim() || draft.files.length) all()[id] = draft;
  else delete all()[id];
  try {
    localStorage.setItem(key(), JSON.stringify(all()));
  } catch {
    // A full or forbidden store: the draft lives as long as the page.
  }
  if (had !== hasDraft(channel)) listeners.forEach((listener) => listener(channel));
}

/** Whether something was begun in a channel itself. */
export function hasDraft(channel) {
  return `${channel}/` in all();
}

/** Call `listener(channel)` when a channel gets or loses its draft. */
export function onDraft(listener) {
  listeners.push(listener);
}
