//! The values of stored secrets, wherever they stand in the clear.

use super::places::Place;
use super::report::{Code, Finding};
use crate::app::context::Context;
use crate::model::hint::Hint;
use crate::model::secret::Secret;
use crate::model::vault::{SecretName, VaultFault};

/// A shorter value is found in texts that have nothing to do with it.
const SHORTEST: usize = 8;

/// The values that are looked for.
pub(super) struct Values {
    all: Vec<(SecretName, Vec<Secret<Vec<u8>>>)>,
    /// How many are too short.
    pub(super) short: usize,
}

impl Values {
    /// Reads them.
    ///
    /// # Errors
    /// If the vault does not open.
    pub(super) fn read(cx: Context<'_>, names: &[SecretName]) -> Result<Self, VaultFault> {
        let mut values = Self {
            all: Vec::new(),
            short: 0,
        };
        for name in names {
            let Some(value) = cx.secrets.get(name)? else {
                continue;
            };
            let text = value.expose();
            if text.len() < SHORTEST {
                values.short += 1;
                continue;
            }
            let mut forms = vec![Secret::new(text.as_bytes().to_vec())];
            if let Ok(quoted) = serde_json::to_vec(text).map(Secret::new) {
                let quoted = quoted.expose();
                forms.push(Secret::new(quoted[1..quoted.len() - 1].to_vec()));
            }
            values.all.push((name.clone(), forms));
        }
        Ok(values)
    }

    /// How many are looked for.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// Those that stand in a file.
    pub(super) fn find(&self, place: &Place, bytes: &[u8], found: &mut Vec<Finding>) {
        for (name, forms) in &self.all {
            let stands = |form: &Secret<Vec<u8>>| {
                let form = form.expose();
                memchr::memmem::find(bytes, form).is_some()
            };
            if forms.iter().any(stands) {
                let message = format!("it holds the value of the stored secret {name}");
                let advice: Hint =
                    format!("write ${{secret:{name}}} in its place, or remove it").into();
                let code = Code::StorePlaintextResidue;
                found.push(Finding::new(code, &place.path, message, advice));
            }
        }
    }
}
