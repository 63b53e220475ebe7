// Knows the character for a shortcode and finds emoji by name; knows nothing of messages. An unknown name stays as text.

import { GROUPS } from "./emoji_names.js";

const FACES = new Map();

/** [{title, items: [{name, face}]}], the way the picker shows them. */
export const groups = GROUPS.map(([title, words]) => {
  const all = words.split(/\s+/);
  const items = [];
  for (let at = 0; at < all.length; at += 2) {
    const names = all[at].split("/");
    for (const name of names) FACES.set(name, all[at + 1]);
    items.push({ name: names[0], face: all[at + 1] });
  }
  return { title, items };
});
// Names that apps of this machine use and the list does not have.
for (const [name, face] of [["balance_scale", "⚖️"], ["pause_button", "⏸️"]]) if (!FACES.has(name)) FACES.set(name, face);

/** Every emoji by its name. */
export const EMOJI = Object.freeze(Object.fromEntries(FACES));

/** The reactions that stand first. */
export const QUICK = ["white_check_mark", "eyes", "raised_hands", "+1", "-1", "tada", "heart", "pray", "thinking_face", "smile", "100", "rocket"];

/** The character for a shortcode, or `:name:` where it is not known. */
export function emoji(name) {
  const bare = String(name).replace(/::skin-tone-\d$/, "");
  return FACES.get(bare) || `:${bare}:`;
}

/** Up to `most` {name, face} whose name begins with, or else holds, `word`. */
export function emojiLike(word, most) {
  const wanted = word.toLowerCase().replaceAll(" ", "_");
  const begin = [];
  const within = [];
  for (const [name, face] of FACES) {
    const at = name.indexOf(wanted);
    if (at === 0) begin.push({ name, face });
    else if (at > 0) within.push({ name, face });
  }
  begin.sort((a, b) => a.name.length - b.name.length);
  return [...begin, ...within].slice(0, most);
}
