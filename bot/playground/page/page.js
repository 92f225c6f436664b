// The page: asks for what the viewer sees, again after each piece of news, and shows it.

import { renderBlocks } from "./blocks.js";
import { composer } from "./composer.js";
import { readValues, showModal, useNames } from "./dialogs.js";
import { el, keep, send } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

const byId = (id) => document.getElementById(id);
const here = {
  viewer: new URLSearchParams(location.search).get("as") ?? "U0OPERATOR",
  channel: new URLSearchParams(location.search).get("channel"),
  thread: null,
  state: null,
  messages: [],
  read: JSON.parse(sessionStorage.getItem("read") ?? "{}"),
};

const names = {
  person: (id) => here.state?.people[id]?.name ?? id,
  group: (id) => here.state?.groups[id],
  channel: (id) => here.state?.names[id],
};
useNames(names);

const channel = () => here.state.channels.find((c) => c.id === here.channel);
const title = (c) => (c.kind === "im" ? c.name : `#${c.name}`);
const marks = (c) => [c.kind === "group" && "private", c.shared && "shared", c.archived && "archived",
  !c.has_app && "no bot"].filter(Boolean).join(", ");

function notice(text) {
  byId("notice").textContent = text;
  if (text) setTimeout(() => byId("notice").textContent === text && notice(""), 6000);
}

const SAID = {
  slash_commands_not_in_threads: "Slash commands cannot be used in threads. Mention the bot instead.",
};

async function tell(action, body) {
  const reply = await send(action, { viewer: here.viewer, channel: here.channel, ...body });
  if (reply.error) notice(SAID[reply.error] ?? `That did not work: ${reply.error}`);
  await refresh();
  return !reply.error;
}

const listed = {
  people: () => Object.entries(here.state.people).map(([id, p]) => [id, p.name]),
  channels: () => here.state.channels.map((c) => [c.id, title(c)]),
};

function messageContext(message) {
  const act = (element, blockId, chosen) =>
    tell("press", { ts: message.ts, action_id: element.action_id, block_id: blockId, chosen });
  return { names, ...listed, act };
}

function viewContext(view) {
  const act = (element, blockId, chosen) => tell("view-action", {
    view_id: view.id, action_id: element.action_id, block_id: blockId, chosen, values: readValues(),
  });
  const suggest = async (element, typed) => {
    const body = { viewer: here.viewer, view_id: view.id, action_id: element.action_id, typed };
    return (await send("suggest", body)).options;
  };
  const submit = async (values) => {
    const reply = await send("submit", { viewer: here.viewer, values });
    await refresh();
    if (reply.error && byId("modal-notice")) byId("modal-notice").textContent = reply.error;
  };
  return { names, ...listed, act, suggest, submit, close: () => tell("close", {}) };
}

function messageNode({ message, replies, last, inThread }) {
  const bySlack = message.subtype === "slack_error";
  const author = bySlack ? "Slackbot" : (here.state.people[message.user]?.name ?? message.user);
  const at = new Date(Number(message.ts) * 1000);
  const time = el("time", { datetime: at.toISOString(), title: at.toString() },
    at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  const head = el("div", { class: "message-head" }, el("strong", {}, author),
    message.by_app ? el("span", { class: "badge" }, "APP") : null, time);
  const body = message.blocks.length
    ? renderBlocks(message.blocks, messageContext(message))
    : el("div", { class: "text" }, mrkdwn(message.text, names));
  if (message.edited) body.append(el("span", { class: "edited" }, " (edited)"));
  const only = message.ephemeral ? el("div", { class: "only-you" }, "Only visible to you") : null;
  const mark = el("div", { class: `avatar hue-${hue(message.user)}`, "aria-hidden": "true" },
    author.slice(0, 1).toUpperCase());
  const content = el("div", { class: "message-body" }, only, head, body,
    inThread ? null : threadLink(message, replies, last));
  const more = message.ephemeral ? "ephemeral" : "";
  return el("li", { class: `message ${more}`, "data-ts": message.ts, "data-channel": message.channel,
    "data-user": message.user, "data-thread": message.thread_ts ?? "" }, mark, content);
}

const hue = (id) => [...id].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 6;

function threadLink(message, replies, last) {
  if (message.ephemeral) return null;
  const open = () => openThread(message.thread_ts ?? message.ts);
  if (!replies) {
    return el("button", { class: "thread-link quiet", type: "button", onclick: open }, "Reply in thread");
  }
  const count = `${replies} ${replies === 1 ? "reply" : "replies"}`;
  const time = new Date(Number(last) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return el("button", { class: "thread-link", type: "button", onclick: open }, count,
    el("span", {}, ` last at ${time}`));
}

function openThread(ts) {
  here.thread = ts;
  show();
  byId("thread-text")?.focus();
}

function closeThread() {
  here.thread = null;
  show();
}

function showSidebar() {
  const read = here.read[here.viewer] ?? {};
  const rows = here.state.channels.map((c) => ({
    ...c,
    latest: null,
    current: c.id === here.channel,
    unread: c.id !== here.channel && Number(c.latest) > Number(read[c.id] ?? 0),
  }));
  keep(byId("channels"), rows.filter((c) => c.kind !== "im"), (c) => c.id, channelNode);
  keep(byId("dms"), rows.filter((c) => c.kind === "im"), (c) => c.id, channelNode);
  const { reached } = here.state.app;
  byId("app-status").textContent = reached ? `bot is reached by ${reached}` : "no bot is connected";
  byId("app-status").className = reached ? "up" : "down";
  showPeople();
}

function channelNode(c) {
  const dot = el("span", { class: "dot", role: "img", "aria-label": "unread" }, "●");
  return el("li", {}, el("button", {
    type: "button", "data-channel": c.id, class: `channel ${c.unread ? "unread" : ""}`,
    "aria-current": c.current && "page", onclick: () => goTo(c.id),
  }, el("span", {}, title(c), " ", el("small", {}, marks(c))), c.unread ? dot : null));
}

function showPeople() {
  const people = Object.entries(here.state.people).filter(([id]) => id !== here.state.app.user);
  const options = people.map(([id, p]) => el("option", { value: id }, p.real_name));
  const box = byId("viewer");
  if (box.options.length !== options.length) box.replaceChildren(...options);
  box.value = here.viewer;
}

function showMessages() {
  const replies = (ts) => here.messages.filter((m) => m.is_reply && m.thread_ts === ts);
  const entry = (inThread) => (message) => {
    const held = inThread ? [] : replies(message.ts).filter((m) => !m.ephemeral);
    return { message, replies: held.length, last: held.at(-1)?.ts, inThread };
  };
  const top = here.messages.filter((m) => !m.is_reply || m.broadcast);
  follow(byId("messages"), top.map(entry(false)));
  const pane = byId("thread");
  pane.hidden = !here.thread;
  document.body.classList.toggle("with-thread", Boolean(here.thread));
  if (!here.thread) return;
  const parent = here.messages.filter((m) => m.ts === here.thread);
  follow(byId("thread-messages"), [...parent, ...replies(here.thread)].map(entry(true)));
}

// Stays at the end if it was there.
function follow(list, entries) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  keep(list, entries, (entry) => entry.message.ts, messageNode);
  if (atEnd || list.dataset.of !== here.channel) list.scrollTop = list.scrollHeight;
  list.dataset.of = here.channel;
}

function show() {
  const now = channel();
  document.title = `${title(now)} · Sample workspace`;
  byId("channel-title").textContent = title(now);
  byId("channel-topic").textContent = now.topic;
  byId("messages").setAttribute("aria-label", `Messages in ${title(now)}`);
  markRead(now);
  showSidebar();
  showComposers(now);
  showMessages();
  showModal(here.state.view, here.state.view && viewContext(here.state.view));
}

function markRead(now) {
  const read = (here.read[here.viewer] ??= {});
  read[now.id] = now.latest;
  sessionStorage.setItem("read", JSON.stringify(here.read));
}

let composersFor = "";

function showComposers(now) {
  const print = `${here.viewer} ${now.id} ${here.thread}`;
  if (print === composersFor) return;
  composersFor = print;
  const commands = () => here.state.commands;
  composer(byId("composer"), "composer-text", {
    label: `Message ${title(now)}`, commands, send: (text) => tell("type", { text }),
  });
  composer(byId("thread-composer"), "thread-text", {
    label: "Reply in thread", commands: () => ({}),
    send: (text) => tell("type", { text, thread_ts: here.thread }),
  });
}

function goTo(id) {
  here.channel = id;
  here.thread = null;
  toggleMenu(false);
  refresh().then(() => byId("composer-text").focus());
}

let running = null;
let again = false;

// One at a time; news that comes meanwhile asks once more.
function refresh() {
  if (running) {
    again = true;
    return running;
  }
  running = fetchAll().finally(() => {
    running = null;
    if (again) {
      again = false;
      refresh();
    }
  });
  return running;
}

async function fetchAll() {
  const { viewer } = here;
  const reply = await fetch(`/playground/state?viewer=${encodeURIComponent(viewer)}`);
  if (!reply.ok) throw new Error(`nobody here is called ${viewer}`);
  const state = await reply.json();
  if (!state.channels.some((c) => c.id === here.channel)) here.channel = state.channels[0].id;
  const query = new URLSearchParams({ viewer, channel: here.channel });
  const wanted = here.channel;
  const messages = await (await fetch(`/playground/messages?${query}`)).json();
  if (viewer !== here.viewer || wanted !== here.channel) {
    again = true;
    return;
  }
  Object.assign(here, { state, messages });
  show();
}

function toggleMenu(open) {
  document.body.classList.toggle("menu-open", open);
  byId("menu").setAttribute("aria-expanded", String(open));
}

byId("menu").addEventListener("click", () => toggleMenu(!document.body.classList.contains("menu-open")));
byId("thread-close").addEventListener("click", closeThread);
byId("viewer").addEventListener("change", (event) => {
  here.viewer = event.target.value;
  here.thread = null;
  refresh();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) toggleMenu(false);
});

const news = new EventSource("/playground/stream");
news.addEventListener("changed", () => refresh());
news.addEventListener("error", () => notice("The stand-in does not answer; trying again…"));
news.addEventListener("open", () => notice(""));
