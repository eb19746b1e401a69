/* What the pages' forms gain where scripts run; every form works without it. */
"use strict";

(function () {
  var GUARD = 1000; // milliseconds in which a form is not sent twice

  function each(selector, act) {
    Array.prototype.forEach.call(document.querySelectorAll(selector), act);
  }

  /* Passwords: a button that shows what was typed. */
  function setShown(button, shown) {
    var input = document.getElementById(button.getAttribute("aria-controls"));
    input.type = shown ? "text" : "password";
    button.textContent = button.getAttribute(shown ? "data-hide" : "data-show");
  }

  each("button.reveal", function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var input = document.getElementById(button.getAttribute("aria-controls"));
      setShown(button, input.type === "password");
    });
  });

  /* The e-mail address as the username. */
  each("button[data-copy-from]", function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var to = document.getElementById(button.getAttribute("data-copy-to"));
      to.value = document.getElementById(button.getAttribute("data-copy-from")).value;
      to.focus();
    });
  });

  each("button[data-print]", function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  });

  /* Sending: passwords are passwords again, and a double click sends once. */
  each("form", function (form) {
    var sentAt = -GUARD;
    form.addEventListener("submit", function (event) {
      if (event.timeStamp - sentAt < GUARD) {
        event.preventDefault();
        return;
      }
      sentAt = event.timeStamp;
      Array.prototype.forEach.call(form.querySelectorAll("button.reveal"), function (button) {
        setShown(button, false);
      });
    });
  });

  var summary = document.getElementById("summary");
  if (summary) { summary.focus(); }
})();
