// The page of the gateway, part 1 of 3: requests, signing in and out, and what stands above everything.
// A session is a cookie that no script can read, and a value that only this tab knows: every server on
// this host gets the cookie, whatever its port (RFC 6265 section 8.5), so it opens nothing alone.

const CHATGPT = "openai-codex";
const POLL_MS = 5_000;
const GOOD = ["ok", "static"];
const DOUBTFUL = ["expiring", "idle", "retrying", "uncertain"];
/** States whose name alone tells nothing. */
const STATES = { static: "does not expire" };
const UNDER_WAY = ["waiting", "exchanging"];
/** The code of an error of the store, be it files or a database. */
const UNREADABLE = "database_unavailable";
/** What can be pasted, by the member that it is sent in. */
const PASTES = { api_key: "API key", token: "token" };
const MAY_CHANGE = ["admin", "operator"];

const $ = (id) => document.getElementById(id);
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** The value that proves a request to be this tab's; `null` if nobody is signed in. */
let csrf = sessionStorage.getItem("csrf");
let role = null;
/** What the server said last, by provider. */
let rows = new Map();
/** Logins under way, and how those ended that this tab saw, by provider. */
const flows = new Map();
/** Providers of which nothing is stored and that can be connected, and those that were chosen of them. */
let offers = new Map();
const chosen = new Set();
/** The section of each provider, and what it was drawn from. */
const drawn = new Map();
/** Which profile the last login of a provider was for. */
const wanted = new Map();
/** Whether the browser opened the new tab of a login that this page began, by provider. */
const tabs = new Map();
/** How far the server's clock is ahead of ours, in milliseconds. */
let ahead = 0;
/** Ends the stream of changes; `null` if there is none. */
let stream = null;
let reading = null;
let isStale = false;

// Requests

/** A request that failed; status 0 if nobody answered. */
class Problem extends Error {
  constructor(status, { error, code } = {}, retryAfter = null) {
    super(error ?? "");
    Object.assign(this, { status, code, retryAfter });
  }
}

const proof = () => (csrf ? { "X-OpenClaw-CSRF": csrf } : {});

async function api(method, path, body) {
  const options = { method, headers: proof(), cache: "no-store", redirect: "error" };
  if (method === "POST") {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body ?? {});
  }
  let response, answer;
  try {
    response = await fetch(`v1/${path}`, options);
    const text = await response.text();
    answer = text ? JSON.parse(text) : {};
  } catch {
    // A proxy that answers in the place of the gateway speaks no JSON.
    throw new Problem(0);
  }
  const date = Date.parse(response.headers.get("Date"));
  if (date) ahead = date - Date.now();
  if (response.ok) return answer;
  throw new Problem(response.status, answer, response.headers.get("Retry-After"));
}

/** Why a request failed, in one sentence. */
function sentence(problem) {
  if (problem.status === 0) return "Check that openclaw gateway run is still running.";
  if (problem.status === 429) {
    return `Too many attempts: wait ${problem.retryAfter ?? 60} seconds, then try again.`;
  }
  return sentenceOf(problem.message || `The gateway answered with status ${problem.status}`);
}

/** Words that begin in lower case and end without a full stop, as a sentence. */
function sentenceOf(words) {
  const text = words.trim();
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

// Signing in and out

async function begin() {
  const code = new URLSearchParams(location.hash.slice(1)).get("k");
  // Out of the address bar and the history before anything else.
  if (location.hash) history.replaceState(null, "", location.pathname);
  if (!code && !csrf) return signedOut();
  try {
    const asked = code ? api("POST", "session", { one_time_code: code }) : api("GET", "session");
    await enter(await asked);
  } catch (problem) {
    if (problem.status !== 401) return warn(problem, begin);
    signedOut(code && "This link was used already, or is older than a minute: get a new one, or paste the token.");
  }
}

async function signIn(event) {
  event.preventDefault();
  const bearer = $("bearer").value.trim();
  if (!bearer) return refuse($("bearer"), "Paste the token first.");
  const button = event.target.querySelector("button");
  button.disabled = true;
  try {
    await enter(await api("POST", "session", { bearer }));
  } catch (problem) {
    refuse($("bearer"), problem.status === 401 ? "This is not the token of this gateway." : sentence(problem));
  }
  button.disabled = false;
}

async function enter(answer) {
  // Of a session that goes on, the tab knows the value already.
  csrf = answer.csrf ?? csrf;
  role = answer.role;
  sessionStorage.setItem("csrf", csrf);
  $("bearer").value = "";
  accept($("bearer"));
  $("sign-out").hidden = false;
  listen();
  if (await refresh()) say("Signed in.");
}

async function signOut() {
  try {
    await api("DELETE", "session");
    signedOut(null, "Signed out.");
  } catch (problem) {
    fail(problem, signOut);
  }
}

function signedOut(why = null, told = why) {
  csrf = null;
  sessionStorage.clear();
  stream?.abort();
  rows = new Map();
  for (const { section } of drawn.values()) section.remove();
  for (const known of [drawn, flows, wanted, tabs, offers, chosen]) known.clear();
  $("question").close();
  $("key").close();
  $("sign-out").hidden = true;
  calm();
  show("signed-out");
  if (why) refuse($("bearer"), why, false);
  say(told ?? "");
}

// What stands above everything

function warn(problem, again) {
  const title = problem.status === 0 ? "The gateway does not answer"
    : problem.code === UNREADABLE ? "The store cannot be read"
    : "That did not work";
  $("alert-text").textContent = sentence(problem);
  $("alert-action").onclick = again;
  if ($("alert").hidden || $("alert-title").textContent !== title) {
    $("alert-title").textContent = title;
    $("alert").hidden = false;
    say(`${title}. ${sentence(problem)}`);
    if (document.activeElement === document.body) $("alert-title").focus();
  }
}

function calm() {
  if ($("alert").hidden) return;
  const wasThere = $("alert").contains(document.activeElement);
  $("alert").hidden = true;
  say("The gateway answers again.");
  if (wasThere) $(csrf ? "accounts-title" : "signed-out-title").focus();
}

function show(name) {
  for (const id of ["checking", "signed-out", "accounts"]) $(id).hidden = id !== name;
  document.title = `${$(`${name}-title`).textContent} - openclaw gateway`;
  $(`${name}-title`).focus();
}

function say(words) {
  $("status").textContent = words;
}

function refuse(field, why, isFocused = true) {
  const error = $(`${field.id}-error`);
  error.textContent = why;
  error.hidden = false;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", `${field.id}-hint ${error.id}`);
  say(why);
  if (isFocused) field.focus();
}

function accept(field) {
  $(`${field.id}-error`).hidden = true;
  field.removeAttribute("aria-invalid");
  field.setAttribute("aria-describedby", `${field.id}-hint`);
}
