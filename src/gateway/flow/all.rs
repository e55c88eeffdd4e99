//! The last login of each provider.

use std::sync::Arc;
use std::thread::JoinHandle;

use super::login::Flow;
use crate::model::id::ProviderId;

/// The last login of each provider, and the threads of those that have not ended.
#[derive(Default)]
pub(super) struct All {
    pub(super) flows: Vec<Arc<Flow>>,
    pub(super) threads: Vec<JoinHandle<()>>,
    pub(super) is_closed: bool,
}

impl All {
    pub(super) fn last(&self, provider: &ProviderId) -> Option<&Arc<Flow>> {
        let mut flows = self.flows.iter();
        flows.find(|flow| flow.order.provider == *provider)
    }

    /// Puts a login in the place of the last one of its provider.
    pub(super) fn put(&mut self, flow: Arc<Flow>) {
        let provider = &flow.order.provider;
        self.flows.retain(|other| other.order.provider != *provider);
        self.flows.push(flow);
    }

    pub(super) fn living(&self, provider: &ProviderId) -> Option<&Arc<Flow>> {
        let flow = self.last(provider);
        flow.filter(|flow| !flow.progress.has_ended())
    }

    /// The provider whose login holds the last of these ports, if none is free.
    pub(super) fn holder_of(&self, ports: &[u16]) -> Option<ProviderId> {
        let mut holders = ports.iter().map(|port| {
            let mut flows = self.flows.iter();
            flows.find(|flow| *port != 0 && flow.holds(*port))
        });
        let first = holders.next()??;
        let are_all_held = holders.all(|holder| holder.is_some());
        are_all_held.then(|| first.order.provider.clone())
    }
}
