// Interactive elements. Each control is a node; those that hold a choice have `read()`.

import { el } from "./dom.js";
import { confirmed } from "./dialogs.js";

// `act(element, blockId, chosen)` tells the app; it is left out for inputs that nobody hears of.
export function control(element, blockId, context) {
  const make = MAKERS[element.type] ?? unknown;
  const node = make(element, blockId, context);
  node.dataset.actionId = element.action_id;
  node.dataset.blockId = blockId;
  return node;
}

const words = (text) => text?.text ?? "";

async function act(context, element, blockId, chosen) {
  if (element.confirm && !(await confirmed(element.confirm))) return false;
  await context.act?.(element, blockId, chosen);
  return true;
}

function button(element, blockId, context) {
  const attributes = {
    class: `control ${element.style ?? ""}`,
    "aria-label": element.accessibility_label,
    onclick: () => act(context, element, blockId),
  };
  if (element.url) {
    const link = { ...attributes, href: element.url, target: "_blank", rel: "noopener noreferrer" };
    return el("a", { ...link, role: "button" }, context.plain(element.text));
  }
  return el("button", { type: "button", ...attributes }, context.plain(element.text));
}

function overflow(element, blockId, context) {
  const menu = el("details", { class: "overflow" });
  const options = element.options.map((option) =>
    el("button", {
      type: "button",
      role: "menuitem",
      onclick: () => {
        menu.open = false;
        act(context, element, blockId, option);
      },
    }, context.plain(option.text)));
  menu.append(el("summary", { "aria-label": "More actions", role: "button" }, "⋯"));
  menu.append(el("div", { role: "menu" }, options));
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
  });
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}

function select(element, blockId, context) {
  const several = element.type.startsWith("multi_");
  const choices = choicesOf(element, context);
  const node = el("select", { class: "control", multiple: several, size: several && 4 });
  node.setAttribute("aria-label", context.label ?? words(element.placeholder) ?? "Choose");
  if (!several) node.append(el("option", { value: "" }, words(element.placeholder) || "Choose…"));
  node.append(...choices.nodes);
  const set = [element.initial_option?.value, element.initial_user, element.initial_channel,
    element.initial_conversation, ...(element.initial_options ?? []).map((o) => o.value),
    ...(element.initial_users ?? [])].filter(Boolean);
  for (const option of node.options) option.selected = set.includes(option.value);
  if (!several && !set.length) node.selectedIndex = 0;
  node.read = () => {
    const picked = [...node.selectedOptions].filter((o) => o.value).map((o) => choices.of(o.value));
    return several ? picked : (picked[0] ?? null);
  };
  node.addEventListener("change", () => node.read() && act(context, element, blockId, node.read()));
  return node;
}

function choicesOf(element, context) {
  const option = (o) => el("option", { value: o.value }, words(o.text));
  const group = (g) => el("optgroup", { label: words(g.label) }, g.options.map(option));
  if (/(users|channels|conversations)_select$/.test(element.type)) {
    const listed = /users/.test(element.type) ? context.people() : context.channels();
    return { nodes: listed.map(([id, name]) => el("option", { value: id }, name)), of: (id) => id };
  }
  const all = [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((g) => g.options)];
  const nodes = [...(element.options ?? []).map(option), ...(element.option_groups ?? []).map(group)];
  return { nodes, of: (value) => all.find((o) => o.value === value) };
}

let lists = 0;

function suggested(element, blockId, context) {
  const list = el("datalist", { id: `suggestions-${(lists += 1)}` });
  const field = el("input", { class: "control", list: list.id, type: "text",
    placeholder: words(element.placeholder), value: words(element.initial_option?.text) || null,
    "aria-label": context.label });
  let offered = element.initial_option ? [element.initial_option] : [];
  const node = el("span", {}, field, list);
  node.read = () => offered.find((o) => words(o.text) === field.value) ?? null;
  field.addEventListener("input", async () => {
    if (node.read()) return act(context, element, blockId, node.read());
    if (field.value.length < (element.min_query_length ?? 3)) return undefined;
    offered = await context.suggest(element, field.value);
    return list.replaceChildren(...offered.map((o) => el("option", { value: words(o.text) })));
  });
  return node;
}

function ticks(element, blockId, context) {
  const one = element.type === "radio_buttons";
  const first = one ? [element.initial_option] : (element.initial_options ?? []);
  const group = `${blockId}-${element.action_id}`;
  const boxes = element.options.map((option) => {
    const box = el("input", { type: one ? "radio" : "checkbox", name: group, value: option.value });
    box.checked = first.some((held) => held?.value === option.value);
    return box;
  });
  const rows = element.options.map((option, index) => {
    const more = option.description && el("small", {}, context.text(option.description));
    return el("label", {}, boxes[index], el("span", {}, context.text(option.text), more || ""));
  });
  const node = el("div", { class: "ticks", role: "group", "aria-label": context.label }, rows);
  node.read = () => {
    const picked = element.options.filter((_, index) => boxes[index].checked);
    return one ? (picked[0] ?? null) : picked;
  };
  node.addEventListener("change", () => act(context, element, blockId, node.read()));
  return node;
}

function textField(element, blockId, context) {
  const kinds = { number_input: "text", email_text_input: "email", url_text_input: "url" };
  const shared = {
    class: "control", "aria-label": context.label, placeholder: words(element.placeholder) || null,
    maxlength: element.max_length && String(element.max_length),
    inputmode: element.type === "number_input" && "decimal",
  };
  const node = element.multiline
    ? el("textarea", { ...shared, rows: "4" })
    : el("input", { ...shared, type: kinds[element.type] ?? "text" });
  node.value = element.initial_value ?? "";
  node.read = () => node.value || null;
  node.addEventListener("change", () => act(context, element, blockId, node.read()));
  return node;
}

function picker(kind, first) {
  return (element, blockId, context) => {
    const node = el("input", { class: "control", type: kind, "aria-label": context.label });
    node.value = element[first] ?? "";
    node.read = () => node.value || null;
    node.addEventListener("change", () => act(context, element, blockId, node.read()));
    return node;
  };
}

const unknown = (element) => el("span", { class: "unknown" }, `[${element.type}]`);

const MAKERS = {
  button, overflow,
  static_select: select, multi_static_select: select, users_select: select,
  multi_users_select: select, channels_select: select, multi_channels_select: select,
  conversations_select: select, multi_conversations_select: select,
  external_select: suggested,
  checkboxes: ticks, radio_buttons: ticks,
  plain_text_input: textField, number_input: textField, email_text_input: textField,
  url_text_input: textField,
  datepicker: picker("date", "initial_date"), timepicker: picker("time", "initial_time"),
};
