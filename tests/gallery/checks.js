/* What is asked of a page in a browser. Each answers with a list of sentences: what is not as it should be. */
"use strict";

window.gallery = (function () {
  var TARGETS = "a[href], button, input:not([type=hidden]), select, summary, textarea";
  var OUTDENT = 8; // CSS pixels: links are drawn out to the left by their padding, so that their texts align
  var LEAST_TARGET = 24; // CSS pixels, WCAG 2.2 success criterion 2.5.8

  function name(element) {
    var text = (element.getAttribute("aria-label") || element.textContent || element.value || "").trim();
    var kind = element.localName + (element.className && element.className.split ? "." + element.className.split(" ").join(".") : "");
    return kind + " “" + text.replace(/\s+/g, " ").slice(0, 40) + "”";
  }

  function seen(element) {
    if (element.closest(".unseen, .skip, [hidden], thead")) { return false; }
    var style = getComputedStyle(element), box = element.getBoundingClientRect();
    return style.visibility === "visible" && box.width > 1 && box.height > 1;
  }

  function everything() { return Array.from(document.body.querySelectorAll("*")); }

  /* Nothing reaches over the edge of the window, of its own box, or is cut off there. */
  function layout() {
    var found = [], outside = new Set(), root = document.documentElement, width = root.clientWidth;
    if (root.scrollWidth > width) { found.push("the page is " + root.scrollWidth + " px wide in a window of " + width); }
    everything().filter(seen).forEach(function (element) {
      var box = element.getBoundingClientRect(), style = getComputedStyle(element);
      if (box.right > width + 0.5 || box.left < -0.5) {
        outside.add(element);
        if (!outside.has(element.parentElement)) { found.push(name(element) + " reaches over the edge of the window"); }
      }
      if (style.display.startsWith("inline") && style.display === "inline") { return; }
      if (element.matches("input, select, textarea, meter") || element.ownerSVGElement) { return; }
      if (element.scrollWidth > element.clientWidth + OUTDENT && element.clientWidth > 0) {
        found.push(name(element) + " is " + element.scrollWidth + " px wide in a box of " + element.clientWidth);
      }
      if (style.overflowY !== "visible" && element.scrollHeight > element.clientHeight + 1) {
        found.push(name(element) + " is cut off");
      }
    });
    return found;
  }

  /* Whatever can be pressed is large enough, or a link in the middle of a sentence. */
  function targets() {
    return Array.from(document.querySelectorAll(TARGETS)).filter(seen).filter(function (element) {
      var box = element.getBoundingClientRect();
      return Math.min(box.width, box.height) < LEAST_TARGET - 0.01 && !inSentence(element);
    }).map(function (element) {
      var box = element.getBoundingClientRect();
      return name(element) + " is " + Math.round(box.width) + " × " + Math.round(box.height) + " px";
    });
  }

  function inSentence(element) {
    if (element.localName !== "a" || getComputedStyle(element).display !== "inline") { return false; }
    return element.parentElement.textContent.trim().length > element.textContent.trim().length;
  }

  /* One first heading, a title that holds it, the language that was asked for, and an order that nobody forces. */
  function outline(locale) {
    var found = [], headings = document.querySelectorAll("h1");
    if (headings.length !== 1) { found.push("there are " + headings.length + " first headings"); }
    if (document.documentElement.lang !== locale) { found.push("the page says that it is in “" + document.documentElement.lang + "”"); }
    if (document.querySelectorAll("main").length !== 1) { found.push("there is not one main part"); }
    if (document.querySelector("[tabindex]:not([tabindex='0']):not([tabindex='-1'])")) { found.push("a tabindex forces an order"); }
    if (document.querySelector("[autofocus], [placeholder], [accesskey]")) { found.push("there is an autofocus, a placeholder or an access key"); }
    return found;
  }

  /* In forced colours backgrounds and shadows are gone: what can be pressed or filled in has a border or is underlined. */
  function forced() {
    return Array.from(document.querySelectorAll(TARGETS)).filter(seen).filter(function (element) {
      if (element.matches("input[type=checkbox], input[type=radio], summary, [aria-current]")) { return false; }
      var style = getComputedStyle(element);
      var bordered = style.borderTopStyle !== "none" && parseFloat(style.borderTopWidth) > 0 && style.borderTopColor !== style.backgroundColor;
      return !bordered && !style.textDecorationLine.includes("underline") && !(element.firstElementChild && element.querySelector("strong"));
    }).map(function (element) { return name(element) + " has neither border nor underline"; });
  }

  /* The spacing of text that a person may set, success criterion 1.4.12; null: as the page has it. */
  var spacing = new CSSStyleSheet();
  spacing.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }");

  function space(wanted) { document.adoptedStyleSheets = wanted ? [spacing] : []; }

  /* axe-core's findings: what does not hold, and what it cannot tell. */
  function axeFindings(tags) {
    var options = { runOnly: { type: "tag", values: tags }, resultTypes: ["violations", "incomplete"] };
    return axe.run(document, options).then(function (results) {
      function told(rules) {
        return rules.map(function (rule) {
          return rule.nodes.map(function (node) { return rule.id + ": " + node.target.join(" ") + " – " + node.failureSummary.replace(/\s+/g, " "); });
        }).flat();
      }
      return { violations: told(results.violations), incomplete: told(results.incomplete), passed: results.passes.length };
    });
  }

  return { layout: layout, targets: targets, outline: outline, forced: forced, space: space, axe: axeFindings };
})();
