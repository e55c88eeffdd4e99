// A certified OpenID Connect server in the place of a provider, for tests/it/compat/oidc_provider.rs.
//
//   node server.mjs [seconds that the access token of a login lives]
//
// Listens on a free loopback port and says on stdout, in one line of JSON, which issuer it is. Ends
// with its stdin, so that it never outlives the test that started it. Needs no network.
//
// The protocol is oidc-provider's alone. Ours are the login, device and consent pages, the claims
// that OpenAI puts into its tokens, GET /test/count: how many token requests of each grant type were
// granted and refused, and GET /test/active?token=…: what the server itself says of a token.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";

import Provider from "oidc-provider";

const LOGIN_LIFE = Number(process.argv[2] ?? 3600);
const REFRESHED_LIFE = 3600;
const API = "urn:openclaw:test-api";

const count = {};

const NATIVE = {
  token_endpoint_auth_method: "none",
  // Of a native client the port of a loopback redirect is not compared (RFC 8252 section 7.3).
  application_type: "native",
  response_types: ["code"],
};

const SERVICE = {
  client_secret: "MARKER-client-secret: +%",
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
};

// Advice for production; the keys and the store of a test are meant to be lost.
console.warn = () => {};

function configuration() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    clients: [
      {
        ...NATIVE,
        client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
        redirect_uris: ["http://localhost:1455/auth/callback"],
        grant_types: ["authorization_code", "refresh_token"],
      },
      {
        ...NATIVE,
        client_id: "acme-cli",
        redirect_uris: ["http://127.0.0.1/callback"],
        grant_types: [
          "authorization_code",
          "refresh_token",
          "urn:ietf:params:oauth:grant-type:device_code",
        ],
      },
      { ...SERVICE, client_id: "service-basic", token_endpoint_auth_method: "client_secret_basic" },
      { ...SERVICE, client_id: "service-post", token_endpoint_auth_method: "client_secret_post" },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" }] },
    cookies: { keys: [randomBytes(32).toString("hex")] },
    pkce: { required: () => true, methods: ["S256"] },
    // A refresh token that comes a second time revokes the whole grant (RFC 9700 section 4.14.2).
    rotateRefreshToken: true,
    // The e-mail stands in the ID token, as OpenAI has it, and not at the userinfo endpoint only.
    conformIdTokenClaims: false,
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id, email_verified: true, name: "A Person" }),
    }),
    extraTokenClaims: (_, token) => ({
      "https://api.openai.com/auth": { chatgpt_account_id: `acct_${token.accountId}` },
    }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (ctx, form, _, error) => device(ctx, error ? "Again" : "Code", form),
        userCodeConfirmSource: (ctx, form) => device(ctx, "Confirm", form),
        successSource: (ctx) => device(ctx, "Done", ""),
      },
      // Access tokens are JWTs for one API, without a `resource` parameter in any request.
      resourceIndicators: {
        enabled: true,
        defaultResource: () => API,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx) => ({
          scope: "models",
          audience: API,
          accessTokenFormat: "jwt",
          accessTokenTTL:
            ctx.oidc.params?.grant_type === "refresh_token" ? REFRESHED_LIFE : LOGIN_LIFE,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  };
}

function html(title, body) {
  const head = `<title>${title}</title><link rel="icon" href="data:,">`;
  return `<!DOCTYPE html><html lang="en">${head}<h1>${title}</h1>${body}</html>`;
}

function page(response, title, fields) {
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(html(title, `<form method="post">${fields}</form>`));
}

function device(ctx, title, form) {
  ctx.body = html(title, form);
}

function ask(response, prompt) {
  if (prompt === "login") {
    page(response, "Sign in", '<input name="login"><button name="answer" value="yes">Sign in</button>');
  } else {
    const button = (value) => `<button name="answer" value="${value}">${value}</button>`;
    page(response, "Authorize", button("yes") + button("no"));
  }
}

async function form(request) {
  let text = "";
  for await (const chunk of request) text += chunk;
  return new URLSearchParams(text);
}

async function consent(provider, { params, session, prompt: { details } }) {
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(details.missingOIDCScope?.join(" ") ?? params.scope);
  return { consent: { grantId: await grant.save() } };
}

async function interact(provider, request, response) {
  const interaction = await provider.interactionDetails(request, response);
  const { name } = interaction.prompt;
  if (request.method !== "POST") return ask(response, name);
  const answers = await form(request);
  let result = { error: "access_denied", error_description: "the person said no" };
  if (answers.get("answer") === "yes") {
    result =
      name === "login"
        ? { login: { accountId: answers.get("login") } }
        : await consent(provider, interaction);
  }
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

async function active(provider, request, response) {
  const token = new URL(request.url, "http://test").searchParams.get("token");
  const found = await provider.RefreshToken.find(token);
  response.end(JSON.stringify({ active: Boolean(found?.isValid) }));
}

function start(issuer) {
  const provider = new Provider(issuer, configuration());
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route === "token") {
      const of = (count[ctx.oidc.params?.grant_type] ??= { granted: 0, refused: 0 });
      of[ctx.status === 200 ? "granted" : "refused"] += 1;
    }
  });
  provider.on("server_error", (_, error) => console.error(error));
  const protocol = provider.callback();
  return (request, response) => {
    if (request.url === "/test/count") return response.end(JSON.stringify(count));
    if (request.url.startsWith("/test/active?")) return active(provider, request, response);
    if (!request.url.startsWith("/interaction/")) return protocol(request, response);
    return interact(provider, request, response).catch((error) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  };
}

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  server.on("request", start(issuer));
  console.log(JSON.stringify({ issuer }));
});
process.stdin.resume().on("close", () => process.exit()).on("error", () => process.exit());
