// The neutral card as elements. What a person types is kept in ``draft`` while the card is redrawn.

import { el } from "./dom.js";

const FEW = 5; // up to so many options are shown at once, more in a list

export function drawCard(card, view) {
  const id = `card-${view.id}`;
  const parts = [head(card, id)];
  if (card.text) parts.push(el("p", { class: "card-text" }, card.text));
  if (card.facts.length) parts.push(facts(card.facts));
  parts.push(...card.quotes.map(quote));
  parts.push(form(card, view, id));
  if (card.footer) parts.push(el("p", { class: "card-footer" }, card.footer));
  const plain = !card.facts.length && !card.quotes.length && !card.inputs.length && !card.buttons.length && !card.links.length;
  return el(
    "article",
    {
      class: plain ? "card card-plain" : "card",
      "data-tone": card.tone,
      "aria-labelledby": `${id}-title`,
      "aria-busy": view.busy ? "true" : false,
      tabindex: "-1",
      "data-focus": "card",
    },
    ...parts.filter(Boolean),
  );
}

function head(card, id) {
  const pill = card.status ? el("span", { class: "pill" }, card.status) : null;
  return el("header", { class: "card-head" }, el("h2", { class: "card-title", id: `${id}-title` }, card.title), pill);
}

function facts(all) {
  return el("dl", { class: "facts" }, ...all.map((fact) => el("div", {}, el("dt", {}, fact.label), el("dd", {}, fact.value))));
}

function quote(part) {
  return el("figure", { class: "quote" }, el("figcaption", {}, part.label), el("blockquote", {}, part.text));
}

function form(card, view, id) {
  if (!card.inputs.length && !card.buttons.length && !card.links.length && !view.note && !view.working) return null;
  const inputs = card.inputs.map((input, index) => field(input, view, `${id}-input-${index}`));
  const buttons = card.buttons.map((button) =>
    el(
      "button",
      {
        type: "button",
        class: `button tone-${button.tone}`,
        disabled: view.busy ? true : false,
        "data-focus": `button:${button.handle}`,
        onclick: () => view.press(button),
      },
      view.busy === button.handle ? el("span", { class: "spinner", "aria-hidden": "true" }) : null,
      button.label,
    ),
  );
  const links = card.links.filter((link) => /^(https?:\/\/|\/(?!\/))/u.test(link.url)).map(anchor);
  const actions = buttons.length || links.length ? el("div", { class: "actions" }, ...buttons, ...links) : null;
  const node = el("form", { novalidate: true, "aria-labelledby": `${id}-title` }, ...inputs, actions, ...status(view));
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    // Enter in a field presses the primary button only: nobody approves by finishing a sentence.
    const primary = card.buttons.find((button) => button.tone === "primary");
    if (primary && !view.busy) view.press(primary);
  });
  return node;
}

function status(view) {
  const lines = [];
  if (view.working) lines.push(el("p", { class: "card-working", role: "status" }, "Working on it…"));
  if (view.note) {
    lines.push(el("p", { class: `card-note ${view.noteKind ?? ""}`, role: "status" }, view.note, el("small", {}, "Only you can see this")));
  }
  return lines;
}

function anchor(link) {
  return el(
    "a",
    { class: "button tone-plain", href: link.url, target: "_blank", rel: "noopener noreferrer", "data-focus": `link:${link.url}` },
    link.label,
    el("span", { "aria-hidden": "true" }, " ↗"),
    el("span", { class: "sr-only" }, " (opens in a new window)"),
  );
}

function field(input, view, id) {
  const error = view.errors[input.name];
  const wired = {
    id,
    name: input.name,
    "aria-invalid": error ? "true" : false,
    "aria-describedby": error ? `${id}-error` : false,
    "aria-required": input.required ? "true" : false,
    "data-focus": `input:${input.name}`,
  };
  const message = error ? el("p", { class: "field-error", id: `${id}-error` }, error) : null;
  if (input.kind === "check") return check(input, view, wired, message);
  if (input.kind === "choice" && input.options.length <= FEW) return radios(input, view, wired, message);
  const control = input.kind === "choice" ? select(input, view, wired) : textbox(input, view, wired);
  return el("div", { class: "field" }, el("label", { for: id }, input.label, optional(input)), control, message);
}

function optional(input) {
  return input.required ? null : el("span", { class: "optional" }, " optional");
}

function textbox(input, view, wired) {
  const attributes = { ...wired, placeholder: input.placeholder || false, maxlength: input.max_length, autocomplete: "off" };
  const node = input.multiline ? el("textarea", { ...attributes, rows: 3 }) : el("input", { ...attributes, type: "text" });
  node.value = view.draft[input.name] ?? "";
  node.addEventListener("input", () => view.keep(input.name, node.value));
  return node;
}

function select(input, view, wired) {
  const options = input.options.map((option) =>
    el("option", { value: option.value }, option.hint ? `${option.label} (${option.hint})` : option.label),
  );
  const node = el("select", wired, el("option", { value: "" }, "Choose…"), ...options);
  node.value = view.draft[input.name] ?? "";
  node.addEventListener("change", () => view.keep(input.name, node.value));
  return node;
}

function radios(input, view, wired, message) {
  const choices = input.options.map((option, index) => {
    const own = `${wired.id}-${index}`;
    const box = el("input", {
      type: "radio",
      id: own,
      name: wired.id,
      value: option.value,
      "data-focus": `input:${input.name}:${option.value}`,
    });
    box.checked = view.draft[input.name] === option.value;
    box.addEventListener("change", () => view.keep(input.name, option.value));
    const words = el("span", {}, option.label, option.hint ? el("small", {}, option.hint) : null);
    return el("label", { class: "choice", for: own }, box, words);
  });
  return el(
    "fieldset",
    { class: "field", "aria-describedby": wired["aria-describedby"], "aria-invalid": wired["aria-invalid"] },
    el("legend", {}, input.label, optional(input)),
    el("div", { class: "choices" }, ...choices),
    message,
  );
}

function check(input, view, wired, message) {
  const box = el("input", { ...wired, type: "checkbox" });
  box.checked = view.draft[input.name] === "yes";
  box.addEventListener("change", () => view.keep(input.name, box.checked ? "yes" : undefined));
  return el("div", { class: "field" }, el("label", { class: "choice", for: wired.id }, box, el("span", {}, input.label)), message);
}

// What is missing, said beside the field before anything is sent.
export function missing(card, draft) {
  const errors = {};
  for (const input of card.inputs) {
    if (input.required && !(draft[input.name] ?? "").trim()) {
      errors[input.name] = input.kind === "text" ? "Please fill this in." : "Please choose.";
    }
  }
  return errors;
}

export function collect(card, draft) {
  const fields = {};
  for (const input of card.inputs) {
    const value = draft[input.name];
    if (value !== undefined && value !== "") fields[input.name] = value;
  }
  return fields;
}
