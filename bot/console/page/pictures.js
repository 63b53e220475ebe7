// Knows how a picture is shown without a request leaving this machine; knows nothing of the block around it.

import { el, icon, iconButton, isLocal, link, safeUrl } from "./dom.js";

/** A picture, unless loading it would send a request off this machine: then its alt text and address. */
export function picture(block, className = "picture") {
  const address = pictureAddress(block || {});
  const alt = block?.alt_text || "";
  if (!address || !isLocal(address)) return missing(className, alt, address);
  const image = el("img", { class: className, src: address, alt, loading: "lazy" });
  image.addEventListener("error", () => (image.closest(".zoom") || image).replaceWith(missing(className, alt, address, "This picture could not be loaded.")), { once: true });
  return className === "picture" ? zoom(image, alt, address) : image;
}

/** A small picture beside text. */
export function thumbnail(block) {
  return picture(block, "thumbnail");
}

/** A picture that opens large when it is used. */
export function zoom(image, name, address) {
  return el("button", { type: "button", class: "zoom", "aria-label": name ? `Enlarge: ${name}` : "Enlarge picture", "data-action-id": "enlarge", on: { click: () => lightbox(address, name) } }, image);
}

function pictureAddress(block) {
  if (block.slack_file?.id) return `/_local/file/${encodeURIComponent(block.slack_file.id)}`;
  return block.slack_file?.url || block.image_url;
}

function missing(className, alt, address, why = "Not loaded: it is on another machine.") {
  const open = address && safeUrl(address) ? link(address, "Open") : null;
  if (className !== "picture") return el("span", { class: `${className} picture-blank`, role: "img", "aria-label": alt || "Picture", title: `${alt || "Picture"}. ${why}` }, icon("file"));
  return el("div", { class: "picture-missing" }, el("span", {}, alt || "Picture"), el("small", {}, why, " ", open));
}

// The large view: Esc, the cross or a click beside the picture closes it and gives the keyboard back.
function lightbox(address, name) {
  const opener = document.activeElement;
  const shut = () => {
    dialog.close();
    dialog.remove();
    opener?.focus?.();
  };
  const save = el("a", { class: "icon-button", href: address, download: name || "picture", "aria-label": "Download", title: "Download" }, icon("down"));
  const close = iconButton("close", "Close", shut, { "data-action-id": "lightbox-close" });
  const dialog = el("dialog", { class: "lightbox", "data-testid": "lightbox", "aria-label": name || "Picture" }, el("header", {}, el("span", {}, name), save, close), el("img", { src: address, alt: name }));
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    shut();
  });
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  dialog.addEventListener("click", (event) => event.target === dialog && shut());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}
