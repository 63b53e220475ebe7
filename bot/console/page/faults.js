// Knows the panel in which faults of this Slack are switched on; knows nothing of what they do.

import { get, post } from "./api.js";
import { buttons, field, openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { addToPersonMenu } from "./people.js";
import { toast } from "./toast.js";

const NAMES = {
  duplicate_events: ["Events delivered twice", "chance, 0 to 1"], late_events: ["Events delivered late", "chance, 0 to 1"], late_seconds: ["How late", "seconds"],
  server_errors: ["Calls answered with 500", "chance, 0 to 1"], lost_answers: ["Calls carried out, answer lost", "chance, 0 to 1"],
  slow_answers: ["Slow calls", "chance, 0 to 1"], slow_seconds: ["How slow", "seconds"], rate_limits: ["Rate limits", "answer 429 with Retry-After over a method's rate"],
};

/** Put the panel into the person's menu. */
export function addFaults() {
  addToPersonMenu(() => [{ label: "Faults…", detail: "Make this Slack misbehave as the real one sometimes does.", icon: "flash", id: "faults", choose: openFaults }]);
}

async function openFaults() {
  const answer = await get("faults");
  if (!answer) return;
  const inputs = Object.entries(answer.faults).map(([name, value]) => [name, input(name, value)]);
  await openDialog({ title: "Faults", testid: "faults", className: "narrow", make: (close) => ({
    body: [el("p", { class: "fine" }, "For every workspace of this local Slack, until it stops. What an app survives here, it survives in Slack."), inputs.map(([name, node]) => row(name, node))],
    foot: [el("button", { type: "button", class: "button", "data-action-id": "faults-none", on: { click: () => inputs.forEach(([name, node]) => (node.type === "checkbox" ? (node.checked = false) : /seconds/.test(name) || (node.value = "0"))) } }, "None"), ...buttons(close, "Save", "faults-save")],
    submit: async () => {
      const changed = Object.fromEntries(inputs.map(([name, node]) => [name, node.type === "checkbox" ? node.checked : Number(node.value)]));
      if (!(await post("faults", changed))) return;
      close();
      toast(Object.entries(changed).some(([name, value]) => value && !/seconds/.test(name)) ? "Faults are on." : "No faults.");
    },
  }) });
}

function input(name, value) {
  if (typeof value === "boolean") return el("input", { type: "checkbox", checked: value, "data-action-id": `fault-${name}` });
  return el("input", { type: "number", class: "field", min: "0", max: /seconds/.test(name) ? "60" : "1", step: "any", value: String(value), "data-action-id": `fault-${name}` });
}

function row(name, node) {
  const [label, hint] = NAMES[name] || [name.replaceAll("_", " "), ""];
  return node.type === "checkbox" ? el("label", { class: "check" }, node, el("span", {}, label, el("small", {}, hint))) : field(label, node, hint);
}
