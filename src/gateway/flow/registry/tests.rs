use parking_lot::Condvar;

use super::*;
use crate::model::hint::Hint;
use crate::providers::catalogue::built_in;

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
    let flows = Flows::new(Arc::clone(&engine) as Arc<dyn Engine>, limit, || {});
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
) -> thread::JoinHandle<Result<Started, NotStarted>> {
    let (here, manifest) = (Arc::clone(flows), provider.clone());
    let waiting = thread::spawn(move || here.start(&manifest, order("anna", &manifest)));
    while !flows.is_waiting_for(&provider.id, "anna") {
        thread::yield_now();
    }
    waiting
}

#[test]
fn a_login_belongs_to_who_began_it_and_so_do_its_ports() {
    let (engine, flows) = flows();
    let codex = provider("openai-codex");
    let waiting = begin(&flows, &codex);
    let taken = flows.start(&codex, order("ben", &codex));
    assert!(matches!(taken, Err(NotStarted::Taken)), "{taken:?}");
    let into_another = Order {
        profile: Some(ProfileId::parse("openai-codex:other").unwrap()),
        ..order("anna", &codex)
    };
    let taken = flows.start(&codex, into_another);
    assert!(matches!(taken, Err(NotStarted::Taken)), "{taken:?}");
    let neighbour = Provider {
        id: ProviderId::parse("neighbour").unwrap(),
        ..codex.clone()
    };
    let taken = flows.start(&neighbour, order("ben", &neighbour));
    assert!(
        matches!(&taken, Err(NotStarted::PortTaken(holder)) if *holder == codex.id),
        "{taken:?}"
    );
    assert!(!flows.is_waiting_for(&codex.id, "ben"));
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
    let late = flows.start(&codex, order("anna", &codex));
    assert!(matches!(late, Err(NotStarted::Draining)), "{late:?}");
    engine.open();
    flows.close();
    assert!(waiting.join().unwrap().is_err());
}

#[test]
fn what_has_no_login_with_a_browser_is_not_begun() {
    let (_engine, flows) = flows();
    let keys = provider("deepseek");
    let refused = flows.start(&keys, order("anna", &keys));
    assert!(matches!(refused, Err(NotStarted::NoBrowser)), "{refused:?}");
    assert_eq!(flows.cancel(&keys.id), View::new(State::Idle));
    let pasted = flows.paste(&keys.id, Secret::from("code"));
    assert_eq!(pasted.unwrap_err(), PasteError::NoLogin);
}
