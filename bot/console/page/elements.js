// Knows the buttons and menus of Block Kit and sends what they say; knows nothing of input fields (fields.js, choices.js).

import { el, icon, safeUrl } from "./dom.js";
import { CHOICES } from "./choices.js";
import { confirmed } from "./confirm.js";
import { directory } from "./directory.js";
import { FIELDS } from "./fields.js";
import { glyph } from "./glyphs.js";
import { openMenu } from "./menu.js";
import { plain } from "./mrkdwn.js";
import { thumbnail } from "./pictures.js";
import { unknown } from "./unknown.js";

const BUTTONS = { button, workflow_button: button, overflow, feedback_buttons: feedback, icon_button: iconElement, image: (spec) => thumbnail(spec) };

/**
 * One interactive element. `place` says where it stands: {label, id, labelId, describedBy, optional} come from an
 * input block; `silent` holds back the block action, as input blocks do without dispatch_action.
 */
export function element(one, block, form, index = 0, place = {}) {
  if (hiddenFromMe(one)) return null;
  const spec = { ...one, action_id: one?.action_id || `action-${index}` };
  const slot = new Slot(spec, block.block_id, form, place);
  const draw = [BUTTONS, CHOICES, FIELDS].find((kinds) => Object.hasOwn(kinds, spec.type))?.[spec.type];
  if (!draw) return unknown(one, "element");
  return draw(spec, slot);
}

function hiddenFromMe(one) {
  const seen = one?.visible_to_user_ids;
  return Array.isArray(seen) && seen.length > 0 && !seen.includes(directory.me);
}

// The place of one element: where its value is kept and how its action is sent.
class Slot {
  constructor(spec, blockId, form, place) {
    this.spec = spec;
    this.blockId = blockId;
    this.form = form;
    this.place = place;
  }

  /** Attributes that every interactive node carries. */
  attrs(extra = {}) {
    const { id, describedBy, label } = this.place;
    const name = label ? null : this.spec.accessibility_label || plain(this.spec.placeholder?.text).join("") || "Choose an option";
    return { id, "aria-describedby": describedBy, "aria-label": name, "data-action-id": this.spec.action_id, "data-focus": Boolean(this.spec.focus_on_load), ...extra };
  }

  read(initial) {
    return this.form.read(this.blockId, this.spec.action_id, { type: this.spec.type, ...initial });
  }

  /** Keep a new value and, unless an input block holds it back, send it as an action. */
  async change(value, node, undo) {
    const full = { type: this.spec.type, ...value };
    if (!this.place.silent && this.spec.confirm && !(await confirmed(this.spec.confirm))) return undo?.();
    this.form.write(this.blockId, this.spec.action_id, full);
    node?.dispatchEvent(new CustomEvent("kept", { bubbles: true }));
    if (this.place.silent) return null;
    return this.form.act(this.blockId, { ...full, action_id: this.spec.action_id }, node);
  }

  keep(value) {
    this.form.write(this.blockId, this.spec.action_id, { type: this.spec.type, ...value });
  }

  /** Send an action that leaves no state behind (buttons and menus). */
  async send(action, node, confirmation = this.spec.confirm) {
    if (node?.getAttribute("aria-busy") === "true") return null;
    if (confirmation && !(await confirmed(confirmation))) return null;
    return this.form.act(this.blockId, { type: this.spec.type, action_id: this.spec.action_id, ...action }, node);
  }
}

function button(spec, slot) {
  const action = { text: spec.text, ...(spec.value === undefined ? {} : { value: spec.value }) };
  const address = spec.url ? safeUrl(spec.url) : null;
  const style = ["primary", "danger"].includes(spec.style) ? spec.style : "";
  const attrs = slot.attrs({ class: `button ${style}`.trim(), "data-value": spec.value, "aria-label": spec.accessibility_label || null, "data-focus": null });
  const text = plain(spec.text?.text, spec.text?.emoji !== false);
  const node = address
    ? el("a", { ...attrs, href: address, target: "_blank", rel: "noopener noreferrer" }, text)
    : el("button", { ...attrs, type: "button" }, text);
  node.addEventListener("click", () => slot.send(action, node));
  return node;
}

function overflow(spec, slot) {
  const node = el("button", slot.attrs({ type: "button", class: "button overflow", "aria-label": spec.accessibility_label || "More actions", "aria-haspopup": "menu", "aria-expanded": "false", "data-focus": null }), icon("more"));
  const choose = async (option) => {
    if (spec.confirm && !(await confirmed(spec.confirm))) return;
    const address = option.url ? safeUrl(option.url) : null;
    if (address) window.open(address, "_blank", "noopener");
    slot.send({ selected_option: option }, node, null);
  };
  const items = (spec.options || []).map((option) => ({ label: plain(option.text?.text), value: option.value, detail: plain(option.description?.text).join(""), choose: () => choose(option) }));
  node.addEventListener("click", () => openMenu(node, items));
  return node;
}

function feedback(spec, slot) {
  const chosen = slot.read({ value: null });
  const nodes = [["positive_button", "thumbs-up", "Good response"], ["negative_button", "thumbs-down", "Bad response"]].map(([part, face, fallback]) => {
    const side = spec[part] || {};
    const name = side.accessibility_label || plain(side.text?.text).join("") || fallback;
    const node = el("button", { type: "button", class: "icon-button feedback", "data-action-id": spec.action_id, "data-value": side.value, "aria-label": name, title: plain(side.text?.text).join("") || name, "aria-pressed": String(Boolean(side.value) && chosen.value === side.value) }, glyph(face));
    node.addEventListener("click", async () => {
      if (!(await slot.send({ value: side.value, text: side.text }, node))) return;
      slot.keep({ value: side.value });
      for (const other of nodes) other.setAttribute("aria-pressed", String(other === node));
    });
    return node;
  });
  return el("span", { class: "feedback-pair", role: "group", "aria-label": "Rate this response" }, nodes);
}

function iconElement(spec, slot) {
  const name = spec.accessibility_label || plain(spec.text?.text).join("") || spec.icon || "Action";
  const node = el("button", slot.attrs({ type: "button", class: "icon-button", "aria-label": name, title: plain(spec.text?.text).join("") || name, "data-value": spec.value, "data-focus": null }), glyph(spec.icon) || icon("more"));
  node.addEventListener("click", () => slot.send({ value: spec.value, icon: spec.icon }, node));
  return node;
}
