// The desk's JSON API, as the person this window is for.

export class Refused extends Error {
  constructor(status, words, retryAfter) {
    super(words);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export class Offline extends Error {}

let csrf = ""; // behind a sign-in: what shows that a request is this page's

export function knownBy(token) {
  csrf = token ?? "";
}

const as = new URLSearchParams(location.search).get("as") ?? "";

export function withAs(path) {
  if (!as) return path;
  return `${path}${path.includes("?") ? "&" : "?"}as=${encodeURIComponent(as)}`;
}

export async function call(method, path, body) {
  const options = { method, headers: { accept: "application/json" } };
  if (csrf && method !== "GET") options.headers["x-csrf-token"] = csrf;
  if (body !== undefined) {
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(withAs(path), options);
  } catch {
    throw new Offline("No connection to Deskhand.");
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const told = await response.json().catch(() => ({}));
  throw new Refused(
    response.status,
    typeof told.error === "string" ? told.error : "That did not work. Please try again.",
    Number(response.headers.get("retry-after")) || 2,
  );
}

// Again until it is taken: with the same body, and so the same id, nothing happens twice.
export async function insist(path, body, { onWait, tries = Infinity }) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call("POST", path, body);
    } catch (error) {
      const later = error instanceof Offline || (error instanceof Refused && error.status === 503);
      if (!later || attempt >= tries) throw error;
      onWait(error);
      await new Promise((resolve) => setTimeout(resolve, Math.min(8000, 400 * 2 ** Math.min(attempt, 5))));
    }
  }
}

export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
