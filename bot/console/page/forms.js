// Knows what a person has chosen or typed in a message or view and sends a click once; knows nothing of how elements look.

import { post } from "./api.js";

const stores = new Map();
const inFlight = new Set();

/**
 * The form of one message or view. `key` is stable over edits of the same message or view;
 * `target` is what an action names: {channel, message_ts} or {view_id}.
 */
export function formFor(key, target) {
  const known = stores.get(key);
  if (known) {
    known.target = target;
    return known;
  }
  const form = new Form(key, target);
  stores.set(key, form);
  return form;
}

/** Forget a closed view. */
export function dropForm(key) {
  stores.delete(key);
}

class Form {
  constructor(key, target) {
    this.key = key;
    this.target = target;
    this.values = {};
    this.initials = {};
    this.touched = false;
  }

  get inView() {
    return Boolean(this.target.view_id);
  }

  /**
   * The present value of a stateful element. In a view Slack keeps what was typed while block_id and action_id stay;
   * in a message a new initial value from the app replaces it.
   */
  read(blockId, actionId, initial) {
    const block = (this.values[blockId] ??= {});
    const mark = JSON.stringify(initial);
    const place = `${blockId}\n${actionId}`;
    const stale = !this.inView && this.initials[place] !== mark;
    if (!Object.hasOwn(block, actionId) || stale || block[actionId].type !== initial.type) block[actionId] = { ...initial };
    this.initials[place] = mark;
    return block[actionId];
  }

  write(blockId, actionId, value) {
    this.touched = true;
    (this.values[blockId] ??= {})[actionId] = value;
  }

  /** State values of the blocks that are shown now, as Slack sends them. */
  state(shownBlocks) {
    const shown = new Set(allBlockIds(shownBlocks));
    const values = Object.fromEntries(Object.entries(this.values).filter(([id, block]) => shown.has(id) && Object.keys(block).length));
    return { values };
  }

  /** Send one action; the same one is not sent again while the first is on its way. Resolves to the answer or null. */
  async act(blockId, action, node) {
    const place = [this.key, blockId, action.action_id, JSON.stringify(action)].join("\n");
    if (inFlight.has(place)) return null;
    inFlight.add(place);
    node?.setAttribute("aria-busy", "true");
    try {
      return await post("action", { ...this.target, block_id: blockId, action, state: { values: this.values } });
    } finally {
      inFlight.delete(place);
      node?.removeAttribute("aria-busy");
    }
  }
}

function allBlockIds(list, out = []) {
  (list || []).forEach((block, index) => {
    out.push(block.block_id || `block-${index}`);
    allBlockIds(block.child_blocks, out);
  });
  return out;
}
