// Knows the same-origin JSON protocol of the local Slack; knows nothing of how anything looks.

import { directory } from "./directory.js";
import { toast } from "./toast.js";

const HEADERS = { "X-Local-Slack": "1", "content-type": "application/json" };

/** Who asks: the acting person and, where there are several, the workspace. */
export function asking() {
  const several = directory.teams.length > 1 || new URLSearchParams(location.search).get("team");
  return { user: directory.me, ...(several ? { team: directory.team.id || new URLSearchParams(location.search).get("team") } : {}) };
}

/** GET /_local/<path>; resolves to the answer, or null after a toast (none where `quiet`). */
export async function get(path, parameters = {}, quiet = false) {
  const query = new URLSearchParams({ ...asking(), ...parameters });
  return answer(() => fetch(`/_local/${path}?${query}`, { headers: { "X-Local-Slack": "1" } }), quiet, "");
}

/** POST /_local/<path> as the acting person; resolves to the answer, or null after a toast (none where `quiet`). */
export async function post(path, body = {}, quiet = false) {
  return answer(() => fetch(`/_local/${path}`, { method: "POST", headers: HEADERS, body: JSON.stringify({ ...asking(), ...body }) }), quiet, " Nothing was sent.");
}

/** Upload one File's bytes; resolves to Slack's file object, or null after a toast. */
export async function upload(file) {
  const query = new URLSearchParams({ ...asking(), name: file.name || "pasted.txt" });
  const headers = { "X-Local-Slack": "1", "content-type": "application/octet-stream" };
  const result = await answer(() => fetch(`/_local/upload?${query}`, { method: "POST", headers, body: file }), false, " Nothing was sent.");
  return result?.file || null;
}

async function answer(request, quiet, lost) {
  const complain = (text) => quiet || toast(text, "error");
  let response;
  try {
    response = await request();
  } catch {
    complain(`The local Slack does not answer. Is it still running?${lost}`);
    return null;
  }
  let body = null;
  try {
    body = await response.json();
  } catch {
    complain(`The local Slack answered ${response.status} without JSON. Try again.`);
    return null;
  }
  if (response.ok && body.ok !== false) return body;
  complain(body.detail || body.error || `The local Slack answered ${response.status}.`);
  return null;
}
