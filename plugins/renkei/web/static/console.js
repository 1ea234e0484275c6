// What a frame inside Airflow needs: its theme, its address bar, ways to its own pages. Pages work without.
(() => {
  "use strict";
  const root = document.documentElement;
  const base = document.currentScript.dataset.airflow;
  let outer = null;
  try { if (parent !== window && parent.location.origin === location.origin) outer = parent; } catch { /* another site's */ }

  const follow = () => {
    const classes = outer?.document.documentElement.classList;
    const theme = classes?.contains("dark") ? "dark" : classes?.contains("light") ? "light" : localStorage.getItem("theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  follow();
  addEventListener("storage", follow);
  addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-copy]")) {
      const field = document.getElementById(button.dataset.copy);
      button.hidden = false;
      button.addEventListener("click", async () => {
        field.select();
        try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
        document.getElementById(`${button.dataset.copy}-copied`).textContent = "コピーしました";
      });
    }
    for (const button of document.querySelectorAll("[data-print]")) {
      button.hidden = false;
      button.addEventListener("click", () => print());
    }
  });
  if (!outer) return;

  root.dataset.framed = "";
  new MutationObserver(follow).observe(outer.document.documentElement, { attributes: true, attributeFilter: ["class"] });

  // Airflow mirrors the frame's address when it loads, in its menu's page only: not what htmx pushes.
  const menu = `${base}/plugin/renkei`;
  const mirror = () => {
    if (outer.location.pathname === menu || outer.location.pathname.startsWith(`${menu}/`))
      outer.history.replaceState(outer.history.state, "", menu + location.pathname + location.search);
  };
  const named = () => { outer.document.title = document.title; };
  addEventListener("load", named);
  for (const event of ["htmx:after:history:push", "htmx:after:history:replace"]) addEventListener(event, mirror);
  addEventListener("pageshow", mirror);

  // The frame may open no window, nor lead the page around it elsewhere; a link of that page may.
  const leave = (address, target) => {
    const link = outer.document.createElement("a");
    Object.assign(link, { href: address, target, rel: "noopener noreferrer" });
    link.click();
  };

  // An Airflow page inside our frame would be an Airflow within Airflow.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-airflow-page], a[data-outside], a[data-leave]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if ("outside" in link.dataset) return leave(link.href, "_blank");
    if ("leave" in link.dataset) return leave(`${link.href}?framed=1`, "_self");
    outer.history.pushState({}, "", link.getAttribute("href"));
    outer.dispatchEvent(new outer.PopStateEvent("popstate"));
  });
})();
