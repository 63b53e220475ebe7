// Knows how to carry the keyboard over a redraw: which control had it, and where the caret stood.

/** Run `change` on `root`; afterwards the same control as before has the keyboard. Says whether one was found. */
export function keepingFocus(root, change) {
  const held = root.contains(document.activeElement) ? document.activeElement : null;
  const caret = held && typeof held.selectionStart === "number" ? [held.selectionStart, held.selectionEnd, held.value] : null;
  const place = held && placeOf(held);
  change();
  if (!held || (held.isConnected && root.contains(held))) return Boolean(held);
  const match = find(root, place);
  if (!match) return false;
  match.focus({ preventScroll: true });
  // Typing goes on where it was, also where the redraw fell between two letters.
  if (caret && match.value === caret[2] && match.setSelectionRange) match.setSelectionRange(caret[0], caret[1]);
  return true;
}

function placeOf(node) {
  const { actionId, value } = node.dataset;
  return { block: node.closest("[data-block-id]")?.dataset.blockId, actionId, value: value ?? (["radio", "checkbox"].includes(node.type) ? node.value : undefined) };
}

function find(root, { block, actionId, value }) {
  if (!actionId) return null;
  const same = [...root.querySelectorAll("[data-action-id]")].filter((node) => node.dataset.actionId === actionId);
  const near = same.filter((node) => node.closest("[data-block-id]")?.dataset.blockId === block);
  const exact = (list) => list.find((node) => (node.dataset.value ?? (["radio", "checkbox"].includes(node.type) ? node.value : undefined)) === value);
  return exact(near) || near[0] || exact(same) || same[0] || null;
}
