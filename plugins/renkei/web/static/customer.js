// The invitation stands behind #, which no browser sends: into the field with it, and out of the address bar.
(() => {
  "use strict";
  const field = document.getElementById("invitation");
  const take = () => {
    const given = location.hash.slice(1);
    if (!field || !given) return;
    field.value = given;
    history.replaceState(null, "", location.pathname);
    document.getElementById("by-hand").hidden = true;
    document.getElementById("by-link").hidden = false;
  };
  take();
  // Another link is opened where this page, or the refusal of the last one, still stands: no browser loads it anew.
  addEventListener("hashchange", () => {
    if (field) take();
    else if (location.hash) location.replace(`${location.pathname}?again${location.hash}`);
  });
})();
