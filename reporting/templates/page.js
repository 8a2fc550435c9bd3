"use strict";
// The page is complete without this: it adds sorting, copying, pausing and printing.

function key(row, column) {
  const text = row.cells[column].dataset.sort;
  const value = Number(text);
  return text === "" ? null : Number.isNaN(value) ? text : value;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

// Each body is sorted by itself, so that controls stay below; missing values come last.
function sortTable(table, column, direction) {
  const sign = direction === "ascending" ? 1 : -1;
  for (const body of table.tBodies) {
    const rows = [...body.rows].map((row) => [key(row, column), row]);
    rows.sort(([a], [b]) =>
      a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b));
    body.append(...rows.map(([, row]) => row));
  }
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    const words = head.querySelector(".head");
    words.replaceWith(button);
    button.append(words);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      const first = head.dataset.first || "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const next = now === first ? other : first;
      heads.forEach((each) => each.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", next);
      sortTable(table, column, next);
    });
  });
}

for (const command of document.querySelectorAll(".command")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    const code = command.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
  });
  command.append(button);
}

const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
for (const image of still ? [] : document.querySelectorAll("img[data-still]")) {
  const moving = image.getAttribute("src");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "motion";
  button.textContent = "Pause";
  button.addEventListener("click", () => {
    const pause = button.textContent === "Pause";
    image.src = pause ? image.dataset.still : moving;
    button.textContent = pause ? "Play" : "Pause";
  });
  image.closest("figure").append(button);
}

addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
