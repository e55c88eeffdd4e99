//! Answers that are right and oddly wrapped, and those that nobody understands: the first are
//! stored, and after the others the spent refresh token is never sent again.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::support::World;
use crate::support::issuer::{Account, Issuer, Scripted};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const FORCE: [&str; 4] = ["models", "auth", "refresh", "--force"];
const GRANT: &str = r#"{"access_token":"at-new","refresh_token":"rt-new","expires_in":3600}"#;

/// A login that has ended, and the next answer of its server.
fn ended(answer: Scripted) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    issuer.answer_next(answer);
    (world, issuer)
}

fn bytes(body: Vec<u8>) -> Scripted {
    Scripted {
        status: 200,
        bytes: body,
        ..Scripted::default()
    }
}

/// By gzip, in a block that is not compressed.
fn gzip(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    let head = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01";
    let lengths = [length.to_le_bytes(), (!length).to_le_bytes()].concat();
    [head, lengths.as_slice(), data, &[0; 8]].concat()
}

fn is_stored(world: &World, issuer: &Issuer) {
    let ran = world.run(&TOKEN);
    assert_eq!((ran.code, ran.out.as_str()), (0, "at-new\n"), "{ran:?}");
    let profile = world.only_profile();
    assert_eq!(profile["refresh"], "rt-new");
    assert_eq!(profile["custom"], "keepme");
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn an_answer_that_is_oddly_wrapped_is_stored() {
    let utf16: Vec<u8> = GRANT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = [
        &GRANT.as_bytes()[..GRANT.len() - 1],
        b",\"name\":\"M\xfcller\"}",
    ]
    .concat();
    for body in [
        gzip(GRANT.as_bytes()),
        gzip(&gzip(GRANT.as_bytes())),
        [b"\xef\xbb\xbf", GRANT.as_bytes()].concat(),
        [b"\xff\xfe", utf16.as_slice()].concat(),
        latin,
        GRANT.replace('{', "{\"note\":\"a\nb\",").into_bytes(),
        GRANT.replace('{', r#"{"name":"\ud83d","#).into_bytes(),
        format!("{GRANT}\n-- \ntrailing").into_bytes(),
        b"access_token=at-new&refresh_token=rt-new&expires_in=3600".to_vec(),
        GRANT.replace('{', r#"{"error":"","#).into_bytes(),
        GRANT
            .replace('{', r#"{"score":NaN,"dir":"C:\path","#)
            .into_bytes(),
        GRANT.replace('}', ",}").into_bytes(),
        GRANT.replace("3600", "NaN").into_bytes(),
        GRANT.replace('}', r#","refresh_token":null}"#).into_bytes(),
        GRANT.replace("_t", "T").into_bytes(),
        GRANT.replace("_token\"", "_token \"").into_bytes(),
        [b"\xef\xbb\xbf\xef\xbb\xbf", GRANT.as_bytes()].concat(),
        [b"\n", gzip(GRANT.as_bytes()).as_slice()].concat(),
        [gzip(&GRANT.as_bytes()[..9]), gzip(&GRANT.as_bytes()[9..])].concat(),
        GRANT
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect(),
        format!("<br />\n<b>Warning</b>: x in <b>/a.php</b><br />\n{GRANT}").into_bytes(),
        format!("while(1);{GRANT}").into_bytes(),
        format!("callback({GRANT});").into_bytes(),
        format!("[{GRANT}]").into_bytes(),
        json!(GRANT).to_string().into_bytes(),
        format!(r#"{{"code":0,"data":{GRANT}}}"#).into_bytes(),
        format!(r#"{{"error":{{}},"data":{GRANT}}}"#).into_bytes(),
        format!(r#"{{"error":"none","token":{GRANT}}}"#).into_bytes(),
        b"?access_token=at-new&refresh_token=rt-new&scope=a b".to_vec(),
        b"access_token=at-new;refresh_token=rt-new".to_vec(),
    ] {
        let (world, issuer) = ended(bytes(body));
        is_stored(&world, &issuer);
    }
}

#[test]
fn an_answer_with_many_header_fields_is_stored() {
    let names: Vec<String> = (0..200).map(|number| format!("X-Field-{number}")).collect();
    let headers = names
        .into_iter()
        .map(|name| (&*name.leak(), "1".to_owned()));
    let (world, issuer) = ended(Scripted {
        status: 200,
        headers: headers.collect(),
        body: GRANT.to_owned(),
        ..Scripted::default()
    });
    is_stored(&world, &issuer);
}

#[test]
fn a_body_that_is_whole_counts_however_its_connection_ends() {
    for head in [
        "Content-Length: 9999\r\n",
        "Transfer-Encoding: chunked\r\n",
        "",
    ] {
        let (world, issuer) = World::with_issuer(Account::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let manifest = issuer.manifest().replace(
            &format!("token = \"{}", issuer.url()),
            &format!("token = \"http://{address}"),
        );
        world.write("providers/openai-codex.toml", &manifest);
        world.seed(&issuer, "main", -10);
        let body = match head.starts_with("Transfer") {
            true => format!("{:x}\r\n{GRANT}\r\n", GRANT.len()),
            false => GRANT.to_owned(),
        };
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}");
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let ran = world.run(&TOKEN);
        server.join().unwrap();
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, "at-new\n"),
            "{head}{ran:?}"
        );
        assert_eq!(world.only_profile()["refresh"], "rt-new");
    }
}

#[test]
fn an_answer_in_the_clothes_of_a_page_is_stored() {
    for page in [
        format!("<html><body><pre>{GRANT}</pre></body></html>"),
        format!("<!DOCTYPE html><p>{}</p>", GRANT.replace('"', "&quot;")),
    ] {
        let (world, issuer) = ended(Scripted::text(200, &page));
        is_stored(&world, &issuer);
    }
}

#[test]
fn a_refresh_token_of_another_shape_is_never_taken_for_none() {
    let answer = |token: &str| format!(r#"{{"access_token":"at-new","refresh_token":{token}}}"#);
    for (token, stored) in [
        ("12345678", "12345678"),
        ("117123456789012345671", "117123456789012345671"),
        (r#""rt-new","refresh_token":null"#, "rt-new"),
        (r#""rt-new","refresh_token":{}"#, "rt-new"),
        ("null", "rt-MARKER"),
        ("false", "rt-MARKER"),
        (r#""""#, "rt-MARKER"),
    ] {
        let (world, _issuer) = ended(Scripted::text(200, &answer(token)));
        assert_eq!(world.run(&TOKEN).out, "at-new\n", "{token}");
        let profile = world.only_profile();
        let refresh = profile["refresh"].as_str().unwrap();
        assert!(refresh.starts_with(stored), "{token}: {refresh}");
    }
    for token in [
        r#"{"token":"rt-new"}"#,
        r#"["rt-new"]"#,
        r#""rt-new\ud83d""#,
        "1.5",
        "true",
    ] {
        let (world, issuer) = ended(Scripted::text(200, &answer(token)));
        is_kept_and_never_resent(&world, &issuer);
    }
}

/// A server that gives each request the same answer, byte for byte, and counts them.
fn raw_server(world: &World, issuer: &Issuer, answer: Vec<u8>) -> Arc<AtomicUsize> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let ours = format!("token = \"http://{address}");
    let theirs = format!("token = \"{}", issuer.url());
    let manifest = issuer.manifest().replace(&theirs, &ours);
    world.write("providers/openai-codex.toml", &manifest);
    let requests = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&requests);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            seen.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(&answer);
        }
    });
    requests
}

#[test]
fn an_answer_that_breaks_off_is_stored_or_kept_and_its_token_never_resent() {
    let big = GRANT.replace('}', &format!(r#","x":"{}"}}"#, "y".repeat(1_100_000)));
    let utf16: Vec<u8> = GRANT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (long, chunked) = ("Content-Length: 9999", "Transfer-Encoding: chunked");
    let endless = "Content-Length: 99999999999";
    let chunk = |data: &[u8]| [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat();
    let fields = "X-Field: 1\r\n".repeat(400) + "X-Last: 1";
    let form = b"access_token=at-new&refresh_token=rt-n".to_vec();
    for (head, body, is_whole) in [
        (long, gzip(GRANT.as_bytes()), true),
        (chunked, chunk(&gzip(GRANT.as_bytes())), true),
        (long, utf16, true),
        (long, [GRANT.as_bytes(), b"\0"].concat(), true),
        (endless, GRANT.into(), true),
        (fields.as_str(), GRANT.into(), true),
        (long, form.clone(), false),
        (chunked, chunk(&form), false),
        (long, GRANT.as_bytes()[..GRANT.len() - 9].into(), false),
        ("X-Long: 1", big.into_bytes(), false),
        (
            "Content-Type: text/html",
            "<r><access_token>at</access_token></r>".into(),
            false,
        ),
    ] {
        let (world, issuer) = World::with_issuer(Account::default());
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
        let answer = [head.as_bytes(), &body].concat();
        let requests = raw_server(&world, &issuer, answer);
        world.seed(&issuer, "main", -10);
        let ran = world.run(&TOKEN);
        if is_whole {
            assert_eq!(
                (ran.code, ran.out.as_str()),
                (0, "at-new\n"),
                "{head}{ran:?}"
            );
            assert_eq!(world.only_profile()["refresh"], "rt-new");
        } else {
            assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{head}{ran:?}");
            assert_ne!(world.run(&FORCE).code, 0);
            assert_eq!(world.run(&TOKEN).out, "");
            let kept = std::fs::read_dir(world.state().join("rescue")).unwrap();
            assert_eq!(kept.count(), 1);
        }
        assert_eq!(requests.load(Ordering::SeqCst), 1, "{head}");
    }
}

#[test]
fn what_is_sent_asks_for_no_compression() {
    let (world, issuer) = ended(Scripted::text(200, GRANT));
    is_stored(&world, &issuer);
    let seen = issuer.exchanges();
    let encodings = seen[0]
        .headers
        .iter()
        .filter(|(name, _)| name == "accept-encoding");
    let encodings: Vec<&str> = encodings.map(|(_, value)| value.as_str()).collect();
    assert_eq!(encodings, ["identity"]);
}

#[test]
fn after_an_answer_that_is_not_understood_the_spent_token_is_never_sent() {
    for body in [
        b"{\"tokens\":{\"access\":\"at-new\"}}".to_vec(),
        b"\x28\xb5\x2f\xfd zstd".to_vec(),
        b"{\"access_token\":\"at-new\",\"refresh_token\":\"rt".to_vec(),
        GRANT.replace("rt-new", "rt-\u{fffd}").into_bytes(),
        b"null".to_vec(),
    ] {
        let (world, issuer) = ended(bytes(body));
        is_kept_and_never_resent(&world, &issuer);
    }
}

fn is_kept_and_never_resent(world: &World, issuer: &Issuer) {
    let first = world.run(&TOKEN);
    assert_eq!((first.code, first.out.as_str()), (3, ""), "{first:?}");
    assert!(first.err.contains("cannot be used ("), "{first:?}");
    assert!(first.err.contains("models auth login"), "{first:?}");
    for args in [TOKEN.as_slice(), &FORCE, &["tick"], &TOKEN] {
        let ran = world.run(args);
        assert_ne!(ran.code, 0, "{ran:?}");
    }
    assert_eq!(issuer.token_requests().len(), 1);
    let status = world.run(&["models", "status", "--json"]);
    assert!(status.out.contains("\"old copy\""), "{status:?}");
    let kept = std::fs::read_dir(world.state().join("rescue")).unwrap();
    assert_eq!(kept.count(), 1);
}

#[test]
fn a_valid_token_is_handed_out_after_an_answer_that_is_not_understood() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, _) = world.seed(&issuer, "main", 120);
    issuer.answer_next(Scripted::text(200, "{}"));
    for _ in 0..2 {
        let ran = world.run(&TOKEN);
        assert_eq!(
            (ran.code, ran.out.trim_end()),
            (0, access.as_str()),
            "{ran:?}"
        );
        assert!(ran.err.contains("cannot be used ("), "{ran:?}");
    }
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn a_later_manifest_understands_what_was_saved() {
    let body = json!({ "access_token": "at-new", "refresh_token": "rt-new", "error": "x" });
    let (world, issuer) = ended(Scripted::text(200, "{\"token\":1}"));
    assert_eq!(world.run(&TOKEN).code, 3);
    let entries = std::fs::read_dir(world.state().join("rescue")).unwrap();
    let saved = entries.map(|entry| entry.unwrap().path()).next().unwrap();
    let text = std::fs::read_to_string(&saved).unwrap();
    let head = text.lines().next().unwrap();
    let body = body.to_string();
    std::fs::write(&saved, format!("{head}\n{}\n{body}", body.len())).unwrap();
    is_stored(&world, &issuer);
    assert_eq!(world.run(&TOKEN).err, "");
}

#[test]
fn an_answer_that_was_saved_and_is_torn_stands_for_a_spent_token() {
    let (world, issuer) = ended(Scripted::text(200, "{\"token\":1}"));
    assert_eq!(world.run(&TOKEN).code, 3);
    let entries = std::fs::read_dir(world.state().join("rescue")).unwrap();
    let saved = entries.map(|entry| entry.unwrap().path()).next().unwrap();
    // By a power cut, before the journal was written, or by a later version.
    let text = std::fs::read_to_string(&saved).unwrap();
    let head = text.lines().next().unwrap().to_owned();
    for content in [
        format!("{head}\n99\n{{\"acc"),
        format!("{{\"schema\":2}}\nlater {head}"),
    ] {
        std::fs::remove_dir_all(world.state().join("locks")).unwrap();
        world.note_issuers();
        std::fs::write(&saved, content).unwrap();
        let ran = world.run(&TOKEN);
        assert!(matches!(ran.code, 3 | 5) && ran.out.is_empty(), "{ran:?}");
        assert_eq!(issuer.token_requests().len(), 1);
    }
}

#[test]
fn a_web_page_in_the_place_of_an_answer_is_told_and_spends_nothing() {
    let page = "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>";
    for status in [200, 401, 403, 503] {
        let (world, issuer) = ended(Scripted::text(status, page));
        let ran = world.run(&TOKEN);
        assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{ran:?}");
        assert!(ran.err.contains("a web page came instead"), "{ran:?}");
        assert!(ran.err.contains("Just a moment..."), "{ran:?}");
        let again = world.run(&FORCE);
        assert_eq!(again.code, 0, "{again:?}");
        assert_eq!(issuer.token_requests().len(), 2);
    }
}
