// Slack's own text format as DOM nodes.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";

const INLINE = new RegExp(
  [
    "`([^`\\n]+)`",
    "<([^<>\\n]+)>",
    ":([a-z0-9_+-]+):",
    "(?<![\\p{L}\\p{N}*])\\*(?=\\S)([^*\\n]*[^*\\s])\\*(?![\\p{L}\\p{N}*])",
    "(?<![\\p{L}\\p{N}_])_(?=\\S)([^_\\n]*[^_\\s])_(?![\\p{L}\\p{N}_])",
    "(?<![\\p{L}\\p{N}~])~(?=\\S)([^~\\n]*[^~\\s])~(?![\\p{L}\\p{N}~])",
  ].join("|"),
  "gu",
);

export const unescape = (text) =>
  text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

// `names` resolves ids: people, groups and channels.
export function mrkdwn(text, names) {
  const parts = text.split("```");
  if (parts.length % 2 === 0) parts.push("```" + parts.pop(), "");
  return parts.flatMap((part, index) => {
    if (index % 2 === 0) return lines(trimAround(part, index, parts.length), names);
    return [el("pre", {}, unescape(plainTokens(part.replace(/^\n|\n$/g, ""), names)))];
  });
}

function trimAround(part, index, count) {
  const led = index > 0 ? part.replace(/^\n/, "") : part;
  return index < count - 1 ? led.replace(/\n$/, "") : led;
}

function lines(text, names) {
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, index) => {
    const quoted = /^(&gt;|>)\s?(.*)$/.exec(line);
    if (quoted) {
      if (!quote) nodes.push((quote = el("blockquote")));
      else quote.append(el("br"));
      quote.append(...inline(quoted[2], names));
      return;
    }
    if (index > 0 && !quote) nodes.push(el("br"));
    quote = null;
    nodes.push(...inline(line, names));
  });
  return nodes;
}

function inline(text, names) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > from) nodes.push(unescape(text.slice(from, found.index)));
    nodes.push(span(found, names));
    from = found.index + found[0].length;
  }
  if (from < text.length) nodes.push(unescape(text.slice(from)));
  return nodes;
}

function span([, code, token, name, bold, italic, strike], names) {
  if (code !== undefined) return el("code", {}, unescape(plainTokens(code, names)));
  if (token !== undefined) return tokenNode(token, names);
  if (name !== undefined) return emoji(name);
  if (bold !== undefined) return el("strong", {}, inline(bold, names));
  if (italic !== undefined) return el("em", {}, inline(italic, names));
  return el("s", {}, inline(strike, names));
}

export function tokenNode(token, names) {
  const [target, label] = split(token, "|");
  if (target.startsWith("@")) return mention(`@${names.person(target.slice(1))}`);
  if (target.startsWith("#")) return mention(`#${names.channel(target.slice(1)) ?? label}`);
  if (target.startsWith("!subteam^")) {
    return mention(`@${names.group(target.slice(9)) ?? label ?? "group"}`);
  }
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return mention(`@${target.slice(1).split("^")[0]}`, "loud");
  return anchor(target, label === undefined ? undefined : unescape(label));
}

export const mention = (text, more = "") => el("span", { class: `mention ${more}`.trim() }, text);

export function anchor(target, label) {
  const url = unescape(target);
  const shown = label || url;
  if (!/^(https?|mailto):/i.test(url)) return shown;
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, shown);
}

function plainTokens(text, names) {
  return text.replace(/<([^<>\n]+)>/g, (_, token) => tokenNode(token, names).textContent ?? token);
}

function date(target, label) {
  const [, seconds, format, link] = target.split("^");
  const shown = formatDate(Number(seconds), format ?? "", label);
  const at = new Date(Number(seconds) * 1000);
  const valid = !Number.isNaN(at.getTime());
  const node = el("time", { datetime: valid && at.toISOString(), title: valid && at.toString() }, shown);
  return link ? anchor(link, shown) : node;
}

export function formatDate(seconds, format, fallback) {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return unescape(fallback ?? "");
  const say = (options) => at.toLocaleString(undefined, options);
  const day = (options) => relativeDay(at) ?? say(options);
  const short = { month: "short", day: "numeric", year: "numeric" };
  const long = { weekday: "long", month: "long", day: "numeric", year: "numeric" };
  const words = {
    date_num: at.toISOString().slice(0, 10),
    date: say({ month: "long", day: "numeric", year: "numeric" }),
    date_short: say(short),
    date_long: say(long),
    date_pretty: day({ month: "long", day: "numeric", year: "numeric" }),
    date_short_pretty: day(short),
    date_long_pretty: day(long),
    time: say({ hour: "2-digit", minute: "2-digit" }),
    time_secs: say({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    ago: ago(at),
  };
  return unescape(format).replace(/\{(\w+)\}/g, (whole, name) => words[name] ?? whole);
}

function relativeDay(at) {
  const midnight = (day) => new Date(day).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(at) - midnight(Date.now())) / 86_400_000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
}

function ago(at) {
  const minutes = Math.round((at.getTime() - Date.now()) / 60_000);
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  if (Math.abs(minutes) < 60) return relative.format(minutes, "minute");
  if (Math.abs(minutes) < 60 * 48) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / 1440), "day");
}

function split(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
