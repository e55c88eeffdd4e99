use super::*;
use crate::app::failure::Kind;
use crate::app::login::BARE_CODE;
use crate::model::credential::Kind as CredentialKind;
use crate::model::id::{ProfileId, ProviderId};
use crate::ports::dialog::{AuthorizeUrl, DeviceCode, Dialog as _, DialogError, Notice, Question};
use crate::ports::host::{Interrupt as _, Signal};

fn progress() -> Arc<Progress> {
    Arc::new(Progress::new(Arc::new(|| {})))
}

fn announce(progress: &Progress, port: Option<u16>) {
    progress.notice(&Notice::AuthorizeUrl(AuthorizeUrl {
        provider: "Test".to_owned(),
        url: "https://issuer.example/authorize".to_owned(),
        port,
        remote: false,
        ssh_forward: None,
        copy: false,
    }));
    let until = Timestamp(360_000);
    progress.notice(&Notice::Waiting { until });
}

fn stored() -> StoredProfile {
    StoredProfile {
        profile: ProfileId::parse("openai-codex:a@example.com").unwrap(),
        provider: ProviderId::parse("openai-codex").unwrap(),
        kind: CredentialKind::OAuth,
        account: None,
        expires: None,
        replaced: false,
        put_first: false,
        is_ordered: false,
    }
}

fn ask(progress: &Progress) -> Result<Secret<String>, DialogError> {
    progress.ask(&Question::Paste("URL".to_owned()), &|| false)
}

/// Pastes on a thread of its own.
fn paste(
    progress: &Arc<Progress>,
    text: &'static str,
) -> std::thread::JoinHandle<Result<Ending, PasteError>> {
    let progress = Arc::clone(progress);
    std::thread::spawn(move || progress.paste(Secret::from(text)))
}

#[test]
fn whoever_pastes_learns_why_it_is_not_the_answer_and_may_paste_again() {
    let progress = progress();
    announce(&progress, None);
    let first = paste(&progress, "garbage");
    assert_eq!(ask(&progress).unwrap().expose(), "garbage");
    progress.notice(&Notice::NotAccepted("this is no URL".to_owned()));
    // Told once more, with nobody who waits for it.
    progress.notice(&Notice::NotAccepted("this is no URL".to_owned()));
    let why = PasteError::NotAccepted("this is no URL".to_owned());
    assert_eq!(first.join().unwrap().unwrap_err(), why);

    let second = paste(&progress, "bare");
    assert_eq!(ask(&progress).unwrap().expose(), "bare");
    // Asked again, and nobody said why.
    let third = {
        let progress = Arc::clone(&progress);
        std::thread::spawn(move || ask(&progress))
    };
    let why = PasteError::NotAccepted(BARE_CODE.to_owned());
    assert_eq!(second.join().unwrap().unwrap_err(), why);

    let good = paste(&progress, "good");
    assert_eq!(third.join().unwrap().unwrap().expose(), "good");
    progress.notice(&Notice::Exchanging);
    progress.end(progress.ending(Ok(stored())));
    assert_eq!(good.join().unwrap().unwrap().state(), State::Connected);
    let late = progress.paste(Secret::from("late"));
    assert_eq!(late.unwrap_err(), PasteError::NoLogin);
}

#[test]
fn a_second_paste_does_not_take_the_place_of_one_that_is_looked_at() {
    let progress = progress();
    announce(&progress, None);
    let first = paste(&progress, "first");
    assert_eq!(ask(&progress).unwrap().expose(), "first");
    let second = progress.paste(Secret::from("second"));
    assert_eq!(second.unwrap_err(), PasteError::Busy);
    progress.end(progress.ending(Ok(stored())));
    assert_eq!(first.join().unwrap().unwrap().state(), State::Connected);
}

#[test]
fn nothing_is_cancelled_that_has_a_code() {
    let progress = progress();
    announce(&progress, Some(1455));
    assert_eq!(progress.pending(), None);
    progress.cancel();
    assert_eq!(progress.pending(), Some(Signal::TERMINATE));
    progress.notice(&Notice::Exchanging);
    assert_eq!(progress.pending(), None);
    progress.wait_for_answer();
    assert_eq!(progress.view(), View::new(State::Exchanging));
}

#[test]
fn a_device_code_is_shown_and_what_it_brings_is_on_its_way_at_once() {
    let progress = progress();
    progress.notice(&Notice::DeviceCode(DeviceCode {
        provider: "Test".to_owned(),
        user_code: "WDJB-MJHT".to_owned(),
        verification_uri: "https://issuer.example/device".to_owned(),
        verification_uri_complete: None,
        expires: Timestamp(900_000),
        beside: false,
    }));
    let until = Timestamp(360_000);
    progress.notice(&Notice::Waiting { until });
    let view = View {
        expires_at: Some(until),
        callback: Some(Callback::Polling),
        auth_url: Some("https://issuer.example/device".to_owned()),
        user_code: Some("WDJB-MJHT".to_owned()),
        ..View::new(State::Waiting)
    };
    assert_eq!(progress.view(), view);
    assert_eq!(progress.port(), Ok(None));
    let code = UserCode {
        url: Secret::from("https://issuer.example/device"),
        user_code: Secret::from("WDJB-MJHT"),
        expires: until,
    };
    let elsewhere = Progress::polled_elsewhere(Arc::new(|| {}), code);
    assert_eq!(elsewhere.view(), view);
    progress.hold(true);
    progress.cancel();
    assert_eq!(progress.pending(), None);
    assert_eq!(progress.view(), View::new(State::Exchanging));
}

#[test]
fn only_the_question_of_a_login_is_answered() {
    let progress = progress();
    let secret = Question::Secret("Key".to_owned());
    let asked = progress.ask(&secret, &|| false);
    assert_eq!(asked.unwrap_err(), DialogError::NobodyThere);
    let confirmed = progress.confirm("Sure?", true, &|| false);
    assert_eq!(confirmed.unwrap_err(), DialogError::NobodyThere);
    let withdrawn = progress.ask(&Question::Paste(String::new()), &|| true);
    assert_eq!(withdrawn.unwrap_err(), DialogError::Withdrawn);
}

#[test]
fn tells_where_the_browser_is_to_be_sent_and_what_was_odd() {
    let progress = progress();
    assert_eq!(progress.view(), View::new(State::Waiting));
    assert_eq!(progress.port(), Err(()));
    let warning = "cannot listen for the callback";
    progress.notice(&Notice::Warning(warning.into()));
    announce(&progress, None);
    let (announced, until) = progress.announced().unwrap();
    assert_eq!(announced.callback(), Callback::Manual);
    assert_eq!(progress.port(), Ok(None));
    let view = View {
        message: Some(warning.to_owned()),
        expires_at: until,
        callback: Some(Callback::Manual),
        auth_url: Some(announced.url.expose().clone()),
        ..View::new(State::Waiting)
    };
    assert_eq!(progress.view(), view);
    let refused = Failure::new(Kind::NeedsLogin, "login denied").code("access_denied");
    progress.end(progress.ending(Err(refused)));
    let view = View {
        message: Some("login denied".to_owned()),
        code: Some("access_denied".to_owned()),
        ..View::new(State::Refused)
    };
    assert_eq!(progress.view(), view);
}

#[test]
fn a_login_that_ends_before_it_waits_says_how() {
    let progress = progress();
    progress.end(progress.ending(Err(Failure::new(Kind::Config, "no client id"))));
    let ending = progress.announced().unwrap_err();
    assert_eq!(ending.state(), State::Failed);
    assert!(progress.has_ended());
}

#[test]
fn whoever_waits_for_what_others_make_of_a_login_is_told_that_it_is_unknown_and_it_goes_on() {
    let progress = Progress::elsewhere(Arc::new(|| {}));
    let gone = Failure::new(Kind::Storage, "the database is gone");
    progress.tell_unknown(Some(&gone));
    assert!(progress.wait_for_end().is_err());
    let pasted = progress.paste(Secret::from("URL")).unwrap();
    assert_eq!(pasted.state(), State::Failed);
    assert_eq!(progress.view(), View::new(State::Exchanging));
    progress.tell_unknown(None);
    progress.end(progress.ending(Ok(stored())));
    assert!(progress.wait_for_end().is_ok());
    assert_eq!(progress.view(), View::new(State::Connected));
}
