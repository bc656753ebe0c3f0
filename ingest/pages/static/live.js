// Refreshes the live parts of a page, by default every second. Without it the page still shows its numbers.
//
// Each refresh is a plain GET with an entity tag, which survives restarts, proxies and sleep, and costs a 304 if nothing
// changed. After a failure the script backs off, up to five seconds, and marks the numbers as stale.
"use strict";

(() => {
  const LONGEST_PAUSE_MS = 5000;
  const TIMEOUT_MS = 5000;
  const STALE_CHECK_MS = 1000;
  const RECONNECTED_MS = 10000; // how long the page says that it reconnected

  const live = document.querySelector("[data-live-from]");
  const connection = document.querySelector("[data-connection]");
  if (!live || !connection) return;

  const everyMs = Number(live.dataset.liveEvery || 1) * 1000;
  const staleAfterMs = everyMs + 3000;
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });
  const shown = new Map();
  let etag = "";
  let refreshedAt = Date.now();
  let refreshedTick = performance.now();
  let failures = 0;
  let timer = 0;

  // Replaces old with next, and keeps the focus, the open tables and the scroll positions.
  function replaceKeepingState(old, next) {
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

  function update(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const part of fresh.querySelectorAll("[data-live]")) {
      const old = document.getElementById(part.id);
      if (!old || (shown.get(part.id) ?? old.outerHTML) === part.outerHTML) continue;
      shown.set(part.id, part.outerHTML);
      replaceKeepingState(old, document.importNode(part, true));
      if (part.dataset.title) document.title = part.dataset.title;
    }
  }

  function showConnection() {
    const isStale = performance.now() - refreshedTick > staleAfterMs;
    if (isStale === document.body.classList.contains("stale")) return;
    document.body.classList.toggle("stale", isStale);
    connection.textContent = isStale
      ? connection.dataset.lost.replace("{time}", clock.format(refreshedAt))
      : connection.dataset.back;
    if (!isStale) setTimeout(() => document.body.classList.contains("stale") || (connection.textContent = ""), RECONNECTED_MS);
  }

  async function refresh() {
    clearTimeout(timer);
    try {
      const answer = await fetch(live.dataset.liveFrom, {
        headers: etag ? { "If-None-Match": etag } : {},
        cache: "no-store",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.status === 200) {
        update(await answer.text());
        etag = answer.headers.get("ETag") || "";
      } else if (answer.status === 401) {
        location.reload();
        return;
      } else if (answer.status !== 304) {
        throw new Error(`the server answered ${answer.status}`);
      }
      failures = 0;
      refreshedAt = Date.now();
      refreshedTick = performance.now();
    } catch {
      failures += 1;
    }
    showConnection();
    if (!document.hidden) {
      const pause = Math.min(everyMs * 2 ** Math.min(failures, 5), Math.max(everyMs, LONGEST_PAUSE_MS));
      timer = setTimeout(refresh, pause * (failures ? 0.75 + Math.random() / 2 : 1));
    }
  }

  setInterval(() => document.hidden || showConnection(), STALE_CHECK_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else refresh();
  });
  window.addEventListener("online", refresh);
  timer = setTimeout(refresh, everyMs);
})();
