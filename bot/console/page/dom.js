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

/** The place on this page (`#channel/thread/message`) that a permalink of this workspace leads to, or "". */
export function permalink(address) {
  const url = new URL(address, location.origin);
  const match = /^\/archives\/(\w+)(?:\/p(\d{10,})(\d{6}))?\/?$/.exec(url.pathname);
  if (!match || url.port !== location.port || !["127.0.0.1", "localhost", location.hostname].includes(url.hostname)) return "";
  if (!match[2]) return `#${match[1]}`;
  return `#${match[1]}/${url.searchParams.get("thread_ts") || ""}/${match[2]}.${match[3]}`;
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
  at: "M13 10a3 3 0 1 1-6 0a3 3 0 0 1 6 0zM13 7.2V11c0 2.6 3.5 2.6 3.5-1a6.5 6.5 0 1 0-2.6 5.2",
  bold: "M6.5 4h4.2a2.8 2.8 0 0 1 0 5.8H6.5zM6.5 9.8h5a3.1 3.1 0 0 1 0 6.2h-5z",
  italic: "M8.5 4h5M6.5 16h5M11.5 4l-3 12",
  strike: "M4 10h12M13.5 6.2C12.8 4.700 11.500 4 10 4C8 4 6.500 5.200 6.500 6.800c0 1 .5 1.700 1.400 2.200M6.400 13.500C7 15.200 8.400 16 10 16c2 0 3.600-1.200 3.600-3",
  snippet: "M4 4h12v12H4zM8.200 8L6.200 10l2 2M11.800 8l2 2-2 2",
  quote: "M4 4v12M8 7h8M8 10h8M8 13h5",
  link: "M8.500 11.500l3-3M9 6.500l1.500-1.500a3.200 3.200 0 0 1 4.500 4.500L13.500 11M11 13.500L9.500 15A3.200 3.200 0 0 1 5 10.500L6.500 9",
  lock: "M5.500 9.500h9V16h-9zM7.500 9.500V7a2.500 2.500 0 0 1 5 0v2.500",
  hash: "M8 4L6.500 16M13.500 4L12 16M4.500 8h12M3.500 12h12",
  threads: "M3.500 5h10v7h-6l-4 3zM15.500 8h1.500v6h-2l-2 2-2-2H9",
  people: "M8 9.500a2.500 2.500 0 1 0 0-5a2.500 2.500 0 0 0 0 5zM3.500 16c0-5 9-5 9 0M13 5a2.300 2.300 0 0 1 0 4.500M14.500 11.800c1.500.7 2.200 2 2.200 4",
  pin: "M8 3.500h4l.5 5 2 2.500H5.500l2-2.500zM10 11v6",
  edit: "M4 16l.8-3.500L13 4.300a1.500 1.500 0 0 1 2.200 0l.5.5a1.500 1.500 0 0 1 0 2.200L7.500 15.200z",
  search: "M9 4a5 5 0 1 0 0 10a5 5 0 0 0 0-10zM12.700 12.700L16.500 16.500",
  newtab: "M8 5H4v11h11v-4M11 4h5v5M16 4l-7 7",
  flash: "M11 3L5 11h4.500L9 17l6-8h-4.500z",
  text: "M3 15L6.500 5L10 15M4.200 11.800h4.600M12.500 12.500a2.300 2.300 0 1 0 4.600 0a2.300 2.300 0 0 0-4.600 0zM17.100 9.500V15",
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
