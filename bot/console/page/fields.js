// Knows the elements people type or upload into; knows nothing of labels, hints and errors around them (inputs.js).

import { upload } from "./api.js";
import { el, fileSize, icon, iconButton } from "./dom.js";
import { toast } from "./toast.js";

export const FIELDS = {
  plain_text_input: text,
  email_text_input: (spec, slot) => text(spec, slot, "email"),
  url_text_input: (spec, slot) => text(spec, slot, "url"),
  number_input: number,
  rich_text_input: richInput,
  datepicker: (spec, slot) => when(spec, slot, "date", "selected_date", spec.initial_date),
  timepicker: (spec, slot) => when(spec, slot, "time", "selected_time", spec.initial_time),
  datetimepicker: dateTime,
  file_input: files,
};

function text(spec, slot, type = "text") {
  const state = slot.read({ value: spec.initial_value ?? null });
  const shared = { placeholder: spec.placeholder?.text, maxlength: spec.max_length, autofocus: spec.focus_on_load, class: "field" };
  const node = spec.multiline ? el("textarea", slot.attrs({ ...shared, rows: "5" })) : el("input", slot.attrs({ ...shared, type: type === "url" ? "url" : type }));
  node.value = state.value ?? "";
  keepTyping(spec, slot, node, () => ({ value: node.value === "" ? null : node.value }));
  return node;
}

function keepTyping(spec, slot, node, read) {
  const triggers = spec.dispatch_action_config?.trigger_actions_on || ["on_enter_pressed"];
  node.addEventListener("input", () => {
    if (triggers.includes("on_character_entered") && !slot.place.silent) slot.change(read(), node);
    else slot.keep(read());
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || slot.place.silent || !triggers.includes("on_enter_pressed")) return;
    if (node.tagName === "TEXTAREA" && event.shiftKey) return;
    event.preventDefault();
    slot.change(read(), node);
  });
}

function number(spec, slot) {
  const state = slot.read({ value: spec.initial_value ?? null });
  const attrs = { type: "number", class: "field number", min: spec.min_value, max: spec.max_value, step: spec.is_decimal_allowed ? "any" : "1", placeholder: spec.placeholder?.text, inputmode: spec.is_decimal_allowed ? "decimal" : "numeric" };
  const node = el("input", slot.attrs(attrs));
  node.value = state.value ?? "";
  keepTyping(spec, slot, node, () => ({ value: node.value === "" ? null : node.value }));
  return node;
}

// Formatting buttons would be more than a form needs: what is typed goes out as one rich_text section.
function richInput(spec, slot) {
  const state = slot.read({ rich_text_value: spec.initial_value ?? null });
  const node = el("textarea", slot.attrs({ class: "field", rows: "5", placeholder: spec.placeholder?.text }));
  node.value = (state.rich_text_value?.elements || []).flatMap((part) => part.elements || []).map((run) => run.text || "").join("");
  const read = () => ({ rich_text_value: node.value ? { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text: node.value }] }] } : null });
  keepTyping(spec, slot, node, read);
  return node;
}

function when(spec, slot, type, field, initial) {
  const state = slot.read({ [field]: initial ?? null });
  const node = el("input", slot.attrs({ type, class: "field date" }));
  node.value = state[field] ?? "";
  node.addEventListener("change", () => slot.change({ [field]: node.value || null }, node));
  return node;
}

function dateTime(spec, slot) {
  const state = slot.read({ selected_date_time: spec.initial_date_time ?? null });
  const node = el("input", slot.attrs({ type: "datetime-local", class: "field date" }));
  if (state.selected_date_time) {
    const at = new Date(state.selected_date_time * 1000);
    node.value = new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  }
  node.addEventListener("change", () => slot.change({ selected_date_time: node.value ? Math.floor(new Date(node.value).getTime() / 1000) : null }, node));
  return node;
}

function files(spec, slot) {
  const state = slot.read({ files: [] });
  const most = spec.max_files || 10;
  const accept = (spec.filetypes || []).map((type) => `.${type}`).join(",");
  const input = el("input", slot.attrs({ type: "file", class: "file-native", multiple: most > 1, accept: accept || null }));
  const list = el("ul", { class: "file-list", "aria-label": "Chosen files" });
  const drop = el("label", { class: "drop" }, icon("clip"), el("span", {}, "Choose a file or drop it here", el("small", {}, describe(spec, most))), input);
  let chosen = [...state.files];
  const draw = () => list.replaceChildren(...chosen.map((file) => el("li", {}, icon("file"), el("span", {}, file.name, " ", el("small", {}, fileSize(file.size))), iconButton("trash", `Remove ${file.name}`, () => set(chosen.filter((other) => other.id !== file.id))))));
  const set = (next) => {
    chosen = next;
    draw();
    slot.change({ files: chosen }, input);
  };
  const take = async (picked) => {
    const room = picked.slice(0, most > 1 ? Math.max(0, most - chosen.length) : 1);
    if (room.length < picked.length) toast(`At most ${most} ${most === 1 ? "file" : "files"} here.`, "error");
    drop.setAttribute("aria-busy", "true");
    for (const file of room) {
      const wrong = wrongType(file, spec);
      if (wrong) toast(wrong, "error");
      else {
        const stored = await upload(file);
        if (stored) set(most === 1 ? [stored] : [...chosen, stored]);
      }
    }
    drop.removeAttribute("aria-busy");
    input.value = "";
  };
  input.addEventListener("change", () => take([...input.files]));
  drop.addEventListener("dragover", (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    take([...event.dataTransfer.files]);
  });
  draw();
  return el("div", { class: "file-input" }, drop, list);
}

function describe(spec, most) {
  const kinds = spec.filetypes?.length ? spec.filetypes.map((type) => type.toUpperCase()).join(", ") : "any type";
  return ` ${kinds} · ${most === 1 ? "one file" : `up to ${most} files`}`;
}

function wrongType(file, spec) {
  if (!spec.filetypes?.length) return "";
  const ending = file.name.split(".").at(-1).toLowerCase();
  return spec.filetypes.map((type) => type.toLowerCase()).includes(ending) ? "" : `${file.name} is not ${spec.filetypes.join(" or ").toUpperCase()}. Choose another file; nothing was sent.`;
}
