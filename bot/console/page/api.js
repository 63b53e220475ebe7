// Knows the same-origin JSON protocol of the local Slack; knows nothing of how anything looks.

import { directory } from "./directory.js";
import { toast } from "./toast.js";

const HEADERS = { "X-Local-Slack": "1", "content-type": "application/json" };

/** GET /_local/<path>; resolves to the answer, or null after a toast. */
export async function get(path, parameters = {}) {
  const query = new URLSearchParams({ user: directory.me, ...parameters });
  return answer(() => fetch(`/_local/${path}?${query}`, { headers: { "X-Local-Slack": "1" } }));
}

/** POST /_local/<path> as the acting person; resolves to the answer, or null after a toast. */
export async function post(path, body = {}) {
  return answer(() => fetch(`/_local/${path}`, { method: "POST", headers: HEADERS, body: JSON.stringify({ user: directory.me, ...body }) }));
}

/** Upload one File's bytes; resolves to Slack's file object, or null after a toast. */
export async function upload(file) {
  const query = new URLSearchParams({ user: directory.me, name: file.name || "pasted.txt" });
  const headers = { "X-Local-Slack": "1", "content-type": "application/octet-stream" };
  const result = await answer(() => fetch(`/_local/upload?${query}`, { method: "POST", headers, body: file }));
  return result?.file || null;
}

async function answer(request) {
  let response;
  try {
    response = await request();
  } catch {
    toast("The local Slack does not answer. Is it still running? Nothing was sent.", "error");
    return null;
  }
  let body = null;
  try {
    body = await response.json();
  } catch {
    toast(`The local Slack answered ${response.status} without JSON. Try again.`, "error");
    return null;
  }
  if (response.ok && body.ok !== false) return body;
  toast(body.detail || body.error || `The local Slack answered ${response.status}.`, "error");
  return null;
}
