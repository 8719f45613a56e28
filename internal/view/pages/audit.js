(function () {
  "use strict";
  var form = document.getElementById("filter"), word = document.getElementById("word"), which = document.getElementById("which");
  var shown = document.getElementById("shown"), rows = Array.from(document.querySelectorAll("#matrix tbody tr"));
  var finds = Array.from(document.querySelectorAll("#finds > li"));
  function holds(element, text) { return element.textContent.toLowerCase().indexOf(text) >= 0; }
  function apply() {
    var text = word.value.trim().toLowerCase(), kind = which.value, left = 0, staying = Object.create(null);
    rows.forEach(function (row) {
      var fits = kind === "all" || kind === "found" && row.classList.contains("found") || row.dataset.state.split(" ").indexOf(kind) >= 0;
      row.dataset.scopes.split(" ").forEach(function (scope) { staying[scope] = fits; });
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

  var copy = document.getElementById("copy"), copied = document.getElementById("copied"), minimal = document.getElementById("minimal");
  function selected() {
    document.getElementById("least").open = true;
    window.getSelection().selectAllChildren(minimal);
    return document.execCommand("copy");
  }
  function say(done) { copied.textContent = done ? "Copied." : "Selected: copy it with the keyboard."; }
  copy.hidden = false;
  copy.addEventListener("click", function () {
    if (!navigator.clipboard) { say(selected()); return; }
    navigator.clipboard.writeText(minimal.textContent).then(function () { say(true); }, function () { say(selected()); });
  });
})();
