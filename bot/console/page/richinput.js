// Knows the rich_text_input element: a box with formatting buttons; knows nothing of the JSON it becomes (richdom.js).

import { el, safeUrl } from "./dom.js";
import { glyph } from "./glyphs.js";
import { plain } from "./mrkdwn.js";
import { fromRichText, toRichText } from "./richdom.js";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const TOOLS = [
  ["bold", "Bold", "b"], ["italic", "Italic", "i"], ["strike", "Strikethrough", "shift+x"], ["link", "Link", "shift+u"],
  ["ordered", "Ordered list", "shift+7"], ["bullet", "Bulleted list", "shift+8"], ["quote", "Blockquote", "shift+9"], ["code", "Code", "shift+c"], ["snippet", "Code block", "shift+alt+c"],
];
const SIMPLE = { bold: "bold", italic: "italic", strike: "strikeThrough", bullet: "insertUnorderedList", ordered: "insertOrderedList" };
const INSIDE = { link: "a", quote: "blockquote", code: "code", snippet: "pre" };

/** rich_text_input. `keepTyping(spec, slot, node, read)` keeps the value and sends it where the block asks for that. */
export function richInput(spec, slot, keepTyping) {
  const state = slot.read({ rich_text_value: spec.initial_value ?? null });
  const placeholder = plain(spec.placeholder?.text).join("");
  const box = el("div", { ...slot.attrs({ "aria-label": slot.place.label ? null : placeholder || "Text" }), class: "field rich-box", contenteditable: "true", role: "textbox", "aria-multiline": "true", "aria-labelledby": slot.place.labelId, "data-placeholder": placeholder });
  box.append(...fromRichText(state.rich_text_value));
  const editor = new Editor(box);
  keepTyping(spec, slot, box, () => ({ rich_text_value: toRichText(box) }));
  const lines = (count) => `calc(${count} * 1.5em + 18px)`;
  box.style.setProperty("min-height", lines(Math.min(spec.min_lines || 3, 20)));
  if (spec.max_lines) box.style.setProperty("max-height", lines(Math.max(spec.max_lines, 1)));
  return el("div", { class: "rich-input" }, editor.toolbar, editor.linker, box);
}

class Editor {
  constructor(box) {
    this.box = box;
    this.buttons = new Map(TOOLS.map((tool) => [tool[0], this.button(tool)]));
    this.toolbar = el("div", { class: "rich-tools", role: "toolbar", "aria-label": "Formatting" }, [...this.buttons.values()]);
    this.linker = this.linkForm();
    const first = this.buttons.get("bold");
    first.tabIndex = 0;
    this.toolbar.addEventListener("keydown", (event) => this.walk(event));
    box.addEventListener("keydown", (event) => this.keys(event));
    box.addEventListener("paste", pastePlain);
    box.addEventListener("drop", (event) => event.preventDefault());
    box.addEventListener("input", () => this.mark());
    for (const type of ["keyup", "pointerup", "focus"]) box.addEventListener(type, () => this.mark());
    this.mark();
  }

  button([name, label, shortcut]) {
    const shown = shortcut.split("+").map((key) => ({ shift: MAC ? "⇧" : "Shift", alt: MAC ? "⌥" : "Alt" })[key] || key.toUpperCase());
    const node = el("button", { type: "button", class: "icon-button", tabindex: "-1", "aria-label": label, title: `${label} (${[MAC ? "⌘" : "Ctrl", ...shown].join("+")})`, "aria-pressed": "false", "data-tool": name }, glyph(name));
    // The selection in the box has to outlive a click on a button.
    node.addEventListener("pointerdown", (event) => event.preventDefault());
    node.addEventListener("click", () => this.apply(name));
    return node;
  }

  walk(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const all = [...this.buttons.values()];
    const next = all[(all.indexOf(document.activeElement) + by + all.length) % all.length];
    for (const one of all) one.tabIndex = one === next ? 0 : -1;
    next.focus();
  }

  keys(event) {
    if (event.key === "Tab" && this.within("li")) return this.indent(event);
    if (event.key === "Enter" && this.within("pre")) return this.lineBreak(event);
    if (event.key === "Enter" && !event.shiftKey && this.within("blockquote") && this.emptyLine()) return this.leave(event);
    if (!(MAC ? event.metaKey : event.ctrlKey)) return null;
    const pressed = [event.shiftKey ? "shift" : "", event.altKey ? "alt" : "", event.code.replace(/^(Key|Digit)/, "").toLowerCase()].filter(Boolean).join("+");
    const tool = TOOLS.find(([, , shortcut]) => shortcut === pressed);
    if (!tool) return null;
    event.preventDefault();
    return this.apply(tool[0]);
  }

  indent(event) {
    event.preventDefault();
    event.stopPropagation();
    document.execCommand(event.shiftKey ? "outdent" : "indent");
  }

  lineBreak(event) {
    if (event.shiftKey || !this.emptyLine()) {
      event.preventDefault();
      return document.execCommand("insertText", false, "\n");
    }
    return this.leave(event);
  }

  // Enter on an empty line leaves a quote or code block, as in Slack's own composer.
  leave(event) {
    event.preventDefault();
    const block = this.within("blockquote") || this.within("pre");
    const line = el("div", {}, document.createElement("br"));
    while (block.lastChild && (block.lastChild.nodeName === "BR" || (block.lastChild.nodeType === Node.ELEMENT_NODE && !block.lastChild.textContent))) block.lastChild.remove();
    if (block.lastChild?.nodeType === Node.TEXT_NODE) block.lastChild.data = block.lastChild.data.replace(/\n+$/, "");
    block.after(line);
    getSelection().collapse(line, 0);
    this.changed();
  }

  emptyLine() {
    const selection = getSelection();
    if (!selection.isCollapsed) return false;
    const { anchorNode: node, anchorOffset: at } = selection;
    if (node.nodeType !== Node.TEXT_NODE) return !node.textContent || node.childNodes[at - 1]?.nodeName === "BR";
    return at === node.data.length && node.data.endsWith("\n");
  }

  apply(name) {
    this.box.focus();
    if (SIMPLE[name]) document.execCommand(SIMPLE[name]);
    else if (name === "link") return this.askLink();
    else if (name === "code") this.code();
    else this.block(INSIDE[name]);
    return this.changed();
  }

  changed() {
    this.box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }

  block(tag) {
    const on = this.within(tag);
    if (!on) return void document.execCommand("formatBlock", false, tag);
    const line = el("div", {}, ...on.childNodes);
    on.replaceWith(line);
    return void getSelection().collapse(line, line.childNodes.length);
  }

  code() {
    const on = this.within("code");
    const range = getSelection().getRangeAt(0);
    if (on) {
      const parts = [...on.childNodes];
      on.replaceWith(...parts);
      return void (parts.length && getSelection().setBaseAndExtent(parts[0], 0, parts.at(-1), parts.at(-1).length ?? 0));
    }
    const node = el("code", {}, range.toString() || "\u200b");
    range.deleteContents();
    range.insertNode(node);
    return void getSelection().collapse(node.firstChild, node.firstChild.length);
  }

  linkForm() {
    const address = el("input", { type: "text", class: "field", "aria-label": "Link address", placeholder: "https://", inputmode: "url" });
    const form = el("div", { class: "rich-link", hidden: true }, address, el("button", { type: "button", class: "button slim", on: { click: () => this.link() } }, "Add link"));
    address.addEventListener("input", (event) => event.stopPropagation());
    address.addEventListener("keydown", (event) => {
      if (!["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Enter") this.link();
      else this.closeLink();
    });
    this.address = address;
    return form;
  }

  askLink() {
    const on = this.within("a");
    if (on) {
      on.replaceWith(...on.childNodes);
      return this.changed();
    }
    this.range = getSelection().rangeCount ? getSelection().getRangeAt(0).cloneRange() : null;
    this.linker.hidden = false;
    this.address.value = "";
    return this.address.focus();
  }

  link() {
    const typed = this.address.value.trim();
    const address = safeUrl(/^[a-z][a-z0-9+.-]*:/i.test(typed) ? typed : `https://${typed}`);
    if (!typed || !address) return this.address.setAttribute("aria-invalid", "true");
    this.closeLink();
    const range = getSelection().getRangeAt(0);
    const node = el("a", { href: address }, range.toString() || typed);
    range.deleteContents();
    range.insertNode(node);
    getSelection().collapse(node.parentNode, [...node.parentNode.childNodes].indexOf(node) + 1);
    return this.changed();
  }

  closeLink() {
    this.linker.hidden = true;
    this.address.removeAttribute("aria-invalid");
    this.box.focus();
    getSelection().removeAllRanges();
    if (this.range) getSelection().addRange(this.range);
  }

  within(tag) {
    const node = getSelection().anchorNode;
    const found = (node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement)?.closest(tag);
    return found && this.box.contains(found) && found !== this.box ? found : null;
  }

  mark() {
    const here = this.box.contains(getSelection().anchorNode);
    for (const [name, node] of this.buttons) {
      const on = here && (INSIDE[name] ? Boolean(this.within(INSIDE[name])) : document.queryCommandState(SIMPLE[name]));
      node.setAttribute("aria-pressed", String(on));
    }
    this.box.classList.toggle("empty", !this.box.textContent && !this.box.querySelector("li, pre, blockquote"));
  }
}

// Pasted markup never enters the page; only its text does.
function pastePlain(event) {
  event.preventDefault();
  document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
}
