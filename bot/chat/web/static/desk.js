// The chat window: one person, their conversations, live.

import { call, insist, knownBy, newId, Offline, Refused, withAs } from "./api.js";
import { collect, drawCard, missing } from "./card.js";
import { ago, avatar, byId, day, el, exact } from "./dom.js";

const SUGGESTIONS = ["I'm locked out", "I need Figma for two weeks", "How many vacation days have I left?", "What are my open requests?"];
const CHANNELS = {
  approvals: {
    about: "Requests that wait for a decision, and how they ended.",
    empty: ["Nothing waits for a decision", "When somebody asks for something that needs approval, the card appears here."],
  },
  "help-desk": {
    about: "People who need a person, with all that is known. Your answers go to them.",
    empty: ["Nobody waits for a person", "When somebody asks for a person, or something is stuck, the card appears here."],
  },
};
const WORKING_SECONDS = 30; // how long "working on it" stands when nothing follows

const state = {
  me: null,
  rooms: new Map(), // conversation -> {id, name, direct, unread, messages: Map, more}
  open: "",
  change: 0, // number of the last change this window has
  pending: new Map(), // client id -> {text, words about its state}
  cards: new Map(), // message id -> what this window knows about its card
  whispers: [], // lines for this person's eyes only, in this window only
};
const [scroll, messages, words, banner] = ["scroll", "messages", "words", "banner"].map(byId);

// start

async function start() {
  try {
    const me = await call("GET", "/api/me");
    state.me = me;
    knownBy(me.csrf);
    const changes = await Promise.all(me.conversations.map(loadRoom));
    state.change = Math.min(...changes);
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return location.replace("/");
    say(error instanceof Refused ? error.message : "Reconnecting…");
    return setTimeout(start, 1500);
  }
  say("");
  drawMe();
  openRoom(roomFromHash());
  listen();
  words.focus({ preventScroll: true });
  setInterval(drawTimes, 20_000);
}

async function loadRoom(conversation) {
  const page = await call("GET", `/api/conversations/${encodeURIComponent(conversation.id)}/messages`);
  const room = { ...conversation, messages: new Map(), more: page.more };
  for (const message of page.messages) room.messages.set(message.id, message);
  state.rooms.set(conversation.id, room);
  return page.change;
}

function roomFromHash() {
  const wanted = location.hash.slice(1);
  return state.rooms.has(wanted) ? wanted : state.me.conversations[0].id;
}

// live

let stream = null;
let waits = 0;

function listen() {
  stream?.close();
  const own = new EventSource(withAs(`/api/events?after=${state.change}`));
  stream = own;
  own.addEventListener("hello", () => {
    waits = 0;
    say("");
  });
  own.addEventListener("refused", (event) => {
    own.close();
    say(JSON.parse(event.data));
  });
  own.onmessage = (event) => take(JSON.parse(event.data));
  own.onerror = () => {
    own.close();
    if (own === stream) reconnect();
  };
}

async function reconnect() {
  waits += 1;
  // A stream that ends once (a change of rights, a sleeping laptop) is taken up again without a word.
  if (waits > 1) say("Connection lost. Reconnecting…");
  await new Promise((resolve) => setTimeout(resolve, Math.min(8000, 250 * 2 ** Math.min(waits, 5))));
  try {
    await call("GET", "/api/me");
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return location.replace("/");
    say(error instanceof Refused ? error.message : "Connection lost. Reconnecting…");
    return reconnect();
  }
  listen();
}

function take(message) {
  state.change = Math.max(state.change, message.change);
  const room = state.rooms.get(message.conversation);
  if (!room) return;
  const before = room.messages.get(message.id);
  const oldest = room.messages.keys().next().value ?? 0;
  if (!before && room.more && message.id < oldest) return; // changed, but further up than what is shown
  if (before && before.change >= message.change) return;
  room.messages.set(message.id, message);
  state.pending.delete(message.client);
  if (!before && !message.mine) arrived(room, message);
  else if (before?.card && message.card) {
    Object.assign(know(message.id), { working: false, errors: {} });
    announce(`Changed: ${spoken(message)}`);
  }
  if (!message.mine) working(false);
  if (room.id === state.open) place(message, !before);
  drawRooms();
}

function arrived(room, message) {
  const looking = room.id === state.open && document.visibilityState === "visible";
  if (looking) markSeen(room);
  else room.unread += 1;
  announce(`${room.name}: ${spoken(message)}`);
}

function spoken(message) {
  if (!message.card) return message.text;
  return [message.card.title, message.card.status, message.card.text].filter(Boolean).join(". ");
}

function markSeen(room) {
  room.unread = 0;
  const newest = Math.max(0, ...room.messages.keys());
  if (newest <= (room.seen ?? -1)) return;
  room.seen = newest;
  call("POST", "/api/seen", { conversation: room.id, message_id: newest }).catch(() => {
    room.seen = -1; // told again with the next message
  });
}

// the frame: who I am, rooms, title, banner

function drawMe() {
  const me = state.me;
  const words = el(
    "span",
    { class: "whoami-words" },
    el("span", {}, el("span", { class: "you" }, "You are "), el("strong", {}, me.name)),
    el("small", {}, me.title || me.department),
  );
  byId("whoami").replaceChildren(
    avatar(me),
    words,
    ...(me.signed_in ? [] : [el("a", { class: "whoami-action", href: "/", title: "Be somebody else in this window" }, "Switch")]),
    el("button", { type: "button", class: "whoami-action", title: me.signed_in ? "End this session" : "Forget this person in this browser", onclick: signOut }, "Sign out"),
  );
}

async function signOut() {
  await call("DELETE", "/api/session").catch(() => null);
  location.assign("/");
}

function drawRooms() {
  const items = [...state.rooms.values()].map((room) => {
    const count = room.unread > 99 ? "99+" : String(room.unread);
    const badge = room.unread
      ? el("span", { class: "badge" }, el("span", { "aria-hidden": "true" }, count), el("span", { class: "sr-only" }, `${count} unread`))
      : null;
    return el(
      "li",
      {},
      el(
        "a",
        {
          href: room.direct ? "#deskhand" : `#${room.id}`,
          class: "room-link",
          "aria-current": room.id === state.open ? "page" : false,
          "data-room": room.direct ? "direct" : room.id,
        },
        el("span", { class: `room-sign ${room.direct ? "sign-direct" : "sign-channel"}`, "aria-hidden": "true" }),
        el("span", {}, room.name),
        badge,
      ),
    );
  });
  const list = byId("conversations");
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.room : "";
  list.replaceChildren(...items);
  if (focused) list.querySelector(`[data-room=${focused}]`)?.focus();
  const unread = [...state.rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  const room = state.rooms.get(state.open);
  document.title = `${unread ? `(${unread > 99 ? "99+" : unread}) ` : ""}${room.direct ? "" : `${room.name} · `}Deskhand`;
  byId("icon").href = unread ? "/static/logo-unread.svg" : "/static/logo.svg";
}

function openRoom(id) {
  const room = state.rooms.get(id);
  state.open = id;
  byId("room-name").textContent = room.name;
  byId("room-about").textContent = room.direct
    ? "Ask for access, an unlock or your vacation balance. Only you and Deskhand see this."
    : CHANNELS[room.id].about;
  byId("composer").hidden = !room.direct;
  byId("read-only").hidden = room.direct;
  working(false);
  drawAll();
  markSeen(room);
  drawRooms();
  toNewest();
}

function say(text) {
  if (banner.textContent !== text) banner.textContent = text;
  banner.hidden = !text;
}

function announce(text) {
  const region = byId("announce");
  region.append(el("p", {}, text.slice(0, 300)));
  while (region.children.length > 5) region.firstChild.remove();
}

// the message list

function drawAll() {
  const room = state.rooms.get(state.open);
  messages.replaceChildren(...sorted(room).map(drawMessage));
  byId("earlier").hidden = !room.more;
  drawTail();
}

function sorted(room) {
  return [...room.messages.values()].sort((a, b) => a.id - b.id);
}

function place(message, isNew) {
  const atEnd = nearEnd();
  const node = drawMessage(message);
  const old = byId(`message-${message.id}`);
  if (old) replaceKeepingFocus(old, node);
  else {
    const after = [...messages.querySelectorAll("[data-id]")].find((other) => Number(other.dataset.id) > message.id);
    messages.insertBefore(node, after ?? null);
    node.classList.add("fresh");
  }
  drawTail();
  if (atEnd || message.mine) toNewest();
  else if (isNew) byId("to-newest").hidden = false;
}

function replaceKeepingFocus(old, node) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.closest("[data-focus]")?.dataset.focus;
  const selection = focused && "selectionStart" in focused ? [focused.selectionStart, focused.selectionEnd] : null;
  old.replaceWith(node);
  node.classList.add("changed");
  if (!key) return;
  const same = [...node.querySelectorAll("[data-focus]")].find((other) => other.dataset.focus === key && !other.disabled);
  const target = same ?? node.querySelector(".card");
  target?.focus({ preventScroll: true });
  if (same && selection && selection[0] !== null) same.setSelectionRange?.(...selection);
}

function drawMessage(message) {
  const when = new Date(message.created);
  const time = el("time", { datetime: message.created, title: exact(when) }, ago(when));
  const attributes = { id: `message-${message.id}`, "data-id": message.id, "data-at": message.created };
  if (!message.card) {
    const late = message.undelivered ? el("p", { class: "undelivered" }, "Not delivered yet") : null;
    const who = el("span", { class: "sr-only" }, message.mine ? "You: " : "Deskhand: ");
    return el("li", { ...attributes, class: message.mine ? "message mine" : "message" }, el("div", { class: "bubble" }, who, message.text), late, time);
  }
  const edited = message.updated !== message.created ? editedAt(message) : null;
  return el(
    "li",
    { ...attributes, class: "message" },
    el("img", { class: "bot-avatar", src: "/static/logo.svg", alt: "", width: 32, height: 32 }),
    el("div", { class: "message-body" }, el("p", { class: "byline" }, el("strong", {}, "Deskhand"), time, edited), drawCard(message.card, view(message))),
  );
}

function editedAt(message) {
  const when = new Date(message.updated);
  return el("span", { class: "edited" }, "updated ", el("time", { datetime: message.updated, title: exact(when) }, ago(when)));
}

// After the messages: what is on its way, and lines for this person's eyes only. Before them: days.
function drawTail() {
  for (const node of messages.querySelectorAll(".pending, .whisper, .day")) node.remove();
  const room = state.rooms.get(state.open);
  let last = "";
  for (const node of messages.querySelectorAll("[data-id]")) {
    const name = day(new Date(node.dataset.at));
    if (name !== last) node.before(el("li", { class: "day" }, el("span", {}, name)));
    last = name;
  }
  if (room.direct) {
    for (const sending of state.pending.values()) {
      messages.append(el("li", { class: "message mine pending" }, el("div", { class: "bubble" }, sending.text), el("p", { class: "undelivered" }, sending.state)));
    }
    for (const whisper of state.whispers) {
      messages.append(el("li", { class: "whisper" }, el("span", {}, whisper), el("small", {}, "Only you can see this")));
    }
  }
  drawEmpty(room);
}

function drawEmpty(room) {
  const empty = byId("empty");
  empty.hidden = room.messages.size > 0 || state.pending.size > 0;
  if (empty.hidden) return;
  if (!room.direct) {
    const [nothing, when] = CHANNELS[room.id].empty;
    empty.replaceChildren(el("h2", {}, nothing), el("p", {}, when));
    return;
  }
  const chips = SUGGESTIONS.map((text) => el("li", {}, el("button", { type: "button", class: "chip", onclick: () => send(text) }, text)));
  empty.replaceChildren(
    el("img", { src: "/static/logo.svg", alt: "", width: 56, height: 56 }),
    el("h2", {}, `Hello ${state.me.name.split(" ")[0]}, what do you need?`),
    el("p", {}, "Say it in your own words. Before anything happens you see exactly what it will be."),
    el("ul", { class: "chips", "aria-label": "Suggestions" }, ...chips),
  );
}

function drawTimes() {
  for (const time of messages.querySelectorAll("time")) time.textContent = ago(new Date(time.dateTime));
}

function nearEnd() {
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 120;
}

function toNewest() {
  scroll.scrollTop = scroll.scrollHeight;
  byId("to-newest").hidden = true;
}

async function showEarlier() {
  const room = state.rooms.get(state.open);
  const oldest = Math.min(...room.messages.keys());
  const page = await call("GET", `/api/conversations/${encodeURIComponent(room.id)}/messages?before=${oldest}`);
  const held = [...room.messages];
  room.messages = new Map([...page.messages.map((message) => [message.id, message]), ...held]);
  room.more = page.more;
  const height = scroll.scrollHeight;
  drawAll();
  scroll.scrollTop += scroll.scrollHeight - height;
  byId(`message-${oldest}`)?.querySelector("[tabindex]")?.focus({ preventScroll: true });
}

// writing

async function send(text) {
  const id = newId();
  const entry = { text, state: "Sending…" };
  state.pending.set(id, entry);
  state.whispers = [];
  working(true);
  drawTail();
  toNewest();
  composerError("");
  try {
    const ack = await insist("/api/messages", { text, id }, { onWait: () => late(entry) });
    take(ack.message);
    if (ack.notice) whisper(ack.notice);
    if (!ack.working) working(false);
  } catch (error) {
    state.pending.delete(id);
    working(false);
    if (error instanceof Refused && error.status === 401) return location.replace("/");
    composerError(error.message);
    if (!words.value) words.value = text;
    grow();
  }
  drawTail();
}

function late(entry) {
  entry.state = "Not sent yet. It will be sent as soon as Deskhand answers.";
  working(false);
  drawTail();
}

function whisper(text) {
  state.whispers = [...state.whispers, text].slice(-3);
  announce(text);
  drawTail();
  toNewest();
}

function composerError(text) {
  const line = byId("composer-error");
  line.textContent = text;
  line.hidden = !text;
}

let workingTimer = 0;

function working(on) {
  clearTimeout(workingTimer);
  const atEnd = nearEnd();
  byId("working").hidden = !on;
  if (on) workingTimer = setTimeout(() => working(false), WORKING_SECONDS * 1000);
  if (on && atEnd) toNewest();
}

function submit() {
  const text = words.value.trim();
  if (!text) return;
  words.value = "";
  grow();
  send(text);
}

function grow() {
  words.style.height = "auto";
  words.style.height = `${Math.min(words.scrollHeight, 200)}px`;
}

// pressing

function know(id) {
  if (!state.cards.has(id)) state.cards.set(id, { draft: {}, errors: {}, note: "", noteKind: "", busy: "", working: false });
  return state.cards.get(id);
}

function view(message) {
  const known = know(message.id);
  return {
    ...known,
    id: message.id,
    keep: (name, value) => {
      known.draft[name] = value;
    },
    press: (button) => press(message, button),
  };
}

async function press(message, button) {
  const known = know(message.id);
  if (known.busy) return;
  const lacking = button.sends_inputs ? missing(message.card, known.draft) : {};
  if (Object.keys(lacking).length) {
    Object.assign(known, { errors: lacking, note: "" });
    redraw(message);
    focusFirstError(message);
    return;
  }
  Object.assign(known, { busy: button.handle, errors: {}, note: "" });
  redraw(message);
  const body = { handle: button.handle, fields: collect(message.card, known.draft), message_id: String(message.id), id: newId() };
  try {
    const ack = await insist("/api/presses", body, { tries: 6, onWait: () => note(message, "Not sent yet. Trying again…") });
    Object.assign(known, { busy: "", errors: ack.errors, note: ack.notice, noteKind: "", working: ack.working });
    const newest = latest(message);
    if (ack.card && newest.change === message.change) newest.card = ack.card;
    if (newest.change !== message.change) known.working = false;
  } catch (error) {
    const text = error instanceof Offline ? "Deskhand could not be reached. Please press again." : error.message;
    Object.assign(known, { busy: "", note: text, noteKind: "error" });
  }
  redraw(latest(message));
  if (Object.keys(known.errors).length) focusFirstError(message);
}

function note(message, text) {
  Object.assign(know(message.id), { note: text, noteKind: "" });
  redraw(latest(message));
}

function latest(message) {
  return state.rooms.get(message.conversation)?.messages.get(message.id) ?? message;
}

function redraw(message) {
  const old = byId(`message-${message.id}`);
  if (!old) return;
  const atEnd = nearEnd();
  replaceKeepingFocus(old, drawMessage(latest(message)));
  byId(`message-${message.id}`).classList.remove("changed");
  if (atEnd) toNewest();
}

function focusFirstError(message) {
  const node = byId(`message-${message.id}`);
  const bad = node?.querySelector("[aria-invalid=true]");
  (bad?.matches("fieldset") ? bad.querySelector("input") : bad)?.focus();
}

// wiring

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
words.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
words.addEventListener("input", grow);
byId("earlier").addEventListener("click", () => showEarlier().catch((error) => say(error.message)));
byId("to-newest").addEventListener("click", toNewest);
scroll.addEventListener("scroll", () => {
  if (nearEnd()) byId("to-newest").hidden = true;
});
window.addEventListener("hashchange", () => {
  if (state.me && location.hash !== "#words") openRoom(roomFromHash());
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible" || !state.open) return;
  markSeen(state.rooms.get(state.open));
  drawRooms();
});
start();
