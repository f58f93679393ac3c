import { call, Offline, Refused } from "./api.js";
import { avatar, byId, el } from "./dom.js";

const search = byId("search");
const list = byId("people");
const state = byId("state");
let people = [];
let chosen = [];

async function load() {
  try {
    const answer = await call("GET", "/api/people");
    people = answer.people;
    chosen = answer.chosen;
    draw();
  } catch (error) {
    const again = error instanceof Offline || (error instanceof Refused && error.status === 503);
    state.textContent = error.message;
    if (again) setTimeout(load, 1500);
  }
}

function draw() {
  const words = search.value.toLowerCase().split(/\s+/u).filter(Boolean);
  const fits = (person) => {
    const text = `${person.name} ${person.title} ${person.department}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const found = people.filter(fits);
  const groups = new Map();
  const recent = chosen.map((account) => found.find((person) => person.account === account)).filter(Boolean);
  if (recent.length) groups.set("Chosen before", recent);
  for (const person of found) {
    if (recent.includes(person)) continue;
    const department = person.department || "Others";
    groups.set(department, [...(groups.get(department) ?? []), person]);
  }
  list.replaceChildren(...[...groups].map(([name, members]) => group(name, members)));
  state.textContent = found.length ? `${found.length} ${found.length === 1 ? "person" : "people"}` : "Nobody fits these words.";
}

function group(name, members) {
  return el("section", { class: "people-group", "aria-label": name }, el("h2", {}, name), el("ul", {}, ...members.map((person) => entry(person, name))));
}

function entry(person, group) {
  return el(
    "li",
    {},
    el(
      "button",
      { type: "button", class: "person", onclick: () => choose(person) },
      avatar(person),
      el(
        "span",
        { class: "person-words" },
        el("span", { class: "person-name" }, person.name),
        el("span", { class: "person-title" }, [person.title, person.department !== group && person.department].filter(Boolean).join(" · ")),
      ),
    ),
  );
}

async function choose(person) {
  try {
    await call("POST", "/api/session", { person: person.account });
    location.assign(`/desk?as=${encodeURIComponent(person.account)}`);
  } catch (error) {
    state.textContent = error.message;
  }
}

function move(step) {
  const buttons = [...list.querySelectorAll("button")];
  const now = buttons.indexOf(document.activeElement);
  const next = now + step;
  if (next < 0) search.focus();
  else buttons[Math.min(next, buttons.length - 1)]?.focus();
}

search.addEventListener("input", draw);
document.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && event.target === search && search.value) {
    list.querySelector("button")?.click();
  }
});
load();
