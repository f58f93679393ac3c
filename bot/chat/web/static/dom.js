// Elements from text alone: nothing here parses markup, so what people wrote can never become any.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export function byId(id) {
  return document.getElementById(id);
}

export function initials(name) {
  const words = name.split(/\s+/u).filter(Boolean);
  const first = [...(words[0] ?? "?")][0];
  const last = words.length > 1 ? [...words[words.length - 1]][0] : "";
  return (first + last).toUpperCase();
}

export function avatar(person) {
  let sum = 0;
  for (const letter of person.account) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return el("span", { class: `avatar hue-${sum % 8}`, "aria-hidden": "true" }, initials(person.name));
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

export function ago(when, now = new Date()) {
  const seconds = (now - when) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return relative.format(-Math.max(1, Math.round(seconds / 60)), "minute");
  if (seconds < 12 * 3600) return relative.format(-Math.round(seconds / 3600), "hour");
  return when.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

export function day(when, now = new Date()) {
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate());
  const days = Math.round((midnight(now) - midnight(when)) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const year = when.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return when.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year });
}

export function exact(when) {
  return when.toLocaleString([], { dateStyle: "full", timeStyle: "medium" });
}
