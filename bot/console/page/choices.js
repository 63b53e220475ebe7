// Knows the elements that choose among options (selects, radios, checkboxes); knows nothing of blocks around them.

import { el } from "./dom.js";
import { combobox } from "./combobox.js";
import { directory } from "./directory.js";
import { plain, textObject } from "./mrkdwn.js";
import { post } from "./api.js";

export const CHOICES = {
  static_select: select,
  multi_static_select: (spec, slot) => many(spec, slot, local(optionsOf(spec))),
  external_select: (spec, slot) => external(spec, slot, false),
  multi_external_select: (spec, slot) => external(spec, slot, true),
  users_select: (spec, slot) => entity(spec, slot, "selected_user", "initial_user", people()),
  channels_select: (spec, slot) => entity(spec, slot, "selected_channel", "initial_channel", channels(false)),
  conversations_select: (spec, slot) => entity(spec, slot, "selected_conversation", "initial_conversation", channels(true)),
  multi_users_select: (spec, slot) => entities(spec, slot, "selected_users", "initial_users", people()),
  multi_channels_select: (spec, slot) => entities(spec, slot, "selected_channels", "initial_channels", channels(false)),
  multi_conversations_select: (spec, slot) => entities(spec, slot, "selected_conversations", "initial_conversations", channels(true)),
  radio_buttons: (spec, slot) => boxes(spec, slot, "radio"),
  checkboxes: (spec, slot) => boxes(spec, slot, "checkbox"),
};

function optionsOf(spec) {
  return spec.options || (spec.option_groups || []).flatMap((group) => group.options || []);
}

function people() {
  return directory.users.map((user) => option(user.real_name || user.name, user.id));
}

function channels(withDms) {
  return directory.channels.filter((one) => withDms || !one.is_im).map((one) => option(one.is_im ? directory.channelName(one) : `#${one.name}`, one.id));
}

function option(text, value) {
  return { text: { type: "plain_text", text }, value };
}

function local(options) {
  return async (query) => options.filter((one) => (one.text?.text || "").toLowerCase().includes(query.toLowerCase()));
}

function select(spec, slot) {
  const state = slot.read({ selected_option: spec.initial_option || null });
  const known = optionsOf(spec);
  const tag = (one) => el("option", { value: String(known.indexOf(one)) }, plain(one.text?.text));
  const groups = spec.option_groups
    ? spec.option_groups.map((group) => el("optgroup", { label: plain(group.label?.text).join("") }, (group.options || []).map(tag)))
    : known.map(tag);
  const index = known.findIndex((one) => one.value === state.selected_option?.value);
  return nativeSelect(spec, slot, groups, index < 0 ? "" : String(index), (value) => ({ selected_option: value === "" ? null : known[Number(value)] }));
}

function entity(spec, slot, field, initial, options) {
  const state = slot.read({ [field]: spec[initial] || null });
  const tags = options.map((one) => el("option", { value: one.value }, one.text.text));
  return nativeSelect(spec, slot, tags, state[field] || "", (value) => ({ [field]: value || null }));
}

function nativeSelect(spec, slot, tags, value, toState) {
  const placeholder = spec.placeholder?.text || "Choose an option";
  const node = el("select", slot.attrs({ class: value === "" ? "select empty" : "select" }), el("option", { value: "" }, plain(placeholder)), tags);
  node.value = value;
  let before = value;
  node.addEventListener("change", () => {
    const undo = () => void (node.value = before);
    const old = before;
    if (node.value === "" && !slot.place.silent) return undo();
    slot.change(toState(node.value), node, () => void (node.value = before = old));
    before = node.value;
    node.classList.toggle("empty", before === "");
    return null;
  });
  node.addEventListener("keydown", openInsteadOfChange);
  return node;
}

// A closed native select changes with every arrow key; here that would send an action each time, so the list opens first.
function openInsteadOfChange(event) {
  if (!["ArrowDown", "ArrowUp"].includes(event.key) || event.altKey || !event.target.showPicker) return;
  event.preventDefault();
  try {
    event.target.showPicker();
  } catch {
    // Without a user gesture the browser refuses; Space still opens the list.
  }
}

function many(spec, slot, load) {
  const state = slot.read({ selected_options: spec.initial_options || [] });
  return combobox({
    attrs: slot.attrs(), multiple: true, most: spec.max_selected_items, placeholder: spec.placeholder?.text, chosen: state.selected_options, load,
    changed: (chosen, node) => slot.change({ selected_options: chosen }, node),
  });
}

function external(spec, slot, multiple) {
  const field = multiple ? "selected_options" : "selected_option";
  const state = slot.read({ [field]: multiple ? spec.initial_options || [] : spec.initial_option || null });
  const load = async (query) => {
    if (query.length < (spec.min_query_length ?? 3)) return [];
    const answer = await post("options", { ...slot.form.target, block_id: slot.blockId, action_id: spec.action_id, value: query });
    return answer?.options || (answer?.option_groups || []).flatMap((group) => group.options || []);
  };
  return combobox({
    attrs: slot.attrs(), multiple, most: spec.max_selected_items, placeholder: spec.placeholder?.text, load, hint: `Type at least ${spec.min_query_length ?? 3} characters`,
    chosen: multiple ? state.selected_options : [state.selected_option].filter(Boolean),
    changed: (chosen, node) => slot.change({ [field]: multiple ? chosen : chosen[0] || null }, node),
  });
}

function entities(spec, slot, field, initial, options) {
  const state = slot.read({ [field]: spec[initial] || [] });
  return combobox({
    attrs: slot.attrs(), multiple: true, most: spec.max_selected_items, placeholder: spec.placeholder?.text, load: local(options),
    chosen: options.filter((one) => state[field].includes(one.value)),
    changed: (chosen, node) => slot.change({ [field]: chosen.map((one) => one.value) }, node),
  });
}

function boxes(spec, slot, type) {
  const single = type === "radio";
  const state = slot.read(single ? { selected_option: spec.initial_option || null } : { selected_options: spec.initial_options || [] });
  const on = new Set((single ? [state.selected_option] : state.selected_options).filter(Boolean).map((one) => one.value));
  const name = `${type}-${Math.random().toString(36).slice(2)}`;
  const group = el("div", slot.attrs({ class: "boxes", role: single ? "radiogroup" : "group", "aria-labelledby": slot.place.labelId, "data-action-id": spec.action_id }));
  (spec.options || []).forEach((one) => {
    const box = el("input", { type, name, value: one.value, checked: on.has(one.value), "data-action-id": spec.action_id });
    box.addEventListener("change", () => slot.change(picked(group, spec, single), box));
    group.append(el("label", { class: "box" }, box, el("span", {}, textObject(one.text), one.description ? el("small", {}, textObject(one.description)) : null)));
  });
  return group;
}

function picked(group, spec, single) {
  const on = [...group.querySelectorAll("input")].map((box, index) => (box.checked ? spec.options[index] : null)).filter(Boolean);
  return single ? { selected_option: on[0] || null } : { selected_options: on };
}
