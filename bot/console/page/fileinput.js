// Knows the file_input element: choosing, dropping, checking and uploading files; knows nothing of file previews.

import { asking } from "./api.js";
import { el, fileSize, icon, iconButton } from "./dom.js";

const MOST = 10;

/** file_input: a drop area with a list of what was chosen under it. */
export function files(spec, slot) {
  return new FileInput(spec, slot).node;
}

class FileInput {
  constructor(spec, slot) {
    Object.assign(this, { spec, slot, most: spec.max_files || MOST, loading: 0 });
    this.chosen = [...(slot.read({ files: [] }).files || [])];
    const accept = (spec.filetypes || []).map((type) => `.${type.replace(/^\./, "")}`).join(",");
    this.input = el("input", slot.attrs({ type: "file", class: "file-native", multiple: this.most > 1, accept: accept || null, "aria-label": slot.place.label ? null : "Choose a file" }));
    this.list = el("ul", { class: "file-list", "aria-label": "Chosen files" });
    this.problem = el("div", { class: "file-problem", role: "alert" });
    this.drop = el("label", { class: "drop" }, icon("clip"), el("span", {}, "Choose a file or drop it here", el("small", {}, describe(spec, this.most))), this.input);
    this.node = el("div", { class: "file-input" }, this.drop, this.list, this.problem);
    this.input.addEventListener("change", () => this.take([...this.input.files]));
    this.listenForDrops();
    this.draw();
  }

  listenForDrops() {
    const over = (on) => (event) => {
      event.preventDefault();
      this.drop.classList.toggle("over", on);
    };
    this.drop.addEventListener("dragenter", over(true));
    this.drop.addEventListener("dragover", over(true));
    this.drop.addEventListener("dragleave", over(false));
    this.drop.addEventListener("drop", (event) => {
      over(false)(event);
      event.stopPropagation();
      this.take([...event.dataTransfer.files]);
    });
  }

  draw() {
    this.list.replaceChildren(...this.chosen.map((file) => el("li", { "data-file-id": file.id }, icon("file"), el("span", {}, file.name, " ", el("small", {}, fileSize(file.size))), iconButton("trash", `Remove ${file.name}`, () => this.remove(file)))));
    this.drop.classList.toggle("full", this.most > 1 && this.chosen.length >= this.most);
  }

  remove(file) {
    this.set(this.chosen.filter((other) => other.id !== file.id));
    this.input.focus();
  }

  set(next) {
    this.chosen = next;
    this.draw();
    this.slot.change({ files: this.chosen }, this.input);
  }

  async take(picked) {
    this.problem.textContent = "";
    const room = picked.slice(0, this.most > 1 ? Math.max(0, this.most - this.chosen.length) : 1);
    const problems = room.map((file) => wrongType(file, this.spec)).filter(Boolean);
    if (room.length < picked.length) problems.push(`You can add up to ${this.most} ${this.most === 1 ? "file" : "files"}.`);
    const good = room.filter((file) => !wrongType(file, this.spec));
    this.input.value = "";
    await Promise.all(good.map(async (file) => {
      const problem = await this.upload(file);
      if (problem) problems.push(problem);
    }));
    this.problem.textContent = problems.join(" ");
  }

  async upload(file) {
    const bar = el("progress", { max: "1", value: 0, "aria-label": `Uploading ${file.name}` });
    const row = el("li", { class: "loading" }, icon("file"), el("span", {}, file.name, " ", el("small", {}, fileSize(file.size))), bar);
    this.list.append(row);
    this.input.setAttribute("aria-busy", "true");
    this.loading += 1;
    const answer = await send(file, (share) => void (bar.value = share));
    this.loading -= 1;
    if (!this.loading) this.input.removeAttribute("aria-busy");
    row.remove();
    if (!answer.file) return `${file.name} could not be uploaded: ${answer.problem}`;
    this.set(this.most === 1 ? [answer.file] : [...this.chosen, answer.file]);
    return "";
  }
}

// XMLHttpRequest, because fetch cannot tell how much of an upload is done.
function send(file, progress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/_local/upload?${new URLSearchParams({ ...asking(), name: file.name || "file" })}`);
    request.setRequestHeader("X-Local-Slack", "1");
    request.setRequestHeader("content-type", "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
    request.addEventListener("load", () => resolve({ file: request.response?.file, problem: request.response?.detail || request.response?.error || `the local Slack answered ${request.status}.` }));
    request.addEventListener("error", () => resolve({ problem: "the local Slack does not answer." }));
    request.send(file);
  });
}

function describe({ filetypes }, most) {
  const kinds = filetypes?.length ? filetypes.map((type) => type.replace(/^\./, "").toUpperCase()).join(", ") : "any type";
  return ` ${kinds} · ${most === 1 ? "one file" : `up to ${most} files`}`;
}

function wrongType(file, { filetypes }) {
  if (!filetypes?.length) return "";
  const kinds = filetypes.map((type) => type.toLowerCase().replace(/^\./, ""));
  return kinds.includes(file.name.split(".").at(-1).toLowerCase()) ? "" : `${file.name} is not ${kinds.map((kind) => kind.toUpperCase()).join(" or ")}. Choose another file; nothing was uploaded.`;
}
