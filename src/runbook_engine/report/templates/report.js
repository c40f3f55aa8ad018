"use strict";
(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const say = (button, word) => {
    const before = button.textContent;
    button.textContent = word;
    setTimeout(() => { button.textContent = before; }, 1600);
  };
  for (const button of all("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        say(button, "Copied");
      } catch {
        getSelection().selectAllChildren(code);
        say(button, "Selected");
      }
    });
  }
  for (const figure of all(".graph")) {
    const start = figure.querySelector(".start");
    if (!start || figure.scrollWidth <= figure.clientWidth) continue;
    const place = start.getBoundingClientRect();
    figure.scrollLeft = place.left - figure.getBoundingClientRect().left - figure.clientWidth / 2;
  }
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", reveal);
  reveal();
  const steps = all("details.step");
  const toggle = document.getElementById("toggle-steps");
  if (toggle && steps.length) {
    toggle.hidden = false;
    toggle.addEventListener("click", () => {
      const open = !steps.every((step) => step.open);
      for (const step of steps) step.open = open;
      toggle.textContent = open ? "Collapse all" : "Expand all";
    });
  }
  addEventListener("beforeprint", () => { for (const each of all("details")) each.open = true; });
})();
