// Building elements. Text always goes in as text, never as markup.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

// Keeps the nodes whose value did not change, so that focus and open menus survive.
export function keep(list, values, keyOf, build) {
  const held = new Map([...list.children].map((node) => [node.dataset.key, node]));
  const wanted = values.map((value) => {
    const key = keyOf(value);
    const print = JSON.stringify(value);
    const old = held.get(key);
    if (old && old.print === print) return old;
    const node = build(value);
    node.dataset.key = key;
    node.print = print;
    return node;
  });
  wanted.forEach((node, index) => {
    if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
  });
  while (list.children.length > wanted.length) list.lastChild.remove();
}

export async function send(action, body) {
  const reply = await fetch(`/playground/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return reply.json();
}
