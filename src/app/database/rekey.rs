//! `gateway rekey`: another key for what is in a database.

use std::path::Path;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::secrets::moving::left_bundle::LeftBundle;
use crate::model::hint::{Command, Hint};
use crate::model::seal::DataKey;
use crate::ports::database::{Database, Rekeyed};

/// Says that rows were left as they are, if some were.
pub fn failure(done: &Rekeyed) -> Option<Failure> {
    let message = match done.left.len() {
        0 => return None,
        1 => "1 row does not open, and was left as it is".to_owned(),
        count => format!("{count} rows do not open, and were left as they are"),
    };
    let hint = Hint::from("with the new key in place, see what mends each: ");
    let hint = hint.run(Command::new("gateway doctor"));
    let failure = Failure::new(Kind::Storage, message).hint(hint);
    Some(failure.touched(StoreEffect::Changed))
}

/// Seals everything of all tenants anew under another key. Not while an import of this machine that was
/// killed has its logins in a file: only the key in use opens it.
///
/// # Errors
/// [`Kind::Usage`] if there is such a file, [`Kind::Config`] if neither the key in use nor the new one is
/// that of the database; else as [`Database::rekey`].
pub fn run(
    files: Context<'_>,
    (database, directory): (&dyn Database, &Path),
    new: &DataKey,
) -> Result<Rekeyed, Failure> {
    let left = LeftBundle::of_all_tenants(files, directory)?;
    if let Some(left) = left.first()
        && !database.is_sealed_under(new)?
    {
        let message = format!(
            "an import that was interrupted has its logins in {}, which only the key in use opens; nothing was changed",
            left.path.display()
        );
        let hint = left.completed_by(Command::new("gateway import"));
        return Err(Failure::new(Kind::Usage, message).hint(hint));
    }
    if database.standing()?.is_key_right == Some(false) && !database.is_sealed_under(new)? {
        let at = database.shown();
        let message = format!("the key in use does not open what is in {at}; nothing was changed");
        let hint = Hint::from("name its key in GOCLAW_ENCRYPTION_KEY_FILE, and see: ");
        let hint = hint.run(Command::new("gateway doctor"));
        return Err(Failure::new(Kind::Config, message).hint(hint));
    }
    Ok(database.rekey(new)?)
}
