// Part 2 of 3: draws the accounts and the logins under way.

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter(Boolean));
  return element;
}

const button = (id, text, onclick, className = "") => make("button", { type: "button", id, onclick, className }, text);

/** What people call a provider. */
const nameOf = (provider) => (provider === CHATGPT ? "ChatGPT" : rows.get(provider)?.name ?? provider);

const mayChange = () => MAY_CHANGE.includes(role);

function drawAll() {
  for (const provider of drawn.keys()) {
    if (!rows.has(provider)) {
      drawn.get(provider).section.remove();
      drawn.delete(provider);
    }
  }
  for (const provider of rows.keys()) draw(provider);
  drawOffers();
  $("more").hidden = $("others").childElementCount === 0 && $("offered").hidden;
}

/** The providers to choose from, if they are others than before. */
function drawOffers() {
  const left = [...offers.values()].filter(({ provider }) => !chosen.has(provider));
  const source = JSON.stringify(left.map(({ provider }) => provider));
  $("offered").hidden = left.length === 0 || !mayChange();
  if ($("offer").dataset.source === source) return;
  $("offer").dataset.source = source;
  $("offer").replaceChildren(make("option", { value: "" }, "Choose a provider…"),
    ...left.map(({ provider, name }) => make("option", { value: provider }, name)));
}

function draw(provider) {
  const [row, flow, before] = [rows.get(provider), flows.get(provider), drawn.get(provider)];
  const source = JSON.stringify([row, flow, tabs.get(provider), role]);
  if (before?.source === source) return;
  const section = providerSection(row, flow);
  const news = newsOf(section, row, flow);
  drawn.set(provider, { section, source, news });
  place(section, before?.section, row, flow);
  if (before && news && news !== before.news) say(news);
}

/** Puts a section where it belongs, and keeps what was typed and what had the focus. */
function place(section, old, row, flow) {
  const focused = old?.contains(document.activeElement) ? document.activeElement.id : null;
  const typed = $(`redirect-${row.provider}`)?.value;
  const isMain = row.provider === CHATGPT || row.profiles.length > 0 || flow;
  const home = $(isMain ? "providers" : "others");
  if (old?.parentElement === home) old.replaceWith(section);
  else {
    old?.remove();
    if (row.provider === CHATGPT) home.prepend(section);
    else home.append(section);
  }
  const field = $(`redirect-${row.provider}`);
  if (field && typed) field.value = typed;
  if (focused !== null) ($(focused) ?? heading(section)).focus();
}

/** What somebody is told who cannot see what was drawn; nothing while the new account is not there. */
function newsOf(section, { profiles }, flow) {
  if (flow?.state === "cancelled") return "Sign-in cancelled.";
  const title = section.querySelector(".panel h3")?.textContent;
  if (flow?.user_code) return `${title}. Code: ${flow.user_code}.`;
  if (flow?.state !== "connected") return title;
  const [usable, another] = profiles.filter((profile) => GOOD.includes(profile.state));
  return another ? "Connected." : usable && `Connected as ${usable.account ?? usable.profile}.`;
}

/** The heading of what goes on in a section, or of the section itself. */
const heading = (section) => section?.querySelector("h3") ?? section?.querySelector("h2");

/** Moves the focus to the heading of what a click led to, or to the link in place of a window. */
function enterPanel(provider) {
  const section = drawn.get(provider)?.section;
  const link = tabs.get(provider) === false && section?.querySelector(".panel a");
  (link || heading(section))?.focus();
}

function providerSection(row, flow) {
  const id = `provider-${row.provider}`;
  const isFree = !flow || ["connected", "cancelled", "idle"].includes(flow.state);
  const head = make("div", { className: "head" },
    make("div", {},
      make("h2", { id, tabIndex: -1 }, row.name),
      make("p", {}, ...summary(row))),
    mayChange() && make("div", { className: "actions" }, ...ways(row, isFree)));
  const profiles = row.profiles.length > 0 &&
    make("ul", { className: "profiles" }, ...row.profiles.map((profile) => profileItem(row, profile, isFree)));
  return make("section", { className: "provider card", "aria-labelledby": id },
    head, !isFree && panel(row.provider, flow), profiles);
}

/** The ways to one more account of a provider. */
function ways({ provider, name, connect: hasLogin, pastes = [], profiles }, isFree) {
  const login = profiles.length === 0
    ? button(`connect-${provider}`, `Connect ${nameOf(provider)}`, () => connect(provider), "primary")
    : make("button", { type: "button", id: `another-${provider}`, "aria-label": `Add account of ${name}`,
      onclick: () => connect(provider, { another: true }) }, "Add account");
  const forms = pastes.map((paste) => make("button", { type: "button", id: `paste-${provider}-${paste.form}`,
    "aria-label": `Add ${PASTES[paste.form]} of ${name}`, onclick: () => askForKey(provider, paste) }, `Add ${PASTES[paste.form]}`));
  return [hasLogin && isFree && login, ...forms].filter(Boolean);
}

function summary({ provider, profiles }) {
  if (profiles.length > 0) return ["Model prefix ", make("code", {}, `${provider}/`)];
  if (provider !== CHATGPT) return ["Not connected."];
  return ["Not connected. Sign in with your OpenAI account; no API key is needed."];
}

function profileItem(row, profile, isFree) {
  const tone = GOOD.includes(profile.state) ? "good" : DOUBTFUL.includes(profile.state) ? "doubt" : "bad";
  const name = profile.account ?? profile.profile;
  const end = profile.expires_at && new Date(profile.expires_at);
  const verb = end < Date.now() + ahead ? "ended" : "ends";
  const ends = end && make("p", { className: "facts" }, `Token ${verb} `,
    make("time", { dateTime: profile.expires_at }, moment.format(end)),
    profile.refreshes ? ", refreshed automatically" : "");
  const facts = [profile.account && profile.profile, `agent ${profile.agent}`, profile.in_use && "in use"];
  return make("li", { className: "profile" },
    make("div", {},
      make("div", { className: "who" },
        make("span", { className: "account" }, name),
        make("span", { className: `state ${tone}` }, STATES[profile.state] ?? profile.state)),
      profile.detail && make("p", { className: "facts" }, sentenceOf(profile.detail)),
      ends,
      make("p", { className: "facts" }, facts.filter(Boolean).join(" · "))),
    mayChange() && make("div", { className: "actions" },
      row.connect && isFree && profile.action === "login" && profileButton("Reconnect", profile, name,
        () => connect(row.provider, { profile: profile.profile, agent: profile.agent })),
      profileButton("Disconnect", profile, name, () => askToDisconnect(row.provider, profile))));
}

function profileButton(verb, { agent, profile }, name, onclick) {
  const id = `${verb.toLowerCase()}-${agent}-${profile}`;
  return make("button", { type: "button", id, "aria-label": `${verb} ${name}`, onclick }, verb);
}

function panel(provider, flow) {
  const draw = { waiting: waitingPanel, exchanging: exchangingPanel }[flow.state] ?? failurePanel;
  return draw(provider, flow);
}

function waitingPanel(provider, { auth_url: url, user_code: code, callback, expires_at: end }) {
  const name = nameOf(provider);
  const [isManual, isPolled] = [callback === "manual", callback === "polling"];
  const title = url ? `Waiting for you to sign in to ${name}` : `Waiting for a sign-in to ${name}`;
  const first = !url ? "Somebody else began this sign-in."
    : isPolled ? "Enter this code on the sign-in page, unless it is there already."
    : !tabs.has(provider) ? "Open the sign-in page to go on."
    : tabs.get(provider) ? "Sign in on the page that opened in a new tab."
    : "Your browser blocked the new tab: open the sign-in page here.";
  const then = !url ? "This page notices when it is done."
    : isManual ? "Then come back with the address that the browser shows at the end."
    : "This page notices when you are done.";
  return make("div", { className: "panel" },
    make("h3", { tabIndex: -1, className: "busy" }, title),
    make("p", {}, `${first} ${then}`),
    code && codeLine(provider, code),
    url && make("p", {}, make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, "Open the sign-in page")),
    make("p", { className: "facts" }, "Time left: ", make("span", { className: "left", "data-end": end }, left(end))),
    mayChange() && (isPolled ? make("div", { className: "actions" }, cancelButton(provider))
      : redirectForm(provider, url, isManual)));
}

const cancelButton = (provider) => button(`cancel-${provider}`, "Cancel", () => cancel(provider), "quiet");

/** A code to be entered at the provider. */
function codeLine(provider, code) {
  const id = `code-${provider}`;
  return make("div", { className: "code" },
    make("span", { id: `${id}-label`, className: "hint" }, "Code"),
    make("code", { id }, code),
    make("button", { type: "button", id: `copy-${provider}`, "aria-describedby": `${id}-label ${id}`,
      onclick: () => copyCode(provider, code) }, "Copy"),
    make("p", { className: "hint" }, "Never enter a code that somebody else sent you."));
}

function redirectForm(provider, url, isManual) {
  const back = url && new URL(url).searchParams.get("redirect_uri");
  const id = `redirect-${provider}`;
  const hint = isManual
    ? "The gateway cannot receive the answer by itself, since its port is in use. When the sign-in ends at a page that cannot be reached, copy that page’s whole address and paste it here."
    : "Only if the sign-in ends at a page that cannot be reached: copy that page’s whole address and paste it here.";
  return make("form", { noValidate: true, onsubmit: (event) => submitRedirect(event, provider) },
    make("label", { htmlFor: id }, "Redirect URL"),
    make("p", { id: `${id}-hint`, className: "hint" }, hint),
    make("input", {
      id, type: "text", autocomplete: "off", spellcheck: false, inputMode: "url",
      placeholder: back ? `${back}?code=…` : "", "aria-describedby": `${id}-hint`,
    }),
    make("p", { id: `${id}-error`, className: "error", hidden: true }),
    make("div", { className: "actions" },
      make("button", { type: "submit", id: `finish-${provider}` }, "Finish sign-in"),
      cancelButton(provider)));
}

function exchangingPanel(provider) {
  return make("div", { className: "panel" },
    make("h3", { tabIndex: -1, className: "busy" }, "Finishing the sign-in"),
    make("p", {}, `${nameOf(provider)} is asked for the tokens. This takes a few seconds.`));
}

function failurePanel(provider, { state, code, message, again }) {
  const titles = { refused: "Sign-in refused", timed_out: "Time ran out", failed: "Sign-in failed" };
  const words = state === "timed_out" ? "Nobody finished signing in within the time; nothing has changed."
    : sentenceOf(message ?? code ?? "The gateway gave no reason");
  return make("div", { className: "panel failure" },
    make("h3", { tabIndex: -1 }, titles[state] ?? titles.failed),
    make("p", {}, words),
    mayChange() && make("div", { className: "actions" },
      button(`again-${provider}`, "Try again", again ?? (() => connect(provider, wanted.get(provider))), "primary")));
}

/** The time left until a moment of the server, as minutes and seconds. */
function left(end) {
  const seconds = Math.max(0, Math.round((Date.parse(end) - Date.now() - ahead) / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function tick() {
  for (const element of document.querySelectorAll(".left")) element.textContent = left(element.dataset.end);
}
