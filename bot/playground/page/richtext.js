// rich_text blocks: text in them is never parsed.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { anchor, formatDate, mention } from "./mrkdwn.js";

export function richText(block, names) {
  const nodes = (block.elements ?? []).map((element) => section(element, names));
  return el("div", { class: "rich-text" }, nodes);
}

function section(element, names) {
  const parts = (element.elements ?? []).map((item) => part(item, names));
  if (element.type === "rich_text_preformatted") return el("pre", {}, parts);
  if (element.type === "rich_text_quote") return el("blockquote", {}, parts);
  if (element.type === "rich_text_list") {
    const items = (element.elements ?? []).map((item) => el("li", {}, section(item, names)));
    const start = element.style === "ordered" && (element.offset ?? 0) + 1;
    const tag = element.style === "ordered" ? "ol" : "ul";
    return el(tag, { class: `indent-${Math.min(element.indent ?? 0, 8)}`, start }, items);
  }
  return el("div", {}, parts);
}

function part(item, names) {
  return styled(bare(item, names), item.style ?? {});
}

function bare(item, names) {
  switch (item.type) {
    case "text": return broken(item.text);
    case "link": return anchor(item.url.replaceAll("&", "&amp;"), item.text);
    case "emoji": return emoji(item.name);
    case "user": return mention(`@${names.person(item.user_id)}`);
    case "usergroup": return mention(`@${names.group(item.usergroup_id) ?? "group"}`);
    case "channel": return mention(`#${names.channel(item.channel_id) ?? item.channel_id}`);
    case "broadcast": return mention(`@${item.range}`, "loud");
    case "date": return formatDate(item.timestamp, item.format, item.fallback);
    default: return "";
  }
}

function broken(text) {
  return el("span", { class: "pre-line" }, text);
}

function styled(node, style) {
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code", underline: "u" };
  return Object.keys(tags)
    .filter((name) => style[name])
    .reduce((inner, name) => el(tags[name], {}, inner), node);
}
