use parking_lot::Condvar;

use super::*;
use crate::app::context::Context;
use crate::app::login::noted::Connected;
use crate::gateway::flow::in_memory::AttemptsInMemory;
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProfileId};
use crate::providers::catalogue::built_in;
use crate::testing::clock::FakeClock;

/// No use case begins until it is let go, and then none is run.
#[derive(Default)]
struct Closed {
    is_open: Mutex<bool>,
    changed: Condvar,
}

impl Closed {
    fn open(&self) {
        *self.is_open.lock() = true;
        self.changed.notify_all();
    }
}

impl Engine for Closed {
    fn with(&self, _: &mut dyn FnMut(Context<'_>, &AgentId)) {
        let mut is_open = self.is_open.lock();
        while !*is_open {
            self.changed.wait(&mut is_open);
        }
    }

    fn revision(&self) -> u64 {
        0
    }

    fn text(&self, _: &Hint) -> String {
        String::new()
    }
}

fn flows() -> (Arc<Closed>, Arc<Flows>) {
    let engine = Arc::new(Closed::default());
    let limit = Duration::from_secs(60);
    let audit = Audit::new(Arc::new(FakeClock::new(Timestamp(0))), None);
    let flows = Flows::new(
        Arc::clone(&engine) as Arc<dyn Engine>,
        Arc::new(audit),
        Arc::new(AttemptsInMemory::default()),
        limit,
        || {},
    );
    (engine, Arc::new(flows))
}

fn provider(id: &str) -> Provider {
    built_in(&ProviderId::parse(id).unwrap()).unwrap()
}

fn order(caller: &str, provider: &Provider) -> Order {
    Order {
        caller: caller.to_owned(),
        provider: provider.id.clone(),
        agent: AgentId::main(),
        profile: None,
        display_name: None,
    }
}

/// Begins a login that does not get anywhere.
fn begin(
    flows: &Arc<Flows>,
    provider: &Provider,
) -> thread::JoinHandle<Result<Option<Started>, NotStarted>> {
    let (here, manifest) = (Arc::clone(flows), provider.clone());
    let waiting = thread::spawn(move || here.start(&manifest, &order("anna", &manifest)));
    while !flows.is_under_way_for(&provider.id, "anna") {
        thread::yield_now();
    }
    waiting
}

#[test]
fn a_login_belongs_to_who_began_it_and_so_do_its_ports() {
    let (engine, flows) = flows();
    let codex = provider("openai-codex");
    let waiting = begin(&flows, &codex);
    let taken = flows.start(&codex, &order("ben", &codex));
    assert!(matches!(taken, Err(NotStarted::Taken)), "{taken:?}");
    let into_another = Order {
        profile: Some(ProfileId::parse("openai-codex:other").unwrap()),
        ..order("anna", &codex)
    };
    let taken = flows.start(&codex, &into_another);
    assert!(matches!(taken, Err(NotStarted::Taken)), "{taken:?}");
    let neighbour = Provider {
        id: ProviderId::parse("neighbour").unwrap(),
        ..codex.clone()
    };
    let taken = flows.start(&neighbour, &order("ben", &neighbour));
    assert!(
        matches!(&taken, Err(NotStarted::PortTaken(holder)) if *holder == codex.id),
        "{taken:?}"
    );
    assert!(!flows.is_under_way_for(&codex.id, "ben"));
    engine.open();
    let ended = waiting.join().unwrap();
    assert!(matches!(ended, Err(NotStarted::Failed(_))), "{ended:?}");
    assert_eq!(flows.view(&codex.id, "ben").state, State::Failed);
}

#[test]
fn nothing_begins_in_a_gateway_that_ends() {
    let (engine, flows) = flows();
    let codex = provider("openai-codex");
    let waiting = begin(&flows, &codex);
    flows.cancel_all();
    let late = flows.start(&codex, &order("anna", &codex));
    assert!(matches!(late, Err(NotStarted::Draining)), "{late:?}");
    engine.open();
    flows.close();
    assert!(waiting.join().unwrap().is_err());
}

#[test]
fn what_has_no_login_is_not_begun() {
    let (_engine, flows) = flows();
    let keys = provider("deepseek");
    let refused = flows.start(&keys, &order("anna", &keys));
    assert!(matches!(refused, Err(NotStarted::NoLogin)), "{refused:?}");
    assert_eq!(
        flows.cancel(&keys.id, "anna").unwrap(),
        View::new(State::Idle)
    );
    let pasted = flows.paste(&keys.id, Secret::from("code"));
    assert_eq!(pasted.unwrap_err(), PasteError::NoLogin);
}

#[test]
fn whoever_joins_a_login_that_connects_is_not_told_that_it_was_cancelled() {
    let (engine, flows) = flows();
    let codex = provider("openai-codex");
    let joined = begin(&flows, &codex);
    let flow = flows.all.lock().living(&codex.id).cloned().unwrap();
    flow.progress.end(Ending::Connected(Connected {
        profile: ProfileId::parse("openai-codex:one").unwrap(),
        provider: codex.id.clone(),
    }));
    assert_eq!(joined.join().unwrap().unwrap(), None);
    engine.open();
}

#[test]
fn a_login_ends_by_a_logout_of_its_own_profile() {
    let codex = provider("openai-codex");
    let profile = |name: &str| ProfileId::parse(name).unwrap();
    let (one, other) = (profile("openai-codex:one"), profile("openai-codex:other"));
    let (main, work) = (AgentId::main(), AgentId::normalise("work"));
    let order = Order {
        profile: Some(one.clone()),
        ..order("anna", &codex)
    };
    assert!(order.is_for(&main, None));
    assert!(order.is_for(&main, Some(&one)));
    assert!(!order.is_for(&main, Some(&other)));
    assert!(!order.is_for(&work, None));
}
