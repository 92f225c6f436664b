// The line in which people type, with the app's commands as hints.

import { el } from "./dom.js";

export function composer(form, id, { label, commands, send }) {
  const held = form.querySelector("textarea")?.value ?? "";
  const hints = el("ul", { class: "hints", "aria-label": "Commands", hidden: true });
  const field = el("textarea", { id, rows: "1", "aria-label": label, placeholder: label });
  field.value = held;
  const submit = async () => {
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    grow(field);
    hints.hidden = true;
    if (!(await send(text))) field.value ||= text;
  };
  field.addEventListener("input", () => {
    grow(field);
    offer(hints, field, commands());
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hints.hidden = true;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  form.onsubmit = (event) => { event.preventDefault(); submit(); };
  form.setAttribute("aria-label", label);
  form.replaceChildren(hints, field, el("button", { class: "control primary", "aria-label": "Send" }, "Send"));
}

function grow(field) {
  field.rows = Math.min(8, field.value.split("\n").length);
}

function offer(hints, field, commands) {
  const typed = field.value;
  const found = Object.entries(commands).filter(([name]) => name.startsWith(typed.split(" ")[0]));
  hints.hidden = !/^\/\S*$/.test(typed) || found.length === 0;
  hints.replaceChildren(...found.map(([name, usage]) =>
    el("li", {}, el("button", { type: "button", onclick: () => take(hints, field, name) },
      el("strong", {}, name), " ", el("span", {}, usage)))));
}

function take(hints, field, name) {
  field.value = `${name} `;
  hints.hidden = true;
  field.focus();
}
