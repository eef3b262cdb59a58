const SMALL = new Set("a an and are as at be by can do does for from has have how i in is it of on or that the this to was we what when where which who why will with you".split(" "));
const SHOWN_PASSAGES = 2;
const MINUTE = 60_000;
const [form, query, results] = ["form", "query", "results"].map(byId);
// Where people sign in, there is neither: the session's cookie says who asks.
const [user, key] = ["user", "key"].map(byId);
const fields = [...document.querySelectorAll("[data-filter]")];
const chosen = new Set();
let asked = 0;

const remembered = [["key", key], ["user", user], ["q", query]].filter(([, field]) => field);

function remember() {
  for (const [name, field] of remembered) {
    field.value = sessionStorage.getItem(name) ?? "";
    field.addEventListener("input", () => sessionStorage.setItem(name, field.value));
  }
  takeFragment();
}

function takeFragment() {
  // The fragment never leaves the browser; it is taken out of the address bar, which people share.
  const given = new URLSearchParams(location.hash.slice(1));
  for (const [name, field] of remembered.filter(([name]) => given.has(name))) {
    field.value = given.get(name);
    sessionStorage.setItem(name, field.value);
  }
  if (given.get("key") && key) byId("key-label").hidden = true;
  if (location.hash) history.replaceState(null, "", location.pathname);
  return given;
}

function followLink() {
  // A link that is opened in this tab loads no page anew. What is shown was answered to whoever asked before.
  const given = takeFragment();
  if (!remembered.some(([name]) => given.has(name))) return;
  asked++;
  results.replaceChildren();
  byId("fresh").replaceChildren();
  fresh = {at: 0, body: []};
  say("");
  ask();
}

function chips(connected) {
  // One for each source that is connected, and that whoever asks may search.
  for (const id of chosen) if (!connected.has(id)) chosen.delete(id);
  byId("sources").replaceChildren(...Object.keys(SOURCES).filter(id => connected.has(id)).map(id => {
    const chip = press("chip", "", () => {
      chosen.has(id) ? chosen.delete(id) : chosen.add(id);
      chip.setAttribute("aria-pressed", String(chosen.has(id)));
      ask();
    });
    chip.append(icon(id), SOURCES[id].label);
    chip.setAttribute("aria-pressed", String(chosen.has(id)));
    return chip;
  }));
}

const tell = (path, body) => answerOf(path, {key: key?.value, body});

// Passages.

function wordsOf(text) {
  // Identifiers stay whole; a word also marks its longer forms (release, releases).
  const words = text.split(/[^\p{L}\p{N}_./:#-]+/u).map(word => word.replace(/^[./:#-]+|[./:-]+$/g, ""));
  const wanted = [...new Set(words)].filter(word => word.length > 1 && !SMALL.has(word.toLowerCase()));
  if (!wanted.length) return null;
  const escaped = wanted.sort((a, b) => b.length - a.length).map(word => word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  return new RegExp(`((?<![\\p{L}\\p{N}])(?:${escaped.join("|")})[\\p{L}]{0,3}(?![\\p{L}\\p{N}]))`, "giu");
}

function highlight(element, pattern) {
  if (!pattern) return;
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    const parts = text.data.split(pattern);
    if (parts.length > 1) text.replaceWith(...parts.map((part, index) => index % 2 ? make("mark", "", part) : part));
  }
}

function passageOf(chunk, rendered, pattern) {
  const passage = make("div", "passage");
  const place = [...chunk.headings, ...(chunk.page ? [`page ${chunk.page}`] : [])];
  if (place.length) passage.append(make("p", "heading", place.join(" › ")));
  if (rendered === undefined) passage.append(make("p", "plain", chunk.text));
  else passage.append(...new DOMParser().parseFromString(rendered, "text/html").body.childNodes);
  for (const link of passage.querySelectorAll("a")) Object.assign(link, {rel: "noreferrer noopener", target: "_blank"});
  highlight(passage, pattern);
  return passage;
}

function bestOf(result) {
  return [...result.chunks].sort((a, b) => b.score - a.score).slice(0, SHOWN_PASSAGES);
}

async function render(texts) {
  // The service renders the passages' Markdown, in which nothing can run; without an answer they are shown as they are.
  const {status, body} = await tell("/page/passages", {texts});
  return status === 200 ? body.html : [];
}

function reachScrolled() {
  // What is wider than its passage is scrolled by keys, too.
  for (const wide of results.querySelectorAll(".passage :is(table, pre)"))
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
    else wide.removeAttribute("tabindex");
}

function foldLong() {
  // What does not fit opens at a press.
  for (const passage of results.querySelectorAll(".passage")) {
    if (passage.scrollHeight <= passage.clientHeight + 2) continue;
    passage.classList.add("cut");
    passage.after(press("more", "Show all", button => { passage.classList.add("open"); passage.classList.remove("cut"); button.remove(); }));
  }
}

// Results.

function about(result) {
  const bare = name => name.replace(/^#/, "");
  const unit = result.unit_name || result.unit;
  const above = result.breadcrumb.some(one => bare(one) === bare(unit)) ? result.breadcrumb : [unit, ...result.breadcrumb];
  const place = above.join(" › ");
  const line = make("p", "about", make("span", "", `${SOURCES[result.source]?.label ?? result.source} ${result.kind.replaceAll("_", " ")}`));
  line.append(make("span", "place", place));
  if (result.author) line.append(make("span", "", result.author));
  if (result.updated_at) line.append(timed(`updated ${ago(new Date(result.updated_at))}`, new Date(result.updated_at)));
  return line;
}

function card(result, rendered, pattern, put, request) {
  const link = make("a", "", result.title || result.document_id);
  // Only what leads to a site is a link: a document may name any URL, javascript: too.
  if (/^https?:\/\//i.test(result.url)) link.href = result.url;
  link.rel = "noreferrer noopener";
  link.tabIndex = 0;
  const passages = bestOf(result).map(chunk => passageOf(chunk, rendered.get(chunk.text), pattern));
  const tools = make("div", "tools", why(result, put), ...verdicts(result, request));
  return make("li", "", make("h2", "", icon(result.source), link), about(result), ...passages, tools);
}

function why(result, put) {
  return press("more", "Why this?", async button => {
    button.disabled = true;
    const {status, body} = await tell("/v1/search", {...put, explain: true});
    const told = status === 200 && body.results.find(one => one.document_id === result.document_id)?.why;
    button.closest(".tools").after(make("p", "why", told ? reasonsOf(told, result) : "The server does not tell now."));
    button.remove();
  });
}

function reasonsOf(told, result) {
  const place = at => at === null ? "further behind" : `number ${at}`;
  const parts = [`By meaning ${place(told.dense_rank)}, by words ${place(told.lexical_rank)}`];
  if (told.rerank_score !== null) parts.push(`reranked at ${told.rerank_score.toPrecision(3)}`);
  const time = told.time_words ? `“${told.time_words}” was taken for a time` : told.recency === null ? "" : "age counts";
  if (time) parts.push(told.recency === null ? time : `${time}, which leaves ${Math.round(100 * told.recency)} % of its score`);
  return [...parts, `score ${result.score.toPrecision(3)}`].join("; ");
}

function verdicts(result, request) {
  const buttons = [["Helpful", "good"], ["Not helpful", "bad"]].map(([label, rating]) => press("more", label, async () => {
    const {status, body} = await tell("/v1/feedback", {request_id: request, document_id: result.document_id, rating, user: user?.value.trim() || null});
    if (status >= 300 || !status) return say(body.detail, true);
    buttons[0].replaceWith(make("span", "why", "Noted, thank you."));
    buttons[1].remove();
  }));
  return buttons;
}

// Asking.

function listed(text) {
  // Values stand between commas; one that has a comma itself, in quotes.
  return [...text.matchAll(/\s*(?:"([^"]*)"|([^,]*))\s*(?:,|$)/g)].map(([, quoted, plain]) => (quoted ?? plain).trim()).filter(Boolean);
}

function filters() {
  const wanted = {sources: [...chosen]};
  for (const field of fields.filter(one => one.value.trim()))
    wanted[field.dataset.filter] = field.type === "date" ? field.value : listed(field.value);
  return wanted;
}

function question(text) {
  const halfLife = Number(byId("half-life").value) || null;
  return {query: text, user: user?.value.trim() || null, mode: byId("mode").value, filters: filters(), recency_half_life_days: halfLife};
}

async function ask() {
  const text = query.value.trim();
  if (!text) return;
  const turn = ++asked;
  say("Searching …");
  const put = question(text);
  const {status, body, request} = await tell("/v1/search", put);
  if (turn !== asked) return;
  if (status !== 200) {
    results.replaceChildren();
    if (status === 401 && !key) return showPerson(null);
    if (key && status === 401) byId("key-label").hidden = false;
    return say(body.detail, true);
  }
  const texts = [...new Set(body.results.flatMap(bestOf).map(chunk => chunk.text))];
  const html = texts.length ? await render(texts) : [];
  if (turn !== asked) return;
  const rendered = new Map(html.map((one, index) => [texts[index], one]));
  const pattern = wordsOf(text);
  results.replaceChildren(...body.results.map(result => card(result, rendered, pattern, put, request)));
  foldLong();
  reachScrolled();
  summarize(body);
  showFreshness(new Set(body.results.map(one => one.source)));
}

function summarize(body) {
  const count = body.results.length, warnings = body.warnings ?? [];
  const found = count ? `${count} ${count === 1 ? "document" : "documents"} in ${Math.round(body.took_ms)} ms.` : "Nothing found that you may see.";
  say([found, ...warnings.map(one => `Note: ${one}.`)].join(" "), warnings.length > 0);
}

let fresh = {at: 0, body: []};

async function readFresh() {
  if (Date.now() - fresh.at < MINUTE) return;
  const {status, body} = await tell("/page/freshness");
  if (status !== 200) return;
  fresh = {at: Date.now(), body};
  chips(new Set(body.map(one => one.source)));
}

async function showFreshness(shown) {
  await readFresh();
  const told = fresh.body.filter(one => shown.has(one.source) && one.as_of);
  byId("fresh").replaceChildren(...told.flatMap((one, index) => {
    const moment = new Date(one.as_of);
    return [index ? " · " : "", `${SOURCES[one.source]?.label ?? one.source} as of `, timed(ago(moment), moment)];
  }));
}

// Filters complete from what there is for whoever asks.

async function complete(field) {
  const facet = field.dataset.facet;
  const [before] = field.value.match(/^(?:(?:"[^"]*"|[^,"])*,)*/);
  const typed = field.value.slice(before.length).replaceAll('"', "").trim().replace(/^#/, "");
  const put = new URLSearchParams({fields: facet, like: typed, limit: "12", ...(user?.value.trim() && {user: user.value.trim()})});
  const {status, body} = await tell(`/v1/facets?${put}`);
  if (status !== 200) return;
  byId(`${facet}-known`).replaceChildren(...body[facet].map(one => {
    const option = make("option"), name = one.name || one.value;
    option.value = `${before}${before && " "}${name.includes(",") ? `"${name}"` : name}`;
    option.label = `${name} (${one.documents})`;
    return option;
  }));
}

let completing;
for (const field of fields.filter(one => one.dataset.facet))
  for (const moment of ["focus", "input"]) field.addEventListener(moment, () => { clearTimeout(completing); completing = setTimeout(() => complete(field), 150); });

// Who asks, and what is in trouble.

function showPerson(person) {
  byId("person").textContent = person ? `Signed in as ${person}` : "You are not signed in.";
  byId("sign-in").hidden = Boolean(person);
  byId("sign-out").hidden = !person;
  if (person) return;
  for (const part of [results, byId("fresh"), byId("sources")]) part.replaceChildren();
  fresh = {at: 0, body: []};
  say("");
}

async function readPerson() {
  byId("sign-out").addEventListener("click", async () => {
    await fetch("/sign-out", {method: "POST"});
    // The next person at this screen sees neither what was asked nor what was found.
    sessionStorage.clear();
    query.value = "";
    showPerson(null);
  });
  const {status, body} = await answerOf("/sign-in/person");
  showPerson(status === 200 ? body.person : null);
  return status === 200;
}

async function showHealth() {
  // What is in trouble keeps news from being found; what is published is searched all the same.
  try {
    const response = await fetch("/readyz");
    const [status, ...lines] = (await response.text()).split("\n");
    byId("health").textContent = response.ok && status === "degraded" ? `What is new may be missing.\n${lines.join("\n")}` : "";
  } catch { /* a question says that the server does not answer */ }
}

document.addEventListener("keydown", event => {
  const links = [...results.querySelectorAll("h2 a")];
  const at = links.indexOf(document.activeElement?.closest?.("#results > li")?.querySelector("h2 a"));
  const typing = /^(INPUT|SELECT)$/.test(document.activeElement?.tagName ?? "");
  if (event.ctrlKey || event.metaKey || event.altKey || (typing && document.activeElement !== query && event.key !== "Escape")) return;
  if (event.key === "/" && !typing) query.focus();
  else if (event.key === "Escape") { query.focus(); query.select(); }
  else if (event.key === "ArrowDown" && links.length) links[Math.min(at + 1, links.length - 1)].focus();
  else if (event.key === "ArrowUp" && at >= 0) (at ? links[at - 1] : query).focus();
  else return;
  event.preventDefault();
});
addEventListener("hashchange", followLink);
addEventListener("resize", reachScrolled);
form.addEventListener("submit", event => { event.preventDefault(); ask(); });
for (const field of [user, key, ...fields, byId("half-life"), byId("mode")]) field?.addEventListener("change", ask);
key?.addEventListener("change", () => { fresh = {at: 0, body: []}; readFresh(); });
remember();
showHealth();
const begin = () => { readFresh(); if (query.value) ask(); };
if (!key) readPerson().then(known => { if (known) begin(); });
else if (key.value) begin();
else if (query.value) ask();
