const COUNTS = ["indexed", "skipped", "failed", "deleted"];
const key = byId("key");

function cell(tag, className, ...children) {
  const made = make(tag, className, ...children);
  if (tag === "th") made.scope = className === "row" ? "row" : "col";
  return made;
}

function when(moment) {
  return moment ? timed(ago(new Date(moment)), new Date(moment)) : "never";
}

function unitRow(unit) {
  const row = make("tr", "", cell("th", "row", unit.name, unit.paused ? " (paused)" : ""));
  row.append(...COUNTS.map(name => cell("td", name === "failed" && unit.failed ? "count trouble" : "count", String(unit[name]))));
  row.append(make("td", "", when(unit.last_sync)), make("td", unit.error ? "trouble" : "", unit.error ?? ""));
  return row;
}

function unitTable(connection, units) {
  const heads = ["Unit", ...COUNTS.map(name => name[0].toUpperCase() + name.slice(1)), "Last sync", "Trouble"];
  const head = make("tr", "", ...heads.map((text, index) => cell("th", index && index <= COUNTS.length ? "count" : "", text)));
  const table = make("table", "", make("thead", "", head), make("tbody", "", ...units.map(unitRow)));
  const scroll = make("div", "scroll", table);
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", `Units of ${connection}`);
  return scroll;
}

function listOf(title, lines, open) {
  if (!lines.length) return [];
  const details = make("details", "", make("summary", "", title), make("ul", "", ...lines.map(line => make("li", "", line))));
  details.open = open;
  return [details];
}

function connectionOf(connection, troubled) {
  const totals = COUNTS.map(name => `${connection.totals[name]} ${name}`).join(" · ");
  const about = make("p", "hint", `${SOURCES[connection.source]?.label ?? connection.source} · ${totals} · last sync `, when(connection.last_sync), " · last event ", when(connection.last_event), connection.paused ? " · paused" : "", connection.late ? " · late" : "");
  const refused = connection.parts.map(part => `${part.part}${part.unit ? ` of ${part.unit}` : ""} is ${part.status}: ${part.reason}`);
  const documents = troubled.map(one => `${one.status}: ${one.title || one.id}: ${one.reason}`);
  return make("section", "",
    make("h2", "", icon(connection.source), connection.id), about,
    ...listOf(`Patterns that take in nothing: ${connection.idle_includes.length}`, connection.idle_includes, true),
    ...listOf(`Out of reach: ${connection.out_of_reach.length}`, connection.out_of_reach, true),
    ...listOf(`Parts that are refused or fail: ${refused.length}`, refused, refused.length < 6),
    ...listOf(`Documents that are skipped or have failed: ${documents.length}`, documents, false),
    ...(connection.units.length ? [unitTable(connection.id, connection.units)] : []));
}

async function show() {
  say("Reading …");
  const {status, body} = await answerOf("/page/sources", {key: key.value});
  byId("connections").replaceChildren();
  if (status !== 200) return say(status === 401 && !key.value ? "" : body.detail, true);
  sessionStorage.setItem("operator", key.value);
  say(`${body.index.documents} documents are searchable, in ${body.connections.length} ${body.connections.length === 1 ? "connection" : "connections"}.`);
  byId("connections").replaceChildren(...body.connections.map(one => connectionOf(one, body.troubled.filter(document => document.connection === one.id))));
}

byId("form").addEventListener("submit", event => { event.preventDefault(); show(); });
// The fragment never leaves the browser; it is taken out of the address bar, which people share.
key.value = new URLSearchParams(location.hash.slice(1)).get("key") ?? sessionStorage.getItem("operator") ?? "";
if (location.hash) history.replaceState(null, "", location.pathname);
if (key.value) show();
