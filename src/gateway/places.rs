//! Places for connections: so many altogether, and so many for each client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

/// Connections at once.
const WHOLE: usize = 256;
/// Those of one client.
const EACH: usize = 32;

/// The places that are taken.
#[derive(Default)]
pub(super) struct Places {
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    whole: usize,
    each: HashMap<IpAddr, usize>,
}

/// A place, which is given back when this is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    /// Whose it is, unless it is a proxy's, whose connections are those of many.
    client: Option<IpAddr>,
}

impl Places {
    /// Takes a place for a client, or for a proxy where there is none; `None` if all are taken, or
    /// all that this client may have.
    pub(super) fn take(self: &Arc<Self>, client: Option<IpAddr>) -> Option<Place> {
        let mut taken = self.taken.lock();
        if taken.whole >= WHOLE {
            return None;
        }
        if let Some(client) = client {
            let count = taken.each.entry(client).or_default();
            if *count >= EACH {
                return None;
            }
            *count += 1;
        }
        taken.whole += 1;
        Some(Place {
            places: Arc::clone(self),
            client,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        taken.whole -= 1;
        let Some(client) = self.client else {
            return;
        };
        if let Some(count) = taken.each.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                taken.each.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, number]))
    }

    #[test]
    fn one_client_cannot_take_all_places() {
        let places = Arc::new(Places::default());
        let mut held: Vec<Place> = Vec::new();
        for _ in 0..EACH {
            held.extend(places.take(client(1)));
        }
        assert_eq!(held.len(), EACH);
        assert!(places.take(client(1)).is_none());
        assert!(places.take(client(2)).is_some());
        held.pop();
        assert!(places.take(client(1)).is_some());
    }

    #[test]
    fn all_places_come_back() {
        let places = Arc::new(Places::default());
        let mut held: Vec<Place> = Vec::new();
        for number in 0..WHOLE {
            let one = u8::try_from(number / EACH).unwrap();
            held.extend(places.take(client(one).filter(|_| number % 2 == 0)));
        }
        assert_eq!(held.len(), WHOLE);
        assert!(places.take(client(200)).is_none() && places.take(None).is_none());
        held.clear();
        let taken = places.taken.lock();
        assert!(taken.whole == 0 && taken.each.is_empty());
    }
}
