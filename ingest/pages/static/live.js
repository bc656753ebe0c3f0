// Asks the server again every second and puts in what has changed. Without it the page still shows its figures.
//
// A plain GET with an entity tag: it survives restarts, proxies and sleep by itself, and costs a 304 when nothing
// changed. After a failure it asks less and less often, up to every ten seconds, and says that the figures are old.
"use strict";

(() => {
  const EVERY_MS = 1000;
  const LONGEST_MS = 10000;
  const PATIENCE_MS = 5000;
  const STALE_AFTER_MS = 4000;

  const place = document.querySelector("[data-live-from]");
  const connection = document.querySelector("[data-connection]");
  if (!place || !connection) return;

  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });
  let etag = "";
  let goodAt = Date.now();
  let goodTick = performance.now();
  let failures = 0;
  let timer = 0;

  function putIn(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const old = document.getElementById(part.id);
      if (!old || old.outerHTML === part.outerHTML) continue;
      const details = old.querySelector("details");
      const next = document.importNode(part, true);
      if (details && details.open) next.querySelector("details").open = true;
      const focused = old.contains(document.activeElement) ? document.activeElement.tagName : "";
      const scroll = old.querySelector(".scroll");
      const top = scroll ? scroll.scrollTop : 0;
      old.replaceWith(next);
      if (focused) next.querySelector(focused)?.focus({ preventScroll: true });
      const nextScroll = next.querySelector(".scroll");
      if (nextScroll) nextScroll.scrollTop = top;
      if (next.dataset.title) document.title = next.dataset.title;
    }
  }

  function tell() {
    const isStale = performance.now() - goodTick > STALE_AFTER_MS;
    if (isStale === document.body.classList.contains("stale")) return;
    document.body.classList.toggle("stale", isStale);
    connection.textContent = isStale
      ? connection.dataset.lost.replace("{time}", clock.format(goodAt))
      : connection.dataset.back;
  }

  async function ask() {
    clearTimeout(timer);
    try {
      const answer = await fetch(place.dataset.liveFrom, {
        headers: etag ? { "If-None-Match": etag } : {},
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.status === 200) {
        putIn(await answer.text());
        etag = answer.headers.get("ETag") || "";
      } else if (answer.status === 401) {
        location.reload();
        return;
      } else if (answer.status !== 304) {
        throw new Error(`the server answered ${answer.status}`);
      }
      failures = 0;
      goodAt = Date.now();
      goodTick = performance.now();
    } catch {
      failures += 1;
    }
    tell();
    if (!document.hidden) {
      const pause = Math.min(EVERY_MS * 2 ** Math.min(failures, 5), LONGEST_MS);
      timer = setTimeout(ask, pause * (failures ? 0.75 + Math.random() / 2 : 1));
    }
  }

  setInterval(() => document.hidden || tell(), EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else ask();
  });
  timer = setTimeout(ask, EVERY_MS);
})();
