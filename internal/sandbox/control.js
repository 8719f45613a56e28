(function () {
  "use strict";
  var control = document.body.dataset.control, next = 0, on = [], changes = 0;
  var state = document.getElementById("state"), table = document.getElementById("requests"), rows = table.tBodies[0];
  var switches = Array.from(document.querySelectorAll("#kinds input"));
  var shown = 200, pause = 700;

  function cell(row, text, bad) {
    var td = row.insertCell();
    td.textContent = text;
    if (bad) { td.className = "bad"; }
  }
  function add(request) {
    var row = rows.insertRow(0), bad = request.status === 0 || request.status >= 400;
    cell(row, new Date(request.time).toLocaleTimeString());
    cell(row, (bad ? "✕ " : "") + (request.status || "no answer"), bad);
    cell(row, request.method + " " + request.host + request.path);
    cell(row, request.server + " " + request.part);
    while (rows.rows.length > shown) { rows.deleteRow(-1); }
    table.hidden = false;
    document.getElementById("none").hidden = true;
  }
  function nameOf(word) { return word.split("@")[0]; }
  function partOf(input) { return input.closest("li").querySelector("select"); }
  function show(kinds) {
    on = kinds;
    switches.forEach(function (input) {
      var word = kinds.find(function (word) { return nameOf(word) === input.value; });
      input.checked = word !== undefined;
      if (word !== undefined && partOf(input)) { partOf(input).value = word.split("@")[1]; }
    });
    state.textContent = kinds.length === 0 ? "It behaves well." : "It misbehaves: " + kinds.join(", ");
  }
  function set(kinds) {
    changes++;
    fetch(control + "/misbehave", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ kinds: kinds }) })
      .then(function (answer) { if (!answer.ok) { throw new Error(answer.status); } show(kinds); })
      .catch(function () { show(on); state.textContent = "The switch was not taken. Is the sandbox still running?"; });
  }
  function without(name) { return on.filter(function (word) { return nameOf(word) !== name; }); }
  function word(input) { return partOf(input) ? input.value + "@" + partOf(input).value : input.value; }
  switches.forEach(function (input) {
    input.addEventListener("change", function () { set(input.checked ? without(input.value).concat(word(input)) : without(input.value)); });
    if (partOf(input)) {
      partOf(input).addEventListener("change", function () { if (input.checked) { set(without(input.value).concat(word(input))); } });
    }
  });
  document.getElementById("well").addEventListener("click", function () { set([]); });

  function say(button, text) {
    var before = button.firstChild.data;
    if (before === text) { return; }
    button.firstChild.data = text;
    setTimeout(function () { button.firstChild.data = before; }, 2000);
  }
  document.querySelectorAll("[data-copy]").forEach(function (button) {
    button.addEventListener("click", function () {
      if (!navigator.clipboard) { window.getSelection().selectAllChildren(button.closest("tr").querySelector("code")); say(button, "Selected"); return; }
      navigator.clipboard.writeText(button.dataset.copy).then(function () { say(button, "Copied"); }, function () { say(button, "Not copied"); });
    });
  });

  function look() {
    var before = changes;
    fetch(control + "/state?after=" + next, { cache: "no-store" }).then(function (answer) { return answer.json(); }).then(function (now) {
      now.requests.slice(-shown).forEach(add);
      next = now.next;
      if (changes === before && (now.kinds.join() !== on.join() || state.textContent === "")) { show(now.kinds); }
      setTimeout(look, pause);
    }).catch(function () { state.textContent = "The sandbox has ended."; });
  }
  look();
})();
