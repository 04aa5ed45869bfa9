"use strict";
// The page is complete without this script, which adds sorting, filtering, copying and the mark in the contents.
(() => {
  const text = (cell) => cell.textContent.trim();

  function key(row, index) {
    const cell = row.cells[index];
    if (!cell) return null;
    const value = cell.dataset.value;
    if (value === undefined) return text(cell).toLowerCase();
    return value === "" ? null : Number(value);
  }

  function compare(a, b, way) {
    if (a === null || b === null) return (a === null) - (b === null); // missing values stay last
    return way * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  }

  function sort(table, head, index) {
    const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [key(row, index), row]);
    rows.sort(([a], [b]) => compare(a, b, way));
    body.append(...rows.map(([, row]) => row));
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    Array.from(table.tHead.rows[0].cells).forEach((head, index) => {
      if (head.classList.contains("plain")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head, index));
    });
  }

  for (const tools of document.querySelectorAll(".tools")) {
    const rows = Array.from(tools.parentElement.querySelectorAll("tbody tr"));
    const input = tools.querySelector("input");
    const output = tools.querySelector("output");
    tools.hidden = rows.length < 4;
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      for (const row of rows) row.hidden = !words.every((word) => text(row).toLowerCase().includes(word));
      output.textContent = words.length ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : "";
    });
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return;
    } catch { /* browsers may deny it to local files */ }
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  for (const command of document.querySelectorAll(".command")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await copy(command.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    command.classList.add("copies");
    command.append(button);
  }

  const links = new Map(Array.from(document.querySelectorAll(".contents a"), (link) => [link.hash.slice(1), link]));
  const marks = Array.from(links.keys(), (name) => document.getElementById(name)).filter(Boolean);
  function mark() {
    const passed = marks.filter((section) => section.getBoundingClientRect().top < 140);
    const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 4;
    const here = atEnd ? marks[marks.length - 1] : passed[passed.length - 1] || marks[0];
    for (const [name, link] of links) link.classList.toggle("here", Boolean(here) && name === here.id);
  }
  document.addEventListener("scroll", mark, { passive: true });
  mark();
})();
