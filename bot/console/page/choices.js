// Knows the elements that choose among options (selects, radios, checkboxes); knows nothing of blocks around them.

import { post } from "./api.js";
import { combobox } from "./combobox.js";
import { directory } from "./directory.js";
import { el } from "./dom.js";
import { plain, textObject } from "./mrkdwn.js";

const PAUSE_MS = 200;
const SEVERAL = { initial_user: "initial_users", initial_channel: "initial_channels", initial_conversation: "initial_conversations" };

export const CHOICES = {
  static_select: (spec, slot) => options(spec, slot, false, among(() => groupsOf(spec))),
  multi_static_select: (spec, slot) => options(spec, slot, true, among(() => groupsOf(spec))),
  external_select: (spec, slot) => options(spec, slot, false, asking(spec, slot), true),
  multi_external_select: (spec, slot) => options(spec, slot, true, asking(spec, slot), true),
  users_select: (spec, slot) => entity(spec, slot, "selected_user", "initial_user", people),
  channels_select: (spec, slot) => entity(spec, slot, "selected_channel", "initial_channel", channels),
  conversations_select: (spec, slot) => entity(spec, slot, "selected_conversation", "initial_conversation", conversations),
  multi_users_select: (spec, slot) => entities(spec, slot, "selected_users", "initial_user", people),
  multi_channels_select: (spec, slot) => entities(spec, slot, "selected_channels", "initial_channel", channels),
  multi_conversations_select: (spec, slot) => entities(spec, slot, "selected_conversations", "initial_conversation", conversations),
  radio_buttons: (spec, slot) => boxes(spec, slot, "radio"),
  checkboxes: (spec, slot) => boxes(spec, slot, "checkbox"),
};

function groupsOf({ options: plainOptions, option_groups: grouped }) {
  if (!grouped) return [{ options: plainOptions || [] }];
  return grouped.map((group) => ({ label: plain(group.label?.text).join(""), options: group.options || [] }));
}

function people() {
  return [{ options: directory.users.map((user) => option(user.real_name || user.name, user.id)) }];
}

function channels() {
  return [{ options: directory.channels.filter((one) => !one.is_im && !one.is_mpim && !one.is_private).map(channelOption) }];
}

function conversations({ filter = {} } = {}) {
  const kind = (one) => (one.is_im ? "im" : one.is_mpim ? "mpim" : one.is_private ? "private" : "public");
  const fits = (one) => (!filter.include || filter.include.includes(kind(one))) && !(filter.exclude_bot_users && directory.isAgent(one));
  return [{ options: directory.channels.filter(fits).map(channelOption) }];
}

function channelOption(one) {
  return option(one.is_im || one.is_mpim ? directory.channelName(one) : `#${one.name}`, one.id);
}

function option(text, value) {
  return { text: { type: "plain_text", text }, value };
}

function among(groups) {
  return async (query) => {
    const wanted = query.trim().toLowerCase();
    const fits = (one) => plain(one.text?.text).join("").toLowerCase().includes(wanted);
    return groups().map((group) => ({ ...group, options: group.options.filter(fits) }));
  };
}

// The app is asked once typing pauses, as each question is a request to it.
function asking(spec, slot) {
  const least = spec.min_query_length ?? 3;
  let latest = "";
  return async (query) => {
    latest = query;
    if (query.length < least) return `Type ${least === 1 ? "a character" : `at least ${least} characters`} to see options`;
    if (query) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (query !== latest) return [];
    const answer = await post("options", { ...slot.form.target, block_id: slot.blockId, action_id: spec.action_id, value: query }, true);
    if (!answer) return "We had trouble loading these options. Try again?";
    return groupsOf(answer);
  };
}

function options(spec, slot, multiple, load, waits = false) {
  const field = multiple ? "selected_options" : "selected_option";
  const state = slot.read({ [field]: multiple ? spec.initial_options || [] : spec.initial_option || null });
  return choice(spec, slot, {
    multiple, load, waits, chosen: multiple ? state[field] || [] : [state[field]].filter(Boolean),
    value: (chosen) => ({ [field]: multiple ? chosen : chosen[0] || null }),
  });
}

function entity(spec, slot, field, initial, groups) {
  const state = slot.read({ [field]: spec[initial] || current(spec, slot) });
  const known = groups(spec).flatMap((group) => group.options);
  const chosen = state[field] ? [known.find((one) => one.value === state[field]) || named(state[field])] : [];
  return choice(spec, slot, { load: among(() => groups(spec)), chosen, value: ([one]) => ({ [field]: one?.value ?? null }) });
}

function entities(spec, slot, field, initial, groups) {
  const here = current(spec, slot);
  const state = slot.read({ [field]: spec[SEVERAL[initial]] || (here ? [here] : []) });
  const known = groups(spec).flatMap((group) => group.options);
  const chosen = (state[field] || []).map((id) => known.find((one) => one.value === id) || named(id));
  return choice(spec, slot, { multiple: true, load: among(() => groups(spec)), chosen, value: (all) => ({ [field]: all.map((one) => one.value) }) });
}

function current(spec, slot) {
  if (!spec.default_to_current_conversation) return null;
  const here = slot.form.target.channel || decodeURIComponent(location.hash.slice(1).split("/")[0]);
  return directory.channel(here) ? here : null;
}

function named(id) {
  return option(directory.user(id) ? directory.userName(id) : directory.channelName(directory.channel(id)) || id, id);
}

function choice(spec, slot, { value, ...rest }) {
  return combobox({
    attrs: slot.attrs(), most: spec.max_selected_items, placeholder: spec.placeholder?.text, clearable: slot.place.optional, ...rest,
    changed: (chosen, node, undo) => slot.change(value(chosen), node, undo),
  });
}

function boxes(spec, slot, type) {
  const single = type === "radio";
  const state = slot.read(single ? { selected_option: spec.initial_option || null } : { selected_options: spec.initial_options || [] });
  const on = new Set((single ? [state.selected_option] : state.selected_options).filter(Boolean).map((one) => one.value));
  const name = `${type}-${Math.random().toString(36).slice(2)}`;
  const group = el("div", { ...slot.attrs(), class: "boxes", role: single ? "radiogroup" : "group", "aria-labelledby": slot.place.labelId, "aria-label": slot.place.labelId ? null : spec.accessibility_label || "Options", "data-action-id": null });
  const inputs = (spec.options || []).map((one) => el("input", { type, name, value: one.value, checked: on.has(one.value), "data-action-id": spec.action_id }));
  const picked = () => spec.options.filter((_, index) => inputs[index].checked);
  let before = picked();
  const undo = () => inputs.forEach((box, index) => void (box.checked = before.includes(spec.options[index])));
  inputs.forEach((box, index) => {
    const { text, description } = spec.options[index];
    box.addEventListener("change", async () => {
      const now = picked();
      const kept = await slot.change(single ? { selected_option: now[0] || null } : { selected_options: now }, box, () => (undo(), "undone"));
      if (kept !== "undone") before = now;
    });
    group.append(el("label", { class: "box" }, box, el("span", {}, textObject(text), description ? el("small", {}, textObject(description)) : null)));
  });
  return group;
}
