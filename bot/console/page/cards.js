// Knows the blocks that frame others (card, carousel, container, alert, video, file); knows nothing of inputs.

import { el, icon, link } from "./dom.js";
import { element } from "./elements.js";
import { fileCard } from "./filecards.js";
import { glyph, glyphButton } from "./glyphs.js";
import { plain, textObject } from "./mrkdwn.js";
import { picture } from "./pictures.js";
import { richText } from "./richtext.js";

const LEVEL = { default: ["Note", "info"], info: ["Info", "info"], warning: ["Warning", "warning"], error: ["Error", "warning"], success: ["Success", "check"] };
const WIDTHS = ["narrow", "standard", "wide", "full"];

/** alert: a text with a level. */
export function alertBlock(block) {
  const level = Object.hasOwn(LEVEL, block.level) ? block.level : "default";
  const [name, face] = LEVEL[level];
  return el("div", { class: `alert-box ${level}`, role: "note", "aria-label": name }, glyph(face), el("div", { class: "text" }, textObject(block.text)));
}

/** card: hero picture, icon, title, subtitle, body, buttons. */
export function card(block, form) {
  const hero = block.hero_image ? picture(block.hero_image, "hero") : null;
  const face = block.icon ? picture(block.icon, "card-icon") : block.slack_icon ? el("span", { class: "file-badge" }, glyph(block.slack_icon.name) || icon("file")) : null;
  const titles = el("div", { class: "card-titles" }, block.title ? el("strong", {}, textObject(block.title)) : null, block.subtitle ? el("small", {}, textObject(block.subtitle)) : null);
  const buttons = block.actions?.length ? el("div", { class: "buttons" }, block.actions.map((one, index) => element(one, block, form, index))) : null;
  const body = block.body ? el("div", { class: "text" }, textObject(block.body)) : null;
  const fine = block.subtext ? el("div", { class: "fine" }, textObject(block.subtext)) : null;
  return el("article", { class: "card-frame" }, hero, face || titles.childNodes.length ? el("div", { class: "card-head" }, face, titles) : null, body, fine, buttons);
}

/** carousel: cards side by side, turned with arrows, keys or fingers. */
export function carousel(block, form, blocks) {
  const cards = block.elements || block.cards || [];
  const shown = blocks(cards.map((one, index) => ({ type: "card", block_id: `${block.block_id}-${index}`, ...one })), form);
  const row = el("div", { class: "carousel-row", tabindex: "0", role: "group", "aria-roledescription": "carousel", "aria-label": `${cards.length} ${cards.length === 1 ? "card" : "cards"}` }, shown);
  // Where the row is going, so that quick presses add up while it still moves.
  let goal = null;
  const turn = (by) => {
    const left = (goal ?? row.scrollLeft) + by * (shown[0]?.offsetWidth || 280);
    goal = Math.max(0, Math.min(left, row.scrollWidth - row.clientWidth));
    row.scrollTo({ left: goal, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  const back = glyphButton("caret-left", "Earlier cards", () => turn(-1), { class: "icon-button carousel-turn back", hidden: true });
  const next = glyphButton("caret-right", "More cards", () => turn(1), { class: "icon-button carousel-turn next", hidden: true });
  const arrows = () => {
    back.hidden = row.scrollLeft < 8;
    next.hidden = row.scrollLeft + row.clientWidth > row.scrollWidth - 8;
  };
  row.addEventListener("scroll", arrows, { passive: true });
  row.addEventListener("scrollend", () => void (goal = null));
  row.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || event.target !== row) return;
    event.preventDefault();
    turn(by);
  });
  new ResizeObserver(arrows).observe(row);
  return el("div", { class: "carousel-frame" }, row, back, next);
}

/** container: other blocks, perhaps folded away behind a title. */
export function container(block, form, blocks) {
  const children = blocks(block.child_blocks || [], form);
  const width = WIDTHS.includes(block.width) ? block.width : "standard";
  const title = block.rich_text_title ? el("div", { class: "rich" }, richText(block.rich_text_title.elements)) : el("strong", {}, block.title ? textObject(block.title) : "Details");
  const head = [block.icon ? picture(block.icon, "card-icon") : null, el("div", { class: "card-titles" }, title, block.subtitle ? el("small", {}, textObject(block.subtitle)) : null)];
  if (!block.is_collapsible) {
    const classes = `container-title${block.has_header_divider ? " divided" : ""}`;
    return el("div", { class: `container-box ${width}` }, block.title || block.rich_text_title ? el("div", { class: classes }, head) : null, children);
  }
  return el("details", { class: `container-box ${width}`, open: !block.default_collapsed }, el("summary", { "data-action-id": `${block.block_id}-toggle` }, icon("chevron"), head), children);
}

/** video: a card that leads to the video; nothing is embedded, as that would call out. */
export function video(block) {
  const by = [block.provider_name, block.author_name].filter(Boolean).join(" · ");
  const face = block.thumbnail_url ? picture({ image_url: block.thumbnail_url, alt_text: block.alt_text }, "video-still") : null;
  return el("div", { class: "video-card" }, by ? el("small", {}, plain(by)) : null,
    el("strong", {}, link(block.title_url || block.video_url, plain(block.title?.text))), block.description ? el("div", { class: "text" }, plain(block.description.text)) : null,
    el("div", { class: "video-frame" }, face, el("span", { class: "video-play" }, link(block.video_url, glyph("play"), el("span", {}, "Play in a new tab")))));
}

/** file: a remote file, or one of the workspace's own. */
export function fileBlock(block) {
  if (block.file) return fileCard(block.file);
  return el("div", { class: "row-card" }, el("span", { class: "file-badge" }, icon("file")), el("div", { class: "file-facts" }, el("strong", {}, String(block.external_id || block.file_id || "File")), el("small", {}, `${block.source === "remote" ? "Remote file" : "File"}, not stored here`)));
}
