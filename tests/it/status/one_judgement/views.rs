//! What every view says of one provider and one login of it, and whether they contradict.

use openclaw::app::context::Context;
use openclaw::app::credential::selector::Selector;
use openclaw::app::explain;
use openclaw::app::failure::{Failure, Kind};
use openclaw::app::maintenance::{metrics, tick};
use openclaw::app::status::{self, prompt, prompt::PromptMark};
use openclaw::app::usecase::{token, token_status};
use openclaw::cli::exit_code;
use openclaw::model::id::{AgentId, ProfileId, ProviderId};

/// A token, or the exit code and the words of the failure.
pub(super) type Answer = Result<(), (u8, String)>;

/// What a pause fails with: it passes without anybody.
pub(super) const LATER: u8 = 4;

/// What the views say of a provider.
#[derive(Clone, Debug)]
pub(super) struct OfProvider {
    pub(super) token: Answer,
    pub(super) token_status: Answer,
    pub(super) explain: Answer,
    /// `openclaw.providers[]` of `status --json`.
    pub(super) json: Answer,
    /// Whether the prompt shows a `!` behind it.
    pub(super) is_marked: bool,
}

/// What the views say of one login, whatever the choice for its provider.
#[derive(Clone, Debug)]
pub(super) struct OfLogin {
    pub(super) token: Answer,
    pub(super) tick: Answer,
    pub(super) usable: bool,
    pub(super) needs_login: bool,
    pub(super) cools_down: bool,
}

impl OfProvider {
    /// What they say, and how `status --check` exits; nothing if status has no reason to speak of the
    /// provider. `token` is the last to be asked, for it refreshes.
    pub(super) fn ask(
        cx: Context<'_>,
        agent: &AgentId,
        provider: &ProviderId,
    ) -> Option<(Self, u8)> {
        let request = status::Request {
            agent: agent.clone(),
            agent_named: false,
        };
        let report = status::run(cx, &request);
        let report = report.unwrap_or_else(|failure| panic!("{failure}"));
        let mut outlooks = report.outlooks.iter();
        let outlook = outlooks.find(|outlook| outlook.provider == *provider);
        let outlook = outlook?;
        let items = prompt::run(cx, &request, std::slice::from_ref(provider));
        let token_status = token_status::run(
            cx,
            &token_status::Request {
                agent: agent.clone(),
                provider: provider.clone(),
            },
        );
        let token_status = token_status.and_then(|report| report.failure.map_or(Ok(()), Err));
        let explained = explain::run(cx, agent, &Selector::Provider(provider.clone()));
        let explained = explained.and_then(|report| {
            let explained = report.providers.into_iter().next();
            let explained = explained.unwrap_or_else(|| panic!("nothing is explained"));
            match (explained.used, explained.failure) {
                (Some(_), _) => Ok(()),
                (None, failure) => Err(failure.unwrap_or_else(|| panic!("no reason is given"))),
            }
        });
        let json = match (&outlook.used, &outlook.failure) {
            (Some(_), _) => Ok(()),
            (None, failure) => Err(failure.clone().unwrap_or_else(|| panic!("no reason"))),
        };
        let views = Self {
            token: token_of(cx, agent, Selector::Provider(provider.clone())),
            token_status: answer(token_status),
            explain: answer(explained),
            json: answer(json),
            is_marked: items.iter().any(|item| item.mark == PromptMark::Broken),
        };
        Some((views, report.check()))
    }

    pub(super) fn needs_somebody(&self) -> bool {
        matches!(&self.token, Err((code, _)) if *code != LATER)
    }

    /// Every contradiction.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let views = [
            ("token-status", &self.token_status),
            ("explain", &self.explain),
            ("status --json", &self.json),
        ];
        for (view, said) in views {
            if *said != self.token {
                wrong.push(format!("{view} says {said:?}, token {:?}", self.token));
            }
        }
        if self.is_marked != self.needs_somebody() {
            let (marked, token) = (self.is_marked, &self.token);
            wrong.push(format!("the prompt shows !: {marked}, token {token:?}"));
        }
        wrong
    }
}

impl OfLogin {
    /// What metrics say, then what `token --profile` does in `cx` and `tick` in `twin`, where the
    /// same is stored.
    pub(super) fn ask(cx: Context<'_>, twin: Context<'_>, profile: &ProfileId) -> Self {
        let main = AgentId::main();
        let metrics = metrics::gather(cx, Some(&main));
        let metrics = metrics.unwrap_or_else(|failure| panic!("{failure}"));
        let mut logins = metrics.logins.iter();
        let login = logins.find(|login| login.profile == *profile);
        let login = login.unwrap_or_else(|| panic!("no metrics of {profile}"));
        let token = token_of(cx, &main, Selector::Profile(profile.clone().into()));
        let ticked = tick::run(
            twin,
            &tick::Request {
                agent: Some(main),
                spread: std::time::Duration::ZERO,
                limit: std::time::Duration::MAX,
                dry_run: false,
            },
        );
        let ticked = ticked.unwrap_or_else(|failure| panic!("{failure}"));
        let mut problems = ticked.problems.into_iter();
        let problem = problems.find(|problem| problem.profile.as_ref() == Some(profile));
        Self {
            token,
            tick: answer(problem.map_or(Ok(()), |problem| Err(problem.failure))),
            usable: login.usable,
            needs_login: login.needs_login,
            cools_down: login.cooldown_until.is_some(),
        }
    }

    /// Every contradiction.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut is = |is: bool, what: &str| {
            if !is {
                wrong.push(format!("{what}: {self:?}"));
            }
        };
        let gives = self.token.is_ok();
        let is_later = matches!(&self.token, Err((LATER, _)));
        is(
            self.usable == (gives && !self.cools_down),
            "metrics are wrong about what is usable",
        );
        match (&self.token, &self.tick) {
            (Err(_), tick) => is(*tick == self.token, "tick tells another problem"),
            // What works today and has no tomorrow is told ahead.
            (Ok(()), Err(_)) => is(self.needs_login, "tick tells a problem, and metrics none"),
            (Ok(()), Ok(())) => {}
        }
        is(
            gives || self.needs_login != is_later,
            "metrics are wrong about who must act",
        );
        wrong
    }
}

fn token_of(cx: Context<'_>, agent: &AgentId, want: Selector) -> Answer {
    let request = token::Request {
        agent: agent.clone(),
        want,
        min_valid: None,
    };
    answer(token::run(cx, &request).map(drop))
}

fn answer(result: Result<(), Failure>) -> Answer {
    result.map_err(|failure| {
        assert!(
            !matches!(
                failure.kind,
                Kind::Storage | Kind::Busy | Kind::Cancelled(_)
            ),
            "{failure}"
        );
        (exit_code::code(failure.kind), failure.to_string())
    })
}
