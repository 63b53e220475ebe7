// Knows how to build DOM nodes without ever parsing markup; knows nothing of Slack.

const SVG = "http://www.w3.org/2000/svg";

/** Build an element. Strings become text nodes, so data can never turn into markup. */
export function el(tag, attrs = {}, ...children) {
  return fill(document.createElement(tag), attrs, children);
}

/** The same for SVG elements. */
export function svg(tag, attrs = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attrs, children);
}

function fill(node, attrs, children) {
  for (const [name, value] of Object.entries(attrs)) setAttribute(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") {
    for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
  } else if (name === "css") {
    // CSSOM instead of a style attribute: the page's content security policy forbids inline styles.
    for (const [property, text] of Object.entries(value)) node.style.setProperty(property, text);
  } else if (name === "value" || name === "checked" || name === "selected") {
    node[name] = value;
  } else {
    node.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Replace what a node holds; nothing is drawn for null and false. */
export function refill(node, ...children) {
  node.replaceChildren();
  return fill(node, {}, children);
}

/** A link, or plain text where the address is not one that a message may lead to. */
export function link(address, ...children) {
  const url = safeUrl(address);
  const inside = url && permalink(url);
  if (inside) return el("a", { href: inside }, children);
  if (!url) return el("span", { class: "dead-link", title: "This address is not opened from here" }, children);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, children);
}

/** The place on this page (`#channel/ts`) that a permalink of this workspace leads to, or "". */
export function permalink(address) {
  const url = new URL(address, location.origin);
  const match = /^\/archives\/(\w+)\/p(\d{10,})(\d{6})$/.exec(url.pathname);
  if (!match || url.port !== location.port || !["127.0.0.1", "localhost", location.hostname].includes(url.hostname)) return "";
  return `#${match[1]}/${url.searchParams.get("thread_ts") || `${match[2]}.${match[3]}`}`;
}

/** The address if it is http(s), mailto or tel; otherwise null. */
export function safeUrl(address) {
  try {
    const url = new URL(String(address), location.origin);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Whether a picture may be loaded without a request leaving this machine. */
export function isLocal(address) {
  try {
    const url = new URL(String(address), location.origin);
    if (url.protocol === "data:") return /^data:image\//.test(url.href);
    return url.origin === location.origin || ["127.0.0.1", "localhost"].includes(url.hostname);
  } catch {
    return false;
  }
}

const ICONS = {
  reply: "M4 5h12v8H9l-4 3v-3H4z",
  code: "M7 6l-4 4 4 4M13 6l4 4-4 4M11 4l-2 12",
  smile: "M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM7 11.5c1.6 2.2 4.4 2.2 6 0M7.6 8v.4M12.4 8v.4",
  close: "M5 5l10 10M15 5L5 15",
  back: "M12 4l-6 6 6 6",
  clip: "M14.5 9.5l-5 5a3 3 0 0 1-4.3-4.3l5.6-5.6a2 2 0 0 1 2.9 2.9l-5.5 5.5a1 1 0 0 1-1.5-1.4l5-5",
  send: "M3.5 4l13 6-13 6 2-6zM5.5 10h6",
  eye: "M2.5 10c3.5-6 11.5-6 15 0c-3.5 6-11.5 6-15 0zM10 8a2 2 0 1 0 0 4a2 2 0 0 0 0-4z",
  home: "M3 10l7-6 7 6M5 9v7h10V9",
  trash: "M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6",
  file: "M6 3h6l3 3v11H6zM12 3v3h3",
  more: "M5 10h.01M10 10h.01M15 10h.01",
  down: "M10 4v9M6 10l4 4 4-4M4 17h12",
  chevron: "M6 8l4 4 4-4",
  check: "M4 10.5l4 4 8-9",
  plus: "M10 4v12M4 10h12",
};

/** A line icon drawn in the text's colour; decoration only, so the button around it carries the name. */
export function icon(name) {
  return svg("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true" }, svg("path", { d: ICONS[name] || ICONS.more }));
}

/** A round icon button with an accessible name. */
export function iconButton(name, label, listener, attrs = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click: listener }, ...attrs }, icon(name));
}

/** Bytes as people read them. */
export function fileSize(bytes) {
  if (!Number.isFinite(bytes)) return "";
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
