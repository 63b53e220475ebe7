// Knows how a picture is shown without a request leaving this machine; knows nothing of the block around it.

import { el, isLocal, link } from "./dom.js";

/** A picture, unless loading it would send a request off this machine: then its alt text and address. */
export function picture(block, className = "picture") {
  const address = pictureAddress(block);
  if (address && isLocal(address)) return el("img", { class: className, src: address, alt: block.alt_text || "", loading: "lazy" });
  return el("div", { class: "picture-missing" }, el("span", {}, block.alt_text || "Picture"), el("small", {}, "Not loaded: it is on another machine. ", address ? link(address, "Open") : null));
}

function pictureAddress(block) {
  if (block.slack_file?.id) return `/_local/file/${encodeURIComponent(block.slack_file.id)}`;
  return block.slack_file?.url || block.image_url;
}

/** A small picture beside text. */
export function thumbnail(block) {
  return picture(block, "thumbnail");
}
