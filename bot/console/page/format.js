// Knows Slack's formatting shortcuts and puts their marks around what is selected; knows nothing of sending.

/** The buttons of the formatting bar: [icon, name, keys, mark or function]. */
export const FORMATS = [
  { icon: "bold", name: "Bold", keys: "Ctrl+B", mark: "*" },
  { icon: "italic", name: "Italic", keys: "Ctrl+I", mark: "_" },
  { icon: "strike", name: "Strikethrough", keys: "Ctrl+Shift+X", mark: "~" },
  { icon: "code", name: "Code", keys: "Ctrl+Shift+C", mark: "`" },
  { icon: "snippet", name: "Code block", keys: "Ctrl+Alt+Shift+C", mark: "```\n" },
  { icon: "quote", name: "Quote", keys: "Ctrl+Shift+9", line: "> " },
];

/** Format if the keys are a shortcut; says whether they were. */
export function shortcutKeys(event, box) {
  if (!(event.ctrlKey || event.metaKey)) return false;
  const pressed = `Ctrl+${event.altKey ? "Alt+" : ""}${event.shiftKey ? "Shift+" : ""}${event.code === "Digit9" ? "9" : event.key.toUpperCase()}`;
  const format = FORMATS.find((one) => one.keys === pressed);
  if (!format) return false;
  event.preventDefault();
  apply(format, box);
  return true;
}

/** Put a format's marks around the selection, or take them away. */
export function apply(format, box) {
  if (format.line) quoteLines(format.line, box);
  else wrap(format.mark, box);
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
}

function wrap(mark, box) {
  const { selectionStart: start, selectionEnd: end, value } = box;
  const close = [...mark].reverse().join("");
  const inner = value.slice(start, end);
  if (value.slice(start - mark.length, start) === mark && value.slice(end, end + close.length) === close) {
    box.setRangeText(inner, start - mark.length, end + close.length, "select");
    return;
  }
  box.setRangeText(mark + inner + close, start, end, "end");
  box.setSelectionRange(start + mark.length, start + mark.length + inner.length);
}

function quoteLines(sign, box) {
  const { selectionStart: start, selectionEnd: end, value } = box;
  const from = value.lastIndexOf("\n", start - 1) + 1;
  const lines = value.slice(from, end).split("\n");
  const quoted = lines.every((line) => line.startsWith(sign));
  box.setRangeText(lines.map((line) => (quoted ? line.slice(sign.length) : sign + line)).join("\n"), from, end, "end");
}
