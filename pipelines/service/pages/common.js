"use strict";
const SOURCES = /*sources*/{};
const DROP = "M8 2c2.5 3 4 5 4 7.2a4 4 0 0 1-8 0C4 7 5.5 5 8 2z";
const byId = id => document.getElementById(id);

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function press(className, text, action) {
  const button = make("button", className, text);
  button.type = "button";
  button.addEventListener("click", () => action(button));
  return button;
}

function icon(source) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [name, value] of [["class", "icon"], ["viewBox", "0 0 16 16"], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
  path.setAttribute("d", SOURCES[source]?.icon ?? DROP);
  svg.append(path);
  return svg;
}

function ago(moment) {
  const names = new Intl.RelativeTimeFormat(undefined, {numeric: "auto"});
  const seconds = (Date.now() - moment) / 1000;
  for (const [unit, size] of [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600]])
    if (seconds >= size) return names.format(-Math.floor(seconds / size), unit);
  return names.format(-Math.max(Math.floor(seconds / 60), 0), "minute");
}

function timed(text, moment) {
  const shown = make("time", "", text);
  shown.dateTime = moment.toISOString();
  shown.title = moment.toLocaleString();
  return shown;
}

function say(text, trouble = false) {
  byId("status").textContent = text;
  byId("status").classList.toggle("trouble", trouble);
}

async function answerOf(path, {key, body} = {}) {
  // What the service says, with the HTTP status; 0 where it says nothing.
  try {
    const headers = {...(body && {"Content-Type": "application/json"}), ...(key && {Authorization: `Bearer ${key}`})};
    const response = await fetch(path, {method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body)});
    const told = response.status === 204 ? null : await response.json();
    return {status: response.status, body: told, request: response.headers.get("X-Request-Id")};
  } catch {
    return {status: 0, body: {detail: "The server does not answer."}};
  }
}
