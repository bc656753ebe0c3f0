// Asks the server again, every second where the page does not say otherwise, and puts in what has changed. Without it
// the page still shows its figures.
//
// A plain GET with an entity tag: it survives restarts, proxies and sleep by itself, and costs a 304 when nothing
// changed. After a failure it asks less and less often, up to every five seconds, and says that the figures are old.
"use strict";

(() => {
  const LONGEST_MS = 5000;
  const PATIENCE_MS = 5000;
  const TICK_MS = 1000;
  const BACK_MS = 10000; // how long it says that the connection is back

  const place = document.querySelector("[data-live-from]");
  const connection = document.querySelector("[data-connection]");
  if (!place || !connection) return;

  const everyMs = Number(place.dataset.liveEvery || 1) * 1000;
  const staleAfterMs = everyMs + 3000;
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });
  const shown = new Map();
  let etag = "";
  let goodAt = Date.now();
  let goodTick = performance.now();
  let failures = 0;
  let timer = 0;

  // Who works with the keyboard, or has opened or scrolled something, must not lose the place by what is put in.
  function keepPlace(old, next) {
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const like = (one) => focused && one.tagName === focused.tagName && one.getAttribute("href") === focused.getAttribute("href");
    const number = [...old.querySelectorAll("*")].filter(like).indexOf(focused);
    const opened = [...old.querySelectorAll("details")].map((one) => one.open);
    const scrolled = [...old.querySelectorAll(".scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
    next.querySelectorAll("details").forEach((one, index) => { one.open = opened[index] ?? one.open; });
    old.replaceWith(next);
    next.querySelectorAll(".scroll").forEach((one, index) => one.scrollTo(...(scrolled[index] ?? [0, 0])));
    if (focused) [...next.querySelectorAll("*")].filter(like)[number]?.focus({ preventScroll: true });
  }

  function putIn(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const old = document.getElementById(part.id);
      if (!old || (shown.get(part.id) ?? old.outerHTML) === part.outerHTML) continue;
      shown.set(part.id, part.outerHTML);
      keepPlace(old, document.importNode(part, true));
      if (part.dataset.title) document.title = part.dataset.title;
    }
  }

  function tell() {
    const isStale = performance.now() - goodTick > staleAfterMs;
    if (isStale === document.body.classList.contains("stale")) return;
    document.body.classList.toggle("stale", isStale);
    connection.textContent = isStale
      ? connection.dataset.lost.replace("{time}", clock.format(goodAt))
      : connection.dataset.back;
    if (!isStale) setTimeout(() => document.body.classList.contains("stale") || (connection.textContent = ""), BACK_MS);
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
      const pause = Math.min(everyMs * 2 ** Math.min(failures, 5), Math.max(everyMs, LONGEST_MS));
      timer = setTimeout(ask, pause * (failures ? 0.75 + Math.random() / 2 : 1));
    }
  }

  setInterval(() => document.hidden || tell(), TICK_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else ask();
  });
  window.addEventListener("online", ask);
  timer = setTimeout(ask, everyMs);
})();
