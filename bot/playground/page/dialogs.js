// The confirm dialog and modals.

import { renderBlocks, plain } from "./blocks.js";
import { el } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

const byId = (id) => document.getElementById(id);
let names = null;
export const useNames = (given) => { names = given; };

// Resolves to whether the person went on.
export function confirmed(confirm) {
  const dialog = byId("confirm");
  const text = confirm.text.type === "mrkdwn" ? mrkdwn(confirm.text.text, names) : plain(confirm.text);
  return new Promise((resolve) => {
    const answer = (yes) => () => { dialog.close(); resolve(yes); };
    dialog.replaceChildren(
      el("h2", { id: "confirm-title" }, plain(confirm.title)),
      el("div", {}, text),
      el("div", { class: "dialog-buttons" },
        el("button", { type: "button", class: "control", onclick: answer(false) }, plain(confirm.deny)),
        el("button", { type: "button", class: `control ${confirm.style ?? "primary"}`,
          autofocus: true, onclick: answer(true) }, plain(confirm.confirm))));
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
  });
}

let shown = "";

// Shows the topmost view, or closes the dialog. What was typed stays while block and action stay.
export function showModal(view, context) {
  const dialog = byId("modal");
  if (!view) {
    shown = "";
    if (dialog.open) dialog.close();
    return;
  }
  const print = `${view.id} ${view.hash} ${JSON.stringify(view.errors)}`;
  if (print === shown) return;
  const kept = shown.startsWith(`${view.id} `) ? readValues() : {};
  shown = print;
  build(dialog, view, context);
  restore(kept);
  if (!dialog.open) dialog.showModal();
}

export function readValues() {
  const read = [...byId("modal").querySelectorAll("[data-action-id]")].filter((node) => node.read);
  return Object.fromEntries(read.map((node) => [address(node), node.read()]));
}

const address = (node) => `${node.dataset.blockId}/${node.dataset.actionId}`;

function restore(kept) {
  for (const node of byId("modal").querySelectorAll("[data-action-id]")) {
    const value = kept[address(node)];
    if (value === null || value === undefined || !("value" in node)) continue;
    node.value = typeof value === "object" ? (value.value ?? "") : value;
  }
}

function build(dialog, view, context) {
  const blocks = renderBlocks(view.blocks, { ...context, errors: view.errors });
  const submit = view.submit && el("button", { class: "control primary" }, plain(view.submit));
  const close = el("button", { type: "button", class: "control", onclick: context.close },
    view.close ? plain(view.close) : "Cancel");
  const form = el("form", { "data-view": view.id }, blocks,
    el("p", { class: "complaint", id: "modal-notice", role: "alert" }),
    el("div", { class: "dialog-buttons" }, close, submit));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    context.submit(readValues());
  });
  dialog.oncancel = (event) => { event.preventDefault(); context.close(); };
  dialog.replaceChildren(el("h2", { id: "modal-title" }, plain(view.title)), form);
}
