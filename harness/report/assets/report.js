/* SPDX-License-Identifier: MIT
 * Sorts tables, filters rows, changes the theme. Every page is whole without it. */
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.remove("nojs");

  function stored(value) {
    try {
      if (value === undefined) return localStorage.getItem("chanbench-theme");
      localStorage.setItem("chanbench-theme", value);
    } catch (e) { /* a file: page may have no storage */ }
    return null;
  }
  var theme = stored();
  if (theme === "light" || theme === "dark") root.setAttribute("data-theme", theme);
  var button = document.getElementById("theme");
  if (button) button.addEventListener("click", function () {
    var dark = root.getAttribute("data-theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    dark = dark === "dark" ? "light" : "dark";
    root.setAttribute("data-theme", dark);
    stored(dark);
  });

  /* data-v has the number of a cell; a cell without one stays at the end, whichever way. */
  function value(row, column) {
    var cell = row.cells[column];
    if (!cell) return null;
    if (cell.hasAttribute("data-v")) return parseFloat(cell.getAttribute("data-v"));
    var text = cell.textContent.trim();
    return text === "" ? null : text;
  }
  function sort(th) {
    var table = th.closest("table"), column = th.cellIndex, body = table.tBodies[0];
    var up = th.getAttribute("aria-sort") === "descending";
    if (!th.hasAttribute("aria-sort")) up = th.classList.contains("l");
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (other) { other.removeAttribute("aria-sort"); });
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    Array.prototype.slice.call(body.rows).map(function (row, i) {
      return { row: row, v: value(row, column), i: i };
    }).sort(function (a, b) {
      if (a.v === null || b.v === null) return (a.v === null) - (b.v === null) || a.i - b.i;
      var order = typeof a.v === "number" && typeof b.v === "number" ? a.v - b.v : String(a.v) < String(b.v) ? -1 : String(a.v) > String(b.v) ? 1 : 0;
      return (up ? order : -order) || a.i - b.i;
    }).forEach(function (entry) { body.appendChild(entry.row); });
  }
  Array.prototype.forEach.call(document.querySelectorAll("table.sort thead th"), function (th) {
    var b = document.createElement("button");
    b.type = "button";
    while (th.firstChild) b.appendChild(th.firstChild);
    th.appendChild(b);
    b.addEventListener("click", function () { sort(th); });
  });

  /* The filter stands in the address, so that it can be passed on: #filter=futex&only=own */
  var field = document.getElementById("filter"), only = document.getElementById("only");
  function apply() {
    var words = (field ? field.value : "").toLowerCase().split(/\s+/).filter(Boolean), group = only ? only.value : "";
    Array.prototype.forEach.call(document.querySelectorAll("table.sort tbody tr"), function (row) {
      var text = row.getAttribute("data-f") || "", name = row.cells[0].textContent.toLowerCase();
      row.hidden = (group !== "" && text !== "" && text !== group) ||
        words.length > 0 && !words.some(function (word) { return name.indexOf(word) >= 0; });
    });
  }
  function note() {
    var parts = [];
    if (field && field.value) parts.push("filter=" + encodeURIComponent(field.value));
    if (only && only.value) parts.push("only=" + encodeURIComponent(only.value));
    try { history.replaceState(null, "", parts.length ? "#" + parts.join("&") : location.pathname + location.search); } catch (e) { /* file: */ }
    apply();
  }
  if (field) field.addEventListener("input", note);
  if (only) only.addEventListener("change", note);
  location.hash.slice(1).split("&").forEach(function (part) {
    var at = part.indexOf("="), name = part.slice(0, at), to = at < 0 ? null : name === "filter" ? field : name === "only" ? only : null;
    if (!to) return;
    try { to.value = decodeURIComponent(part.slice(at + 1)); } catch (e) { return; }
    apply();
  });
})();
