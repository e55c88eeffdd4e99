//! Beside software that nobody here wrote: OpenClaw, its locks, stores and answers, and a certified
//! OpenID Connect server.

mod oidc_provider;
mod openclaw_locks;
mod openclaw_package;
mod openclaw_sealed;
mod openclaw_soak;
mod primary_model;
mod recorded_answers;
mod recorded_store_edits;
mod unlocked_neighbour;
