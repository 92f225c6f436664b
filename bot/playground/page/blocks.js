// Blocks as DOM nodes.

import { control } from "./controls.js";
import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { richText } from "./richtext.js";

// `context`: names, act, people, channels, suggest; see page.js.
export function renderBlocks(blocks, context) {
  const full = { ...context, plain, text: (held) => textNodes(held, context) };
  return el("div", { class: "blocks" }, blocks.map((block) => renderBlock(block, full)));
}

function renderBlock(block, context) {
  const make = MAKERS[block.type] ?? other;
  const node = make(block, context);
  node.classList.add("block", `block-${block.type}`);
  node.dataset.blockId = block.block_id;
  return node;
}

export const plain = (held) =>
  (held?.text ?? "").replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name));

function textNodes(held, context) {
  if (held?.type === "mrkdwn") return mrkdwn(held.text, context.names);
  return [el("span", { class: "pre-line" }, plain(held))];
}

function section(block, context) {
  const text = block.text && el("div", { class: "text" }, context.text(block.text));
  const fields = (block.fields ?? []).map((field) => el("div", {}, context.text(field)));
  const body = el("div", { class: "section-body" }, text,
    fields.length ? el("div", { class: "fields" }, fields) : null);
  const held = block.accessory;
  if (!held) return el("div", {}, body);
  const accessory = held.type === "image" ? image(held) : control(held, block.block_id, context);
  return el("div", {}, body, el("div", { class: "accessory" }, accessory));
}

const header = (block) => el("h3", {}, plain(block.text));
const divider = () => el("hr");

function contextBlock(block, context) {
  const items = block.elements.map((item) =>
    item.type === "image" ? image(item) : el("span", {}, context.text(item)));
  return el("div", {}, items);
}

function actions(block, context) {
  return el("div", {}, block.elements.map((item) => control(item, block.block_id, context)));
}

function input(block, context) {
  const label = plain(block.label);
  const silent = block.dispatch_action ? context : { ...context, act: undefined };
  const field = control(block.element, block.block_id, { ...silent, label });
  const optional = block.optional ? el("em", {}, " (optional)") : null;
  const complaint = context.errors?.[block.block_id];
  return el("div", {},
    el("div", { class: "label" }, label, optional), field,
    block.hint ? el("small", {}, plain(block.hint)) : null,
    complaint ? el("p", { class: "complaint", role: "alert" }, complaint) : null);
}

// Nothing is fetched from elsewhere: of an image only its description is shown.
function image(block) {
  return el("span", { class: "image", role: "img", "aria-label": block.alt_text },
    `[image: ${block.alt_text}]`);
}

const imageBlock = (block) => el("figure", {}, image(block),
  block.title ? el("figcaption", {}, plain(block.title)) : null);

const markdown = (block) => el("div", { class: "pre-line" }, block.text);

function table(block, context) {
  const cell = (held) => {
    if (held?.type === "rich_text") return richText(held, context.names);
    return held?.text ?? "";
  };
  const rows = block.rows.map((row) => el("tr", {}, row.map((held) => el("td", {}, cell(held)))));
  return el("div", {}, el("table", {}, el("tbody", {}, rows)));
}

const alertBlock = (block, context) => el("div", { role: "note" }, context.text(block.text));
const other = (block) => el("div", { class: "unknown" }, `[${block.type}]`);

const MAKERS = {
  section, header, divider, context: contextBlock, actions, input, image: imageBlock,
  rich_text: (block, context) => richText(block, context.names), markdown, table,
  alert: alertBlock,
};
