(function () {
  "use strict";
  var form = document.getElementById("filter"), word = document.getElementById("word"), which = document.getElementById("which");
  var shown = document.getElementById("shown"), rows = Array.from(document.querySelectorAll("#matrix tbody tr"));
  var finds = Array.from(document.querySelectorAll("#finds > li"));
  function holds(element, text) { return element.textContent.toLowerCase().indexOf(text) >= 0; }
  function apply() {
    var text = word.value.trim().toLowerCase(), kind = which.value, left = 0, staying = Object.create(null);
    rows.forEach(function (row) {
      var fits = kind === "all" || kind === "found" && row.classList.contains("found") || row.dataset.state === kind;
      staying[row.dataset.scope] = fits;
      row.hidden = !(fits && holds(row, text));
      if (!row.hidden) { left++; }
    });
    finds.forEach(function (item) {
      var whole = kind === "all" || kind === "found" || item.dataset.scope.split("|").some(function (scope) { return staying[scope]; });
      item.hidden = !(whole && holds(item, text));
    });
    shown.textContent = left + " of " + rows.length;
  }
  form.hidden = false;
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("input", apply);
  apply();
})();
