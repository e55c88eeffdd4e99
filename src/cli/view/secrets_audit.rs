//! `secrets audit`.

use serde_json::{Value, json};

use super::wrap::Sheet;
use crate::app::secrets::audit::{Code, Finding, Report, Resolution};
use crate::cli::hint::Renderer;
use crate::model::hint::{Command, Hint};

/// So many findings of one kind are shown of one file.
const SHOWN: usize = 20;

/// The document, as OpenClaw has it; members of ours are in `openclaw`.
pub fn document(report: &Report, hints: &Renderer) -> Value {
    let Resolution {
        checked,
        skipped_exec,
        locked,
    } = report.resolution;
    let advice = report.findings.iter().map(|it| hints.text(&it.advice));
    let (searched, short) = report.values;
    json!({
        "version": 1,
        "status": report.status(),
        "resolution": {
            "refsChecked": checked,
            "skippedExecRefs": skipped_exec,
            "resolvabilityComplete": skipped_exec + locked == 0,
        },
        "filesScanned": report.scanned,
        "summary": {
            "plaintextCount": report.count(Code::PlaintextFound),
            "unresolvedRefCount": report.count(Code::RefUnresolved),
            "shadowedRefCount": report.count(Code::RefShadowed),
            "storeResidueCount": report.count(Code::StorePlaintextResidue),
            "legacyResidueCount": report.count(Code::LegacyResidue),
        },
        "findings": report.findings,
        "openclaw": {
            "store": report.store,
            "skippedLockedRefs": locked,
            "valuesSearched": searched,
            "valuesTooShort": short,
            "valuesLeftOut": report.values_left_out,
            "unreadFiles": report.unread,
            "advice": advice.collect::<Vec<_>>(),
        },
    })
}

/// The summary of OpenClaw, then each finding by file. If the files are all there is, it says that they are
/// not sealed.
pub fn text(report: &Report, is_all: bool, hints: &Renderer) -> String {
    let mut page = Sheet::default();
    page.line(&format!(
        "Secrets audit: {}. plaintext={}, unresolved={}, shadowed={}, store={}, legacy={}.",
        report.status().as_ref(),
        report.count(Code::PlaintextFound),
        report.count(Code::RefUnresolved),
        report.count(Code::RefShadowed),
        report.count(Code::StorePlaintextResidue),
        report.count(Code::LegacyResidue),
    ));
    for findings in report.findings.chunk_by(|a, b| a.file == b.file) {
        page.line(&findings[0].file.display().to_string());
        for same in findings.chunk_by(|a, b| a.code == b.code) {
            for finding in same.iter().take(SHOWN) {
                line(&mut page, finding, hints);
            }
            if let Some(more) = same.len().checked_sub(SHOWN + 1) {
                page.line(&format!(
                    "  … and {} more of these (--json shows all)",
                    more + 1
                ));
            }
        }
    }
    notes(&mut page, report, is_all, hints);
    page.into_text()
}

fn line(page: &mut Sheet, finding: &Finding, hints: &Renderer) {
    let path = match finding.json_path.as_str() {
        "" => String::new(),
        path => format!(" {path}:"),
    };
    let code = finding.code.as_ref();
    let advice = hints.text(&finding.advice);
    page.line(&format!("  {code}{path} {}; {advice}", finding.message));
}

/// What was left out, and that the store is plain.
fn notes(page: &mut Sheet, report: &Report, is_all: bool, hints: &Renderer) {
    let Resolution {
        skipped_exec,
        locked,
        ..
    } = report.resolution;
    for error in &report.unread {
        page.line(&format!("Not read: {error}"));
    }
    if let Some(why) = &report.values_left_out {
        let unlock = Hint::from(": ").run(Command::new("secrets unlock"));
        page.line(&format!(
            "The values of stored secrets were not looked for, because {why}{}",
            hints.text(&unlock)
        ));
    }
    if report.values.1 > 0 {
        page.line(&format!(
            "{} stored values are too short to be looked for.",
            report.values.1
        ));
    }
    if locked > 0 {
        page.line(&format!(
            "{locked} references to stored secrets were not checked."
        ));
    }
    if skipped_exec > 0 {
        page.line(&format!(
            "{skipped_exec} references to programs were not checked (--allow-exec)."
        ));
    }
    if is_all && !report.store.seals() {
        let migrate = Command::new("secrets migrate --to encrypted_file --passphrase");
        let advice = Hint::from("The store is plain: profiles are not sealed. To seal them: ");
        page.line(&hints.text(&advice.run(migrate)));
    }
}
