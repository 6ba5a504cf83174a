// Makes pages live. Each page is whole without this file; with it, times are in the viewer's zone, and the parts that
// have changed are taken from the page as the daemon would give it now. What runs wrote is only ever set as text.
"use strict";

(() => {
  // Times

  const clockParts = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
  const clock = new Intl.DateTimeFormat(undefined, clockParts);
  const thisYear = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", ...clockParts });
  const full = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "numeric", ...clockParts });
  const utcClock = new Intl.DateTimeFormat(undefined, { ...clockParts, timeZone: "UTC" });
  const utcDay = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", ...clockParts, timeZone: "UTC" });

  // Today is a clock, another day its date too: a table of times is read at a glance.
  const instant = (at) => {
    const now = new Date();
    if (at.toDateString() === now.toDateString()) return clock.format(at);
    return (at.getFullYear() === now.getFullYear() ? thisYear : full).format(at);
  };
  const dayOf = (at) => at.toISOString().slice(0, 10);
  const inUtc = (at) => (dayOf(at) === dayOf(new Date()) ? utcClock : utcDay).format(at);

  const since = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000));
    const two = (n) => String(n).padStart(2, "0");
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} m ${two(s % 60)} s`;
    if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} m`;
    return `${Math.floor(s / 86400)} d ${two(Math.floor((s % 86400) / 3600))} h`;
  };

  const MODES = { since: (at) => since(Date.now() - at), clock: (at) => clock.format(at), utc: inUtc };

  const show = (time) => {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) return;
    const text = (MODES[time.dataset.show] ?? instant)(at);
    if (time.textContent !== text) time.textContent = text;
  };
  const showAll = (root) => root.querySelectorAll("time[data-show]").forEach(show);

  // The live parts: each has data-part and an id

  const REFRESH_MS = 250;
  const main = document.getElementById("main");
  const state = document.getElementById("link-state");
  let isWanted = false;
  let isBusy = false;
  // What this page shows will not change any more.
  let isOver = false;

  const refresh = async () => {
    if (isBusy) { isWanted = true; return; }
    isBusy = true;
    isWanted = false;
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { accept: "text/html" } });
      if (answer.ok) adopt(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* the stream says when the daemon is back */ }
    setTimeout(() => { isBusy = false; if (isWanted) refresh(); }, REFRESH_MS);
  };

  const sheetOf = (page) => page.querySelector("link[rel=stylesheet]")?.getAttribute("href");

  const adopt = (fresh) => {
    // Another orchd answers than the one whose script this is.
    if (sheetOf(fresh) !== sheetOf(document)) { location.reload(); return; }
    document.title = fresh.title;
    isOver = !fresh.getElementById("main")?.dataset.live;
    for (const part of document.querySelectorAll("[data-part]")) {
      const now = fresh.getElementById(part.id);
      const focused = part.contains(document.activeElement) ? document.activeElement : null;
      // Nothing is taken away from under somebody who types or chooses.
      if (!now || focused?.matches("input, select, textarea")) continue;
      const node = document.importNode(now, true);
      showAll(node);
      for (const open of part.querySelectorAll("details[id][open]")) {
        const same = node.querySelector(`#${CSS.escape(open.id)}`);
        if (same) same.open = true;
      }
      if (node.isEqualNode(part)) continue;
      const twin = focused && [...node.querySelectorAll(focused.localName)].find((each) => each.isEqualNode(focused));
      part.replaceWith(node);
      twin?.focus({ preventScroll: true });
    }
  };

  // The log of a run: only a window of it is in the page; lines leave at one end as others come in at the other

  // Greater than every line's number.
  const NO_LINE = Number.MAX_SAFE_INTEGER;
  const WINDOW = 2000;
  const PAGE = 500;
  const log = document.getElementById("log-lines");
  let isLoading = false;
  let hasOlder = true;
  // While there are newer lines than the last one here, what the daemon sends is not appended: it is asked for on the
  // way down.
  let hasNewer = log !== null && !log.hasAttribute("data-from-end");
  // What the daemon sent while newer lines were asked for.
  let waiting = [];

  const lineOf = (line) => {
    const made = document.createElement("div");
    made.className = line.level >= 40 ? "line bad" : line.level >= 30 ? "line wait" : "line";
    made.id = `L${line.seq}`;
    made.dataset.seq = line.seq;
    const time = document.createElement("time");
    time.dateTime = line.at;
    time.dataset.show = "clock";
    time.title = `${line.at.slice(0, 10)} ${line.at.slice(11, 19)} UTC`;
    show(time);
    const from = document.createElement("span");
    from.className = "from";
    from.textContent = (line.task ?? "") + (line.map_index >= 0 ? `[${line.map_index}]` : "");
    const text = document.createElement("span");
    text.className = "text";
    text.textContent = line.text;
    made.append(time, " ", from, " ", text);
    return made;
  };

  const isAtEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const lastSeq = () => {
    let last = log.lastElementChild;
    while (last && !last.dataset.seq) last = last.previousElementSibling;
    return Number(last?.dataset.seq ?? -1);
  };
  const dropOldest = () => { while (log.childElementCount > WINDOW) { log.firstElementChild.remove(); hasOlder = true; } };
  const dropNewest = () => { while (log.childElementCount > WINDOW) { log.lastElementChild.remove(); hasNewer = true; } };

  // Changes lines above what is seen, and keeps that where it is.
  const keepingSight = (change) => {
    const height = log.scrollHeight;
    change();
    log.scrollTop += log.scrollHeight - height;
  };

  const fragmentOf = (lines) => {
    const made = document.createDocumentFragment();
    for (const line of lines) made.append(lineOf(line));
    return made;
  };

  const append = (part) => {
    if (isLoading) { waiting.push(part); return; }
    if (hasNewer) return;
    document.getElementById("no-lines")?.remove();
    const follow = isAtEnd();
    if (!follow && log.childElementCount > 2 * WINDOW) { hasNewer = true; return; }
    // What the daemon leaves out may be here already, after the stream was cut.
    if (part.gap && part.lines[0].seq > lastSeq() + 1) {
      const gap = document.createElement("div");
      gap.className = "gap";
      gap.textContent = "... lines left out here: they came faster than a page can show; all are in the log ...";
      log.append(gap);
    }
    const last = lastSeq();
    log.append(fragmentOf(part.lines.filter((line) => line.seq > last)));
    if (follow) {
      dropOldest();
      log.scrollTop = log.scrollHeight;
    }
  };

  const ask = async (query) => {
    const asked = new URLSearchParams(query);
    for (const name of ["task", "level", "text"]) if (log.dataset[name]) asked.set(name, log.dataset[name]);
    const answer = await fetch(`/api/v1/runs/${log.dataset.run}/logs?${asked}`);
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  };

  const load = async (more) => {
    if (isLoading) return;
    isLoading = true;
    try {
      await more();
    } catch { /* it is asked for again at the next scroll */ } finally {
      isLoading = false;
      for (const part of waiting.splice(0)) append(part);
    }
  };

  const older = async () => {
    const first = log.querySelector(".line");
    if (!first) return;
    let page = { lines: [], before: first.dataset.seq };
    // One answer looks at so many lines only: an empty one is not yet the end.
    while (!page.lines.length && page.before !== null) page = await ask({ before: page.before, tail: PAGE });
    hasOlder = page.before !== null;
    keepingSight(() => log.prepend(fragmentOf(page.lines)));
    dropNewest();
  };

  const newer = async () => {
    let page = { lines: [], next: lastSeq(), more: true };
    while (!page.lines.length && page.more) page = await ask({ after: page.next, limit: PAGE });
    hasNewer = page.more;
    log.append(fragmentOf(page.lines));
    keepingSight(dropOldest);
  };

  const newest = async () => {
    let page = { lines: [], before: undefined };
    while (!page.lines.length && page.before !== null) page = await ask({ before: page.before ?? NO_LINE, tail: PAGE });
    hasOlder = page.before !== null;
    hasNewer = false;
    if (page.lines.length) log.replaceChildren(fragmentOf(page.lines));
    log.scrollTop = log.scrollHeight;
  };

  if (log) {
    document.getElementById("newest").addEventListener("click", (event) => {
      event.preventDefault();
      load(newest);
    });
    if (!hasNewer) log.scrollTop = log.scrollHeight;
    log.addEventListener("scroll", () => {
      if (hasOlder && log.scrollTop < 400) load(older);
      else if (hasNewer && log.scrollHeight - log.scrollTop - log.clientHeight < 400) load(newer);
    }, { passive: true });
  }

  // Pictures: larger, smaller, dragged

  for (const bar of document.querySelectorAll(".picture-bar")) {
    const frame = bar.nextElementSibling;
    const image = frame.querySelector("img");
    bar.addEventListener("click", (event) => {
      const by = Number(event.target.dataset.zoom ?? NaN);
      if (Number.isNaN(by)) return;
      image.style.maxWidth = by ? "none" : "";
      image.style.width = by ? `${Math.round(image.getBoundingClientRect().width * by)}px` : "";
    });
    frame.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) frame.scrollBy(-event.movementX, -event.movementY);
    });
    frame.addEventListener("dragstart", (event) => event.preventDefault());
  }

  const redraw = () => {
    const image = document.querySelector("#schematic[open] img");
    if (image) image.src = `${image.src.split("?")[0]}?${Date.now()}`;
  };

  // Two clicks at once ask for one thing

  const TWICE_MS = 1000;
  let sent = { action: "", at: -Infinity };
  addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.action === sent.action && event.timeStamp - sent.at < TWICE_MS) event.preventDefault();
    else sent = { action: form.action, at: event.timeStamp };
  });

  // What the daemon says

  const AGAIN_MS = 3000;
  const UNSEEN_MS = 15_000;
  let stream = null;
  let hasEnded = false;

  // A browser has six connections for all its windows together: one that nobody sees must not hold one of them.
  const watch = () => {
    stream?.close();
    stream = document.hidden || hasEnded ? null : listen();
  };

  const listen = () => {
    const address = new URL(main.dataset.live, location.href);
    if (log) address.searchParams.set("after", Math.max(lastSeq(), address.searchParams.get("after")));
    const made = new EventSource(address);
    made.addEventListener("change", () => { refresh(); redraw(); });
    made.addEventListener("lines", (event) => append(JSON.parse(event.data)));
    made.addEventListener("end", () => { hasEnded = true; made.close(); refresh(); redraw(); });
    made.onopen = () => { state.textContent = ""; };
    made.onerror = () => {
      if (made.readyState === EventSource.CLOSED) askWhy();
      else state.textContent = "The daemon does not answer; waiting for it";
    };
    return made;
  };

  // A stream that was refused does not say why; the page does.
  const askWhy = async () => {
    const answer = await fetch(location.pathname + location.search).catch(() => null);
    if (answer?.status === 401) { state.textContent = "You are logged out; load the page again"; return; }
    if (answer?.status === 404) { state.textContent = "This is kept no longer"; return; }
    const why = answer === null ? "The daemon does not answer" : answer.status === 503 ? "The run store is away"
      : "Too many pages are live";
    state.textContent = `${why}; waiting`;
    setTimeout(watch, AGAIN_MS);
  };

  if (main?.dataset.live) {
    watch();
    document.addEventListener("visibilitychange", watch);
    addEventListener("pagehide", () => stream?.close());
    addEventListener("pageshow", (event) => { if (event.persisted) watch(); });
    // The title of a window that nobody sees is seen.
    setInterval(() => { if (document.hidden && !isOver) refresh(); }, UNSEEN_MS);
  }


  showAll(document);
  setInterval(() => showAll(document), 60_000);
  setInterval(() => document.querySelectorAll('time[data-show="since"]').forEach(show), 1000);
})();
