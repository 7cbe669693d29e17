//! How many connections of one place there are.

use quaymaster_core::Place;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Counts = Arc<Mutex<HashMap<Place, usize>>>;

/// The connections on which nobody proved who they are.
pub(super) struct Crowd {
    most: usize,
    counts: Counts,
}

impl Crowd {
    pub(super) fn new(most: usize) -> Self {
        Crowd {
            most,
            counts: Counts::default(),
        }
    }

    /// A seat for one more; `None` when the place has no more. From nowhere in particular there are
    /// as many as wanted.
    pub(super) fn seat(&self, place: Option<Place>) -> Option<Seat> {
        if let Some(place) = place {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(place).or_default();
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        Some(Seat {
            counts: self.counts.clone(),
            place: Mutex::new(place),
        })
    }
}

/// One connection's part of the crowd.
pub(super) struct Seat {
    counts: Counts,
    place: Mutex<Option<Place>>,
}

impl Seat {
    /// Somebody proved who they are: from now on they are limited by that.
    pub(super) fn leave(&self) {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(place) = place.take() else { return };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&place);
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_so_many_seats_and_gets_them_back() {
        let crowd = Crowd::new(2);
        let place = |address: &str| Place::of(address.parse().unwrap());
        let first = crowd.seat(place("2001:db8::1")).unwrap();
        let second = crowd.seat(place("2001:db8::2"));
        assert!(crowd.seat(place("2001:db8::3")).is_none());
        assert!(crowd.seat(place("203.0.113.1")).is_some());
        first.leave();
        let third = crowd.seat(place("2001:db8::3"));
        assert!(third.is_some());
        assert!(crowd.seat(place("2001:db8::4")).is_none());
        // It left already.
        drop(first);
        assert!(crowd.seat(place("2001:db8::4")).is_none());
        drop((second, third));
        assert!(crowd.counts.lock().unwrap().is_empty());
        let nowhere: Vec<_> = (0..5).map(|_| crowd.seat(None)).collect();
        assert!(nowhere.iter().all(Option::is_some));
    }
}
