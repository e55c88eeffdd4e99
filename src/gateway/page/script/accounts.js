// Part 3 of 3: reads the accounts, connects and disconnects them, and starts it all.

// Reading what there is

/** Reads everything again; whether that went well. Calls that come meanwhile share one more read. */
function refresh() {
  isStale = true;
  reading ??= readAll().finally(() => { reading = null; });
  return reading;
}

async function readAll() {
  try {
    while (isStale && csrf) {
      isStale = false;
      const { providers, offered = [], fault } = await api("GET", "credentials");
      offers = new Map(offered.map((row) => [row.provider, row]));
      const isMeant = ({ provider }) => chosen.has(provider) || flows.has(provider);
      const all = [...providers, ...offered.filter(isMeant)];
      rows = new Map(all.filter(isShown).map((row) => [row.provider, row]));
      await Promise.all(all.filter(hasFlow).map(readFlow));
      drawAll();
      if ($("accounts").hidden) show("accounts");
      // What was known before is shown, and told to be old.
      if (fault) throw new Problem(503, { code: UNREADABLE, error: fault });
    }
    calm();
    return csrf !== null;
  } catch (problem) {
    fail(problem, refresh);
    return false;
  }
}

/** Whether a login is under way, or ended since this tab saw it. */
const hasFlow = ({ provider, connect, flow }) => connect && (flow !== "idle" || flows.has(provider));

/** A path about a provider: this form takes every name as it is, `openai` too. */
const auth = (provider, what) => `auth/chatgpt/${provider}/${what}`;

const isShown = (row) => row.connect || row.pastes?.length > 0 || row.profiles.length > 0;

async function readFlow({ provider }) {
  const flow = await api("GET", auth(provider, "flow"));
  const known = flows.get(provider);
  if (UNDER_WAY.includes(flow.state)) {
    flows.set(provider, flow);
  } else if (known && UNDER_WAY.includes(known.state)) {
    // How a login ended matters to those who saw it under way.
    flows.set(provider, flow);
    tabs.delete(provider);
  }
}

/** Hears of changes until the stream ends. Not by an `EventSource`, which sends no header of ours. */
async function listen() {
  stream?.abort();
  const mine = (stream = new AbortController());
  try {
    const options = { headers: proof(), cache: "no-store", redirect: "error", signal: mine.signal };
    const response = await fetch("v1/events", options);
    const reader = response.ok && response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await reader?.read?.(); read && !read.done; read = await reader.read()) {
      // A comment only keeps the connection open.
      if (!read.value.startsWith(":")) refresh();
    }
  } catch {
    // Whatever ended it, `poll` goes on.
  }
  if (stream === mine) stream = null;
}

/** Asks where no event comes: the stream broke, or what stands behind it is away. */
async function poll() {
  if (!$("alert").hidden) return $("alert-action").click();
  if (csrf && !stream && await refresh()) listen();
}

// Connecting and disconnecting

/** Shows a provider of which nothing is stored. */
async function choose(provider) {
  if (!provider) return;
  chosen.add(provider);
  await refresh();
  say(`${nameOf(provider)} is shown below.`);
}

/** Begins a login: of any account, or for the profile that `what` names. */
async function connect(provider, what = {}) {
  // Inside the click, or the browser blocks it. The policy of this page (COOP) and the next line
  // keep the provider's page from reaching back to this one. A code is shown here first.
  const tab = rows.get(provider)?.method === "device_code" ? null : window.open("", "_blank");
  if (tab) tab.opener = null;
  flows.delete(provider);
  tabs.delete(provider);
  wanted.set(provider, what);
  try {
    const answer = await api("POST", auth(provider, "start"), what);
    if (answer.auth_url) {
      flows.set(provider, { state: "waiting", ...answer });
      if (answer.user_code) {
        tab?.close();
      } else {
        tabs.set(provider, tab !== null);
        tab?.location.replace(answer.auth_url);
      }
    } else {
      tab?.close();
      say(`${nameOf(provider)} is connected already.`);
    }
    await refresh();
  } catch (problem) {
    tab?.close();
    failIn(provider, problem, () => connect(provider, what));
  }
  enterPanel(provider);
}

async function submitRedirect(event, provider) {
  event.preventDefault();
  const pasted = $(`redirect-${provider}`).value.trim();
  if (!pasted) return refuse($(`redirect-${provider}`), "Paste the address first.");
  try {
    await api("POST", auth(provider, "callback"), { redirect_url: pasted });
    await refresh();
  } catch (problem) {
    if (![400, 413, 429].includes(problem.status)) return fail(problem, refresh);
    // Only what ended the login has a panel of its own by then.
    await refresh();
    const field = $(`redirect-${provider}`);
    if (field) refuse(field, sentence(problem));
  }
}

async function copyCode(provider, code) {
  try {
    await navigator.clipboard.writeText(code);
    $(`copy-${provider}`).textContent = "Copied";
    say("Code copied.");
  } catch {
    // A page without https has no clipboard, and a browser may refuse.
    getSelection().selectAllChildren($(`code-${provider}`));
    say("The code is selected. Copy it.");
  }
}

async function cancel(provider) {
  try {
    await api("POST", auth(provider, "cancel"));
    await refresh();
  } catch (problem) {
    failIn(provider, problem, () => cancel(provider));
  }
}

function askForKey(provider, { form, help }) {
  const name = nameOf(provider);
  $("key-title").textContent = `Add ${form === "token" ? "a" : "an"} ${PASTES[form]} of ${name}`;
  $("key-label").textContent = sentenceOf(PASTES[form]).slice(0, -1);
  const site = `the website of ${name}`;
  const source = !help ? [`Copy it from ${site}`]
    : /^https:/.test(help) ? ["Copy it from ", make("a", { href: help, target: "_blank", rel: "noopener noreferrer" }, site)]
    : ["Get it with ", make("code", {}, help)];
  $("key-value-hint").replaceChildren(...source, ". The gateway stores it and never shows it again.");
  $("key-name").value = "";
  accept($("key-value"));
  $("key-form").onsubmit = (event) => saveKey(event, provider, form);
  $("key").showModal();
  $("key-value").focus();
}

async function saveKey(event, provider, form) {
  event.preventDefault();
  const [value, name] = [$("key-value").value.trim(), $("key-name").value.trim()];
  if (!value) return refuse($("key-value"), `Paste the ${PASTES[form]} first.`);
  $("key-save").disabled = true;
  try {
    const what = name ? { [form]: value, profile: `${provider}:${name}` } : { [form]: value };
    const { provider_id: profile } = await api("POST", auth(provider, "credential"), what);
    $("key").close();
    await refresh();
    say(`${profile} is stored.`);
    heading(drawn.get(provider)?.section)?.focus();
  } catch (problem) {
    // What was pasted stays, to be corrected or sent once more.
    if (problem.status === 401) fail(problem, refresh);
    else refuse($("key-value"), sentence(problem));
  } finally {
    $("key-save").disabled = false;
  }
}

function askToDisconnect(provider, { profile, agent, account, kind }) {
  const name = account ?? profile;
  const what = kind === "oauth" ? `The login is revoked at ${nameOf(provider)} and removed here`
    : `It is removed here, but ${nameOf(provider)} accepts it until you revoke it there`;
  $("question-title").textContent = `Disconnect ${name}?`;
  $("question-text").textContent = `${what}. Agents that use it stop working.`;
  $("question-yes").onclick = () => {
    $("question").close();
    disconnect(provider, { profile, agent }, name);
  };
  $("question").showModal();
  $("question-no").focus();
}

async function disconnect(provider, what, name) {
  try {
    const { revoked } = await api("POST", auth(provider, "logout"), what);
    await refresh();
    // Nothing is said of what was revoked if there was nothing.
    say(revoked === undefined ? `Nothing was removed: the gateway has no login ${name} any more.`
      : revoked ? `${name} is disconnected.`
      : `${name} is removed here, but was not revoked at the provider.`);
    (drawn.get(provider)?.section.querySelector("h2") ?? $("accounts-title")).focus();
  } catch (problem) {
    failIn(provider, problem, () => disconnect(provider, what, name));
  }
}

/** A failure that concerns one provider is told there, any other above everything. */
function failIn(provider, problem, again) {
  if (!(problem instanceof Problem)) throw problem;
  const isGeneral = [0, 401].includes(problem.status) || problem.code === UNREADABLE;
  if (isGeneral || !rows.has(provider)) return fail(problem, refresh);
  flows.set(provider, { state: "failed", code: problem.code, message: sentence(problem), again });
  draw(provider);
  enterPanel(provider);
}

function fail(problem, again) {
  if (!(problem instanceof Problem)) throw problem;
  if (problem.status === 401) return signedOut("Your session has ended. Sign in again.");
  warn(problem, again);
}

$("sign-in").addEventListener("submit", signIn);
$("sign-out").addEventListener("click", signOut);
$("question-no").addEventListener("click", () => $("question").close());
$("key-cancel").addEventListener("click", () => $("key").close());
$("key").addEventListener("close", () => { $("key-value").value = ""; });
$("offer").addEventListener("change", () => choose($("offer").value));
document.addEventListener("visibilitychange", () => document.hidden || !csrf || refresh());
window.addEventListener("hashchange", begin);
setInterval(tick, 1_000);
setInterval(poll, POLL_MS);
begin();
