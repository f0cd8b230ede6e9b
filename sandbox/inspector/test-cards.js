/** The test cards and accounts, to find and to copy. */

import { copyButton, element } from "./elements.js";

/** @typedef {{ number: string, id: string | null, kind: string, does: string }} Row */
/** @typedef {{ title: string, rows: Row[] }} Group */

const groups = document.querySelector("[data-groups]");
const filter = document.querySelector("[data-filter]");
const problem = document.querySelector("[data-problem]");

const response = await fetch("/test-cards.json");
if (response.ok) {
  groups?.replaceChildren(.../** @type {Group[]} */ (await response.json()).map(section));
  filter?.addEventListener("input", narrow);
  narrow(); // to what was typed meanwhile
} else if (problem instanceof HTMLElement) {
  problem.textContent = `The sandbox answered ${response.status}.`;
  problem.hidden = false;
}

/** @param {Group} group */
function section({ title, rows }) {
  const body = element("tbody", "", ...rows.map(line));
  const heads = ["Number", "What it does", "Kind", "Id"].map((name) => {
    const head = element("th", "", name);
    head.setAttribute("scope", "col");
    return head;
  });
  const table = element("table", "table", element("thead", "", element("tr", "", ...heads)), body);
  return element("section", "cards__group", element("h2", "cards__title", title), table);
}

/** @param {Row} row */
function line(row) {
  const shown = grouped(row.number);
  const id = row.id ? [element("code", "", row.id), " ", copyButton(row.id)] : [];
  return element(
    "tr",
    "",
    element("td", "table__number", element("code", "", shown), " ", copyButton(row.number)),
    element("td", "", row.does),
    element("td", "table__kind", row.kind),
    element("td", "table__id", ...id),
  );
}

/**
 * As it stands on the card.
 * @param {string} number
 */
function grouped(number) {
  if (number.length < 16) {
    return number.replace(/^(\d{4})(\d{6})(\d{4,5})$/, "$1 $2 $3");
  }
  return number.replace(/(\w{4})(?=\w)/g, "$1 ");
}

function narrow() {
  const typed = filter instanceof HTMLInputElement ? filter.value.trim().toLowerCase() : "";
  const digits = typed.replaceAll(" ", "");
  for (const group of groups?.children ?? []) {
    const rows = [...group.querySelectorAll("tbody tr")];
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.toggleAttribute("hidden", !text.includes(typed) && !text.replaceAll(" ", "").includes(digits));
    }
    group.toggleAttribute("hidden", rows.every((row) => row.hasAttribute("hidden")));
  }
}
