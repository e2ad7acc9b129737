"use strict";
(() => {
  const trace = JSON.parse(document.getElementById("trace").textContent);
  const spans = trace.spans;
  const HEIGHT = 24;
  const $ = (id) => document.getElementById(id);
  const rows = $("rows"), space = $("space"), map = $("map"), details = $("details");
  const closed = new Set();
  let from = 0, to = Math.max(trace.duration, 0.001), shown = [], picked = -1, words = "";

  const made = (tag, name, text) => {
    const found = document.createElement(tag);
    if (name) found.className = name;
    if (text !== undefined) found.textContent = text;
    return found;
  };
  const time = (micros) => {
    const size = Math.abs(micros);
    if (size < 1000) return `${+micros.toFixed(micros % 1 ? 1 : 0)} µs`;
    if (size < 1e6) return `${+(micros / 1e3).toPrecision(4)} ms`;
    return `${+(micros / 1e6).toPrecision(4)} s`;
  };
  const texts = new Map();
  const searched = (index) => {
    let found = texts.get(index);
    if (found === undefined) {
      const span = spans[index];
      found = JSON.stringify([span.name, span.service, span.id, span.error, span.message, span.attributes]).toLowerCase();
      texts.set(index, found);
    }
    return found;
  };
  const fits = (span, index) =>
    (!words || searched(index).includes(words)) &&
    (!$("errors").checked || span.status === "error") &&
    (!$("path").checked || span.critical > 0) &&
    span.offset <= to && span.offset + span.duration >= from;

  const choose = () => {
    shown = [];
    let hidden = Infinity;
    const filtered = words || $("errors").checked || $("path").checked;
    for (let index = 0; index < spans.length; index++) {
      const span = spans[index];
      if (!filtered) {
        if (span.depth > hidden) continue;
        hidden = closed.has(index) ? span.depth : Infinity;
      }
      if (fits(span, index)) shown.push(index);
    }
    space.style.height = `${shown.length * HEIGHT}px`;
    $("count").textContent = `${shown.length} of ${spans.length} spans`;
    draw();
  };

  const parents = (index) => index + 1 < spans.length && spans[index + 1].depth > spans[index].depth;

  const rowOf = (index, place) => {
    const span = spans[index];
    const row = made("div", `row${span.status === "error" ? " failed" : ""}${span.critical > 0 ? " way" : ""}`);
    row.style.top = `${place * HEIGHT}px`;
    row.dataset.index = index;
    row.setAttribute("role", "treeitem");
    row.setAttribute("aria-level", span.depth + 1);
    row.setAttribute("aria-selected", index === picked);
    const label = made("div", "label");
    label.style.paddingLeft = `${Math.min(span.depth, 30) * 12}px`;
    const fold = made("button", "", parents(index) ? (closed.has(index) ? "▸" : "▾") : "");
    fold.type = "button";
    fold.tabIndex = -1;
    fold.setAttribute("aria-label", closed.has(index) ? "open" : "close");
    label.append(fold, made("span", "service", span.service), made("span", "name", span.name || "(no name)"));
    if (span.odd) label.append(made("span", "odd", span.odd));
    label.title = `${span.service} ${span.name}`;
    const lane = made("div", "lane"), bar = made("div", "bar"), told = made("span", "time", time(span.duration));
    const left = ((span.offset - from) / (to - from)) * 100, width = (span.duration / (to - from)) * 100;
    const begin = Math.max(left, -1), end = Math.min(left + width, 101);
    bar.style.left = `${begin}%`;
    bar.style.width = `${Math.max(end - begin, 0)}%`;
    if (end < 80) told.style.left = `${Math.max(end, 0)}%`;
    else if (begin > 20) told.style.right = `${100 - begin}%`;
    else {
      told.style.left = `${Math.max(begin, 0)}%`;
      told.classList.add("within");
    }
    lane.append(bar, told);
    row.append(label, lane);
    return row;
  };

  const draw = () => {
    const first = Math.max(Math.floor(rows.scrollTop / HEIGHT) - 10, 0);
    const last = Math.min(first + Math.ceil(rows.clientHeight / HEIGHT) + 20, shown.length);
    const found = [];
    for (let place = first; place < last; place++) found.push(rowOf(shown[place], place));
    space.replaceChildren(...found);
    const scale = [];
    for (let step = 0; step < 5; step++) {
      const mark = made("span", "", time(from + ((to - from) * step) / 5));
      mark.style.left = `${step * 20}%`;
      scale.push(mark);
    }
    $("scale").replaceChildren(...scale);
    overview();
  };

  const overview = () => {
    const width = map.clientWidth, height = 48, all = Math.max(trace.duration, 0.001);
    map.width = width;
    const pen = map.getContext("2d"), style = getComputedStyle(document.documentElement);
    const deepest = spans.reduce((most, span) => Math.max(most, span.depth), 0) + 1;
    for (const span of spans) {
      pen.fillStyle = style.getPropertyValue(span.status === "error" ? "--bad" : "--bar");
      pen.globalAlpha = 0.7;
      pen.fillRect((span.offset / all) * width, (span.depth / deepest) * height, Math.max((span.duration / all) * width, 1), Math.max(height / deepest - 1, 1));
    }
    pen.globalAlpha = 0.25;
    pen.fillStyle = style.getPropertyValue("--soft");
    pen.fillRect(0, 0, (from / all) * width, height);
    pen.fillRect((to / all) * width, 0, width, height);
  };

  const table = (title, entries) => {
    if (!entries.length) return;
    details.append(made("h3", "", title));
    const found = made("table", "");
    for (const [name, value] of entries) {
      const line = made("tr", "");
      line.append(made("th", "", name), made("td", "", typeof value === "string" ? value : JSON.stringify(value, null, 1)));
      found.append(line);
    }
    details.append(found);
  };

  const pick = (index) => {
    picked = index;
    const span = spans[index];
    const close = made("button", "close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "close details");
    close.onclick = () => pickNone();
    details.replaceChildren(close, made("h2", "", span.name || "(no name)"));
    const facts = { service: span.service, project: span.project, host: span.host, kind: span.kind, status: span.status };
    const more = { error: span.error, message: span.message, odd: span.odd, scope: span.scope, id: span.id, parent: span.parent };
    const times = { start: time(span.offset), duration: time(span.duration), "on the critical path": span.critical ? time(span.critical) : "" };
    table("Span", Object.entries({ ...times, ...facts, ...more }).filter(([, value]) => value));
    table("Attributes", Object.entries(span.attributes));
    table("Events", span.events.map((each) => [`${time(each.offset)} ${each.name}`, each.attributes]));
    table("Links", span.links.map((each) => [each.trace, each]));
    table("Resource", Object.entries(span.resource));
    details.hidden = false;
    draw();
  };
  const pickNone = () => {
    picked = -1;
    details.hidden = true;
    draw();
  };
  const fold = (index) => {
    if (!parents(index)) return;
    closed.has(index) ? closed.delete(index) : closed.add(index);
    choose();
  };

  space.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    const index = Number(row.dataset.index);
    event.target.closest("button") ? fold(index) : pick(index);
  });
  rows.addEventListener("scroll", () => requestAnimationFrame(draw));
  addEventListener("resize", draw);
  $("search").addEventListener("input", (event) => {
    words = event.target.value.toLowerCase();
    rows.scrollTop = 0;
    choose();
  });
  for (const id of ["errors", "path"]) $(id).addEventListener("change", choose);
  const zoom = (begin, end) => {
    from = begin;
    to = end;
    choose();
  };
  $("whole").addEventListener("click", () => zoom(0, Math.max(trace.duration, 0.001)));
  let grip = null;
  const at = (event) => Math.min(Math.max((event.clientX - map.getBoundingClientRect().left) / map.clientWidth, 0), 1) * Math.max(trace.duration, 0.001);
  map.addEventListener("pointerdown", (event) => {
    grip = at(event);
    map.setPointerCapture(event.pointerId);
  });
  map.addEventListener("pointerup", (event) => {
    const other = at(event);
    if (grip !== null && Math.abs(other - grip) > trace.duration / 500) zoom(Math.min(grip, other), Math.max(grip, other));
    grip = null;
  });
  addEventListener("keydown", (event) => {
    if (event.target === $("search")) {
      if (event.key === "Escape") {
        $("search").value = words = "";
        $("search").blur();
        choose();
      }
      return;
    }
    const place = shown.indexOf(picked), page = Math.floor(rows.clientHeight / HEIGHT);
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page };
    if (event.key === "/") {
      event.preventDefault();
      $("search").focus();
    } else if (event.key === "Escape") pickNone();
    else if (event.key === "Enter" && picked >= 0) fold(picked);
    else if (event.key in steps && shown.length) {
      event.preventDefault();
      const next = Math.min(Math.max(place < 0 ? 0 : place + steps[event.key], 0), shown.length - 1);
      if (next * HEIGHT < rows.scrollTop || (next + 2) * HEIGHT > rows.scrollTop + rows.clientHeight) rows.scrollTop = Math.max(next * HEIGHT - rows.clientHeight / 2, 0);
      pick(shown[next]);
    }
  });

  $("name").textContent = `${trace.service ? `${trace.service}: ` : ""}${trace.name || "trace"}`;
  const begun = new Date(trace.start / 1000);
  $("facts").textContent = [
    trace.trace, isNaN(begun) ? "" : begun.toISOString(), time(trace.duration), `${trace.spans.length} spans`,
    trace.errors ? `${trace.errors} with an error` : "no errors", Object.keys(trace.services).filter(Boolean).join(", "),
  ].filter(Boolean).join(" · ");
  choose();
})();
