//! What programs answered to this command that references to secrets name: none is asked twice for one
//! secret.

use parking_lot::Mutex;

use crate::app::failure::Failure;
use crate::model::secret::Secret;
use crate::model::secret_ref::SecretRef;

/// The answers, and the failures in the place of one.
#[derive(Default)]
pub struct Answered(Mutex<Vec<Answer>>);

type Answer = (SecretRef, Result<Secret<String>, Failure>);

impl Answered {
    /// The answer for a reference, if its program was asked.
    pub(super) fn get(&self, reference: &SecretRef) -> Option<Result<Secret<String>, Failure>> {
        let known = self.0.lock();
        let found = known.iter().find(|(known, _)| known == reference);
        found.map(|(_, answer)| answer.clone())
    }

    /// Adds the answers of a program.
    pub(super) fn extend(&self, answers: impl Iterator<Item = Answer>) {
        self.0.lock().extend(answers);
    }
}
