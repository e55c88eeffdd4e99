//! The manifests that are compiled in. A new one needs its file and its line here.

use crate::model::id::ProviderId;

macro_rules! builtin {
    ($id:literal) => {
        ($id, include_str!(concat!("builtin/", $id, ".toml")))
    };
}

/// The built-in manifests by id.
const BUILTIN: &[(&str, &str)] = &[
    builtin!("alibaba"),
    builtin!("amazon-bedrock"),
    builtin!("anthropic"),
    builtin!("arcee"),
    builtin!("azure-speech"),
    builtin!("byteplus"),
    builtin!("cerebras"),
    builtin!("chutes"),
    builtin!("cloudflare-ai-gateway"),
    builtin!("comfy"),
    builtin!("deepgram"),
    builtin!("deepinfra"),
    builtin!("deepseek"),
    builtin!("elevenlabs"),
    builtin!("exa"),
    builtin!("fal"),
    builtin!("firecrawl"),
    builtin!("fireworks"),
    builtin!("github-copilot"),
    builtin!("google"),
    builtin!("google-gemini-cli"),
    builtin!("google-vertex"),
    builtin!("gradium"),
    builtin!("groq"),
    builtin!("huggingface"),
    builtin!("inworld"),
    builtin!("kilocode"),
    builtin!("kimi-coding"),
    builtin!("litellm"),
    builtin!("lmstudio"),
    builtin!("microsoft-foundry"),
    builtin!("minimax"),
    builtin!("minimax-portal"),
    builtin!("mistral"),
    builtin!("moonshot"),
    builtin!("nvidia"),
    builtin!("ollama"),
    builtin!("openai"),
    builtin!("openai-codex"),
    builtin!("opencode"),
    builtin!("opencode-go"),
    builtin!("openrouter"),
    builtin!("perplexity"),
    builtin!("qianfan"),
    builtin!("qwen-portal"),
    builtin!("runway"),
    builtin!("senseaudio"),
    builtin!("sglang"),
    builtin!("stepfun"),
    builtin!("stepfun-plan"),
    builtin!("synthetic"),
    builtin!("tavily"),
    builtin!("tencent-tokenhub"),
    builtin!("together"),
    builtin!("venice"),
    builtin!("vercel-ai-gateway"),
    builtin!("vllm"),
    builtin!("volcengine"),
    builtin!("voyage"),
    builtin!("vydra"),
    builtin!("xai"),
    builtin!("xiaomi"),
    builtin!("zai"),
];

/// The built-in manifest of a provider.
pub(super) fn manifest(id: &ProviderId) -> Option<&'static str> {
    let found = BUILTIN.iter().find(|(known, _)| *known == id.as_str());
    found.map(|(_, text)| *text)
}

/// The names of all built-in providers.
pub(super) fn ids() -> impl Iterator<Item = ProviderId> {
    let ids = BUILTIN.iter();
    ids.filter_map(|(id, _)| ProviderId::parse(id).ok())
}
