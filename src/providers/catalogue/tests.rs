use std::time::Duration;

use super::*;
use crate::model::provider::{Bill, Billing};
use crate::model::provider::{Body, Flow, Redirect};

use crate::testing::files::MemoryFiles;

fn catalogue(files: &[(&str, &str)]) -> Catalogue {
    let dir = PathBuf::from("/state/providers");
    let folder = MemoryFiles::new();
    for (name, text) in files {
        folder.put(&dir.join(name), text);
    }
    Catalogue::new(Arc::new(folder), dir)
}

fn id(text: &str) -> ProviderId {
    ProviderId::parse(text).unwrap()
}

/// Provider and variables, in order, as the reference release has them.
const ENV: &[(&str, &str)] = &[
    ("amazon-bedrock", "AWS_BEARER_TOKEN_BEDROCK"),
    ("anthropic", "ANTHROPIC_OAUTH_TOKEN ANTHROPIC_API_KEY"),
    ("cerebras", "CEREBRAS_API_KEY"),
    ("chutes", "CHUTES_OAUTH_TOKEN CHUTES_API_KEY"),
    ("cloudflare-ai-gateway", "CLOUDFLARE_AI_GATEWAY_API_KEY"),
    ("deepgram", "DEEPGRAM_API_KEY"),
    (
        "github-copilot",
        "COPILOT_GITHUB_TOKEN GH_TOKEN GITHUB_TOKEN",
    ),
    ("google", "GEMINI_API_KEY"),
    ("google-gemini-cli", ""),
    ("google-vertex", ""),
    ("groq", "GROQ_API_KEY"),
    ("kimi-coding", "KIMI_API_KEY KIMICODE_API_KEY"),
    ("minimax", "MINIMAX_API_KEY"),
    ("minimax-portal", "MINIMAX_OAUTH_TOKEN MINIMAX_API_KEY"),
    ("mistral", "MISTRAL_API_KEY"),
    ("moonshot", "MOONSHOT_API_KEY"),
    ("ollama", "OLLAMA_API_KEY"),
    ("openai", "OPENAI_API_KEY"),
    ("openai-codex", ""),
    ("opencode", "OPENCODE_API_KEY OPENCODE_ZEN_API_KEY"),
    ("openrouter", "OPENROUTER_API_KEY"),
    ("qianfan", "QIANFAN_API_KEY"),
    ("qwen-portal", "QWEN_OAUTH_TOKEN QWEN_PORTAL_API_KEY"),
    ("synthetic", "SYNTHETIC_API_KEY"),
    ("venice", "VENICE_API_KEY"),
    ("vercel-ai-gateway", "AI_GATEWAY_API_KEY"),
    ("voyage", "VOYAGE_API_KEY"),
    ("xai", "XAI_API_KEY"),
    ("xiaomi", "XIAOMI_API_KEY"),
    ("zai", "ZAI_API_KEY Z_AI_API_KEY"),
];

/// What the May release knows besides.
const LATER: &[(&str, &str)] = &[
    (
        "alibaba",
        "MODELSTUDIO_API_KEY DASHSCOPE_API_KEY QWEN_API_KEY",
    ),
    ("arcee", "ARCEEAI_API_KEY"),
    (
        "azure-speech",
        "AZURE_SPEECH_KEY AZURE_SPEECH_API_KEY SPEECH_KEY",
    ),
    ("byteplus", "BYTEPLUS_API_KEY"),
    ("comfy", "COMFY_API_KEY COMFY_CLOUD_API_KEY"),
    ("deepinfra", "DEEPINFRA_API_KEY"),
    ("deepseek", "DEEPSEEK_API_KEY"),
    ("elevenlabs", "ELEVENLABS_API_KEY XI_API_KEY"),
    ("exa", "EXA_API_KEY"),
    ("fal", "FAL_KEY FAL_API_KEY"),
    ("firecrawl", "FIRECRAWL_API_KEY"),
    ("fireworks", "FIREWORKS_API_KEY"),
    ("gradium", "GRADIUM_API_KEY"),
    ("huggingface", "HUGGINGFACE_HUB_TOKEN HF_TOKEN"),
    ("inworld", "INWORLD_API_KEY"),
    ("kilocode", "KILOCODE_API_KEY"),
    ("litellm", "LITELLM_API_KEY"),
    ("lmstudio", "LM_API_TOKEN"),
    ("microsoft-foundry", "AZURE_OPENAI_API_KEY"),
    ("nvidia", "NVIDIA_API_KEY"),
    ("opencode-go", "OPENCODE_API_KEY OPENCODE_ZEN_API_KEY"),
    ("perplexity", "PERPLEXITY_API_KEY OPENROUTER_API_KEY"),
    ("runway", "RUNWAYML_API_SECRET RUNWAY_API_KEY"),
    ("senseaudio", "SENSEAUDIO_API_KEY"),
    ("sglang", "SGLANG_API_KEY"),
    ("stepfun", "STEPFUN_API_KEY"),
    ("stepfun-plan", "STEPFUN_API_KEY"),
    ("tavily", "TAVILY_API_KEY"),
    ("tencent-tokenhub", "TOKENHUB_API_KEY"),
    ("together", "TOGETHER_API_KEY"),
    ("vllm", "VLLM_API_KEY"),
    ("volcengine", "VOLCANO_ENGINE_API_KEY"),
    ("vydra", "VYDRA_API_KEY"),
];

/// What gateways know besides: services that make music and pictures.
const MEDIA: &[(&str, &str)] = &[("dashscope", "DASHSCOPE_API_KEY"), ("suno", "")];

#[test]
fn every_built_in_provider_is_whole() {
    let catalogue = catalogue(&[]);
    let ids = catalogue.ids().unwrap();
    let found: Vec<(String, String)> = ids
        .iter()
        .map(|id| {
            let provider = catalogue.get(id).unwrap();
            assert_eq!(provider.id, *id);
            let signs_in = !provider.flows.is_empty() || !provider.ambient.is_empty();
            assert!(signs_in, "{id}");
            (id.to_string(), provider.env.join(" "))
        })
        .collect();
    let mut expected: Vec<(String, String)> = ENV
        .iter()
        .chain(LATER)
        .chain(MEDIA)
        .map(|(id, env)| ((*id).into(), (*env).into()))
        .collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn media_services_take_what_they_hand_out() {
    let kinds = |catalogue: &Catalogue, name: &str| {
        let provider = catalogue.get(&id(name)).unwrap();
        let shapes = (
            provider.token_shape().is_some(),
            provider.key_shape().is_some(),
        );
        (provider.logs_in(), shapes)
    };
    let known = catalogue(&[]);
    assert_eq!(kinds(&known, "suno"), (false, (true, false)));
    assert_eq!(kinds(&known, "dashscope"), (false, (false, true)));
    // As the guide has it.
    let guide = include_str!("../../../docs/providers.md");
    let (_, text) = guide.split_once("replaces = true`, a `[client]`").unwrap();
    let manifest = text.split("```").nth(1).unwrap();
    let with_login = catalogue(&[("dashscope.toml", manifest.trim_start_matches("toml"))]);
    assert_eq!(kinds(&with_login, "dashscope"), (true, (false, true)));
}

#[test]
fn codex_logs_in_as_registered() {
    let codex = catalogue(&[]).get(&id("openai-codex")).unwrap();
    let flow = codex.browser().unwrap();
    let Redirect::Loopback(redirect) = &flow.redirect else {
        panic!("{flow:?}");
    };
    assert_eq!(redirect.ports, [1455, 1457]);
    assert_eq!(redirect.uri(1455), "http://localhost:1455/auth/callback");
    assert_eq!(flow.scopes.join(" "), "openid profile email offline_access");
    let mut params = flow.params.clone();
    params.sort();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [
        pair("codex_cli_simplified_flow", "true"),
        pair("id_token_add_organizations", "true"),
        pair("originator", "openclaw"),
    ];
    assert_eq!(params, expected);
    assert!(codex.account.required);
    assert_eq!(codex.dialect.body, Body::Form);
    assert_eq!(codex.refresh.margin, Duration::from_secs(300));
    assert_eq!(codex.refresh.baked_margin, Duration::ZERO);
}

#[test]
fn anthropic_takes_a_token_first_and_refreshes_with_json() {
    let anthropic = catalogue(&[]).get(&id("anthropic")).unwrap();
    let methods: Vec<&str> = anthropic.flows.iter().map(Flow::method).collect();
    assert_eq!(methods, ["setup-token", "oauth", "api-key"]);
    let token = anthropic.token_shape().unwrap();
    assert_eq!(token.prefix.as_deref(), Some("sk-ant-oat01-"));
    assert_eq!(token.min_length, 108);
    assert_eq!(anthropic.dialect.body, Body::Json);
    assert_eq!(anthropic.refresh.baked_margin, Duration::from_secs(300));
}

#[test]
fn a_users_file_is_found_and_may_replace() {
    let acme = "schema = 1\nid = \"acme\"\nname = \"Acme\"";
    let mine = "schema = 1\nid = \"groq\"\nname = \"Mine\"\nreplaces = true";
    let shadow = "schema = 1\nid = \"xai\"\nname = \"Shadow\"";
    let files = [
        ("acme.toml", acme),
        ("groq.toml", mine),
        ("xai.toml", shadow),
        ("other.toml", acme),
        ("broken.toml", "schema = 1\nid = \"broken\"\nnam = 1"),
        ("notes.txt", ""),
    ];
    let catalogue = catalogue(&files);
    let get = |name| catalogue.get(&id(name));
    assert_eq!(get("acme").unwrap().name, "Acme");
    assert_eq!(get("groq").unwrap().name, "Mine");
    assert!(matches!(get("xai"), Err(CatalogueError::Shadows { .. })));
    assert!(matches!(
        get("other"),
        Err(CatalogueError::WrongName { .. })
    ));
    let broken = get("broken").unwrap_err().to_string();
    assert!(
        broken.starts_with("/state/providers/broken.toml:3:1: "),
        "{broken}"
    );
    let ids = catalogue.ids().unwrap();
    assert_eq!(ids.len(), ENV.len() + LATER.len() + MEDIA.len() + 3);
    assert!(ids.contains(&id("broken")));
}

#[test]
fn an_unknown_name_brings_near_ones() {
    let error = |name| catalogue(&[]).get(&id(name)).unwrap_err().to_string();
    assert_eq!(
        error("antropic"),
        "unknown provider antropic; did you mean anthropic?"
    );
    assert!(error("openai-codx").contains("openai-codex"));
    assert_eq!(error("zzzz"), "unknown provider zzzz");
}

#[test]
fn a_key_is_metered_and_a_login_a_subscription_where_that_is_known() {
    let listing = Catalogue::new(Arc::new(MemoryFiles::new()), "/s/providers".into()).list();
    let mut known = Vec::new();
    for (provider, _) in listing.unwrap().providers {
        let Billing {
            oauth,
            token,
            api_key,
            ambient,
        } = provider.billing;
        if oauth != Bill::Unknown || provider.registration.is_some() {
            known.push(format!("{} oauth {}", provider.id, oauth.as_ref()));
        }
        if token != Bill::Unknown {
            known.push(format!("{} token {}", provider.id, token.as_ref()));
        }
        if api_key != Bill::Metered {
            known.push(format!("{} key {}", provider.id, api_key.as_ref()));
        }
        if !provider.ambient.is_empty() {
            known.push(format!("{} ambient {}", provider.id, ambient.as_ref()));
        }
    }
    let expected = "amazon-bedrock ambient metered\nanthropic oauth subscription\n\
        anthropic token subscription\nchutes oauth unknown\nchutes key unknown\n\
        elevenlabs key subscription\nfirecrawl key subscription\n\
        github-copilot oauth subscription\ngithub-copilot token subscription\n\
        github-copilot key subscription\n\
        google-gemini-cli oauth subscription\ngoogle-vertex ambient metered\n\
        kimi-coding key subscription\nlitellm key unknown\nlmstudio key unknown\n\
        minimax-portal oauth subscription\nminimax-portal token subscription\n\
        minimax-portal key unknown\nnvidia key unknown\nollama key unknown\n\
        openai-codex oauth subscription\nopenai-codex token subscription\n\
        opencode-go key subscription\nqwen-portal oauth subscription\n\
        qwen-portal token subscription\nqwen-portal key unknown\nsglang key unknown\n\
        stepfun-plan key subscription\nsynthetic key unknown\ntavily key unknown\n\
        vllm key unknown\nxai oauth subscription\nzai key unknown";
    assert_eq!(known.join("\n"), expected);
}
