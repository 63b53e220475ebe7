// Knows the line drawings that Block Kit names (Slack icons, thumbs, play); knows nothing of where they stand.

import { el, svg } from "./dom.js";

const PATHS = {
  archive: "M3 4h14v4H3zM4.5 8v8h11V8M8 11h4", book: "M4 4h5a2 2 0 0 1 1 2v11a2 2 0 0 0-2-1.5H4zM16 4h-5a2 2 0 0 0-1 2v11a2 2 0 0 1 2-1.5h4z",
  bookmark: "M6 3h8v14l-4-3.5L6 17z", bot: "M4.5 7h11v9h-11zM10 4v3M8 11v1M12 11v1M2.5 10v3M17.5 10v3", bug: "M7 8a3 3 0 0 1 6 0v5a3 3 0 0 1-6 0zM7 10H3M17 10h-4M7 14l-3 2M13 14l3 2M7 7L5 4M13 7l2-3",
  calendar: "M3.5 5h13v12h-13zM3.5 9h13M7 3v4M13 3v4", call: "M5 3l3 1 1 4-2 1.5a9 9 0 0 0 4 4L12.5 11.5l4 1 .5 3.5a13 13 0 0 1-14-13z",
  "caret-left": "M12 5l-5 5 5 5", "caret-right": "M8 5l5 5-5 5", check: "M4 10.5l4 4 8-9", clipboard: "M5 4h10v13H5zM8 3h4v3H8z", clock: "M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM10 6v4.5l3 1.5",
  code: "M7 6l-4 4 4 4M13 6l4 4-4 4", comment: "M4 4h12v9H9l-4 4v-4H4z", compass: "M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM13 7l-1.5 4.5L7 13l1.5-4.5z",
  copy: "M7 7h9v9H7zM4 13V4h9", cube: "M10 3l6 3.5v7L10 17l-6-3.5v-7zM4 6.5l6 3.5 6-3.5M10 10v7", download: "M10 4v9M6 10l4 4 4-4M4 17h12", edit: "M4 16l1-4 8-8 3 3-8 8z",
  email: "M3 5h14v10H3zM3 6l7 5 7-5", "eye-closed": "M3 8c3 5 11 5 14 0M5 12l-1.5 2M10 13v2.5M15 12l1.5 2", "eye-open": "M2.5 10c3.5-6 11.5-6 15 0c-3.5 6-11.5 6-15 0zM10 8a2 2 0 1 0 0 4a2 2 0 0 0 0-4z",
  file: "M6 3h6l3 3v11H6zM12 3v3h3", flag: "M5 17V4M5 4h10l-2 3.5 2 3.5H5", folder: "M3 5h5l2 2h7v9H3z", gear: "M10 7a3 3 0 1 0 0 6a3 3 0 0 0 0-6zM10 3v2M10 15v2M3 10h2M15 10h2M5 5l1.5 1.5M13.5 13.5L15 15M15 5l-1.5 1.5M6.5 13.5L5 15",
  globe: "M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM3 10h14M10 3c-4 4-4 10 0 14M10 3c4 4 4 10 0 14", heart: "M10 16L4 10a3.8 3.8 0 0 1 6-4.5A3.8 3.8 0 0 1 16 10z", help: "M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM8 8.5c0-3 4.5-2.5 4 0c-.3 1.2-2 1.3-2 3M10 14h.01",
  image: "M3 4h14v12H3zM3 14l4-4 3 3 3-3 4 4M7 7.5h.01", info: "M10 3a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM10 9.5V14M10 6.5h.01", key: "M6.5 8a3 3 0 1 0 0 6a3 3 0 0 0 0-6zM9 9.5L16 4M13 6.5l2 2", lightbulb: "M7.5 13a5 5 0 1 1 5 0v2h-5zM8.5 17h3",
  link: "M8.5 11.5l3-3M9 6.5l1.5-1.5a3 3 0 0 1 4.5 4.5L13.5 11M11 13.5L9.5 15A3 3 0 0 1 5 10.5L6.5 9", map: "M3 5l4.5-1.5 5 2L17 4v11l-4.5 1.5-5-2L3 16zM7.5 3.5v11M12.5 5.5v11", mobile: "M6 3h8v14H6zM9 14.5h2",
  "new-window": "M11 4h5v5M16 4l-7 7M13 11v5H4V7h5", pin: "M8 3h4l-.5 6 2.5 3H6l2.5-3zM10 12v5", play: "M7 5l8 5-8 5z", plus: "M10 4v12M4 10h12", refine: "M3 6h14M6 10h8M8.5 14h3", refresh: "M16 10a6 6 0 1 1-2-4.5M16 3v3.5h-3.5",
  rocket: "M8 12c0-5 3-8 8-8c0 5-3 8-8 8zM8 12l-3 .5 2-4M8 12l3.5 1L11 16M5 15l-1.5 1.5", save: "M4 4h10l2 2v10H4zM7 4v4h5V4M7 16v-4h6v4", screen: "M3 4h14v9H3zM7 17h6M10 13v4", share: "M11 5l5 5-5 5v-3c-4 0-6 1-7.5 4c0-5 3-8 7.5-8z",
  sparkle: "M10 3l1.5 5.5L17 10l-5.5 1.5L10 17l-1.5-5.5L3 10l5.5-1.5z", star: "M10 3l2.2 4.6 5 .6-3.7 3.4 1 5L10 14.2 5.5 16.6l1-5L2.8 8.2l5-.6z", tag: "M3 4h6l8 8-5.5 5.5L3 9.5zM6.5 7h.01",
  "thumbs-down": "M6 4v8M6 11.5l3.5 5c1.5 0 2-1 1.7-2.3L10.7 12H15a1.5 1.5 0 0 0 1.4-2l-1.5-4.8A1.7 1.7 0 0 0 13.2 4H6zM3.5 4v8H6", "thumbs-up": "M6 16V8M6 8.5l3.5-5c1.5 0 2 1 1.7 2.3L10.7 8H15a1.5 1.5 0 0 1 1.4 2l-1.5 4.8a1.7 1.7 0 0 1-1.7 1.2H6zM3.5 16V8H6",
  trash: "M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6", upload: "M10 16V7M6 9.5l4-4 4 4M4 3h12", user: "M10 4a3 3 0 1 0 0 6a3 3 0 0 0 0-6zM4 17c0-6 12-6 12 0", warning: "M10 3.5l7.5 13h-15zM10 8.5v4M10 14.5h.01",
  bold: "M6 4h4.5a3 3 0 0 1 0 6H6zM6 10h5.5a3 3 0 0 1 0 6H6z", italic: "M9 4h5M6 16h5M12 4L8 16", strike: "M4 10h12M14 7c0-4-8-4-8-.5C6 9 14 9.5 14 13.5c0 3.5-8 3.5-8 0", bullet: "M8 5h9M8 10h9M8 15h9M4 5h.01M4 10h.01M4 15h.01",
  ordered: "M9 5h8M9 10h8M9 15h8M3 4l1.5-.8V7M3 9.5c2-1.5 3 0 1.5 1.5L3 12.5h2.5M3 14.5h2l-1 1.2c2 0 1.5 2.3-1 1.5", quote: "M4 4v12M8 6h9M8 10h9M8 14h6", snippet: "M3 4h14v12H3zM8 8l-2 2 2 2M12 8l2 2-2 2",
};
PATHS["star-filled"] = PATHS.star;

/** A drawing by the name that Slack gives it; `null` where there is none. */
export function glyph(name) {
  if (!Object.hasOwn(PATHS, name)) return null;
  return svg("svg", { viewBox: "0 0 20 20", class: name === "star-filled" ? "icon filled" : "icon", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}

/** A button that shows only a drawing; its name is read out and shown on hover. */
export function glyphButton(name, label, listener, attrs = {}) {
  return el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on: { click: listener }, ...attrs }, glyph(name));
}
