//! Pastes of every kind.

use super::*;

const REQUEST: &str =
    "https://login.example/authorize?code=true&response_type=code&code_challenge=x&state=s";

fn query(pairs: &[(&str, &str)]) -> Vec<(String, Secret<String>)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::from(*value));
    pairs.iter().map(own).collect()
}

#[test]
fn pastes_of_every_kind_are_understood() {
    let paste = Pasted::parse;
    let both = Pasted::Query(query(&[("code", "a b"), ("state", "s")]));
    for text in [
        "http://localhost:1455/auth/callback?code=a%20b&state=s",
        " http://localhost:1455/auth/call\n  back?code=a+b&state=s\n",
        "code=a%20b&state=s",
        "?code=a%20b&state=s",
        "localhost:1455/auth/callback?code=a%20b&state=s",
        "127.0.0.1:1455/auth/callback?code=a%20b&state=s",
        "/auth/callback?code=a%20b&state=s",
        "auth/callback?code=a%20b&state=s",
        "\"http://localhost:1455/auth/callback?code=a%20b&state=s\"",
        "'http://localhost:1455/auth/callback?code=a%20b&state=s'",
        "<http://localhost:1455/auth/callback?code=a%20b&state=s>",
        "`localhost:1455/auth/callback?code=a%20b&state=s`",
        "\u{201c}http://localhost:1455/auth/callback?code=a%20b&state=s\u{201d}",
        "[here](http://localhost:1455/auth/callback?code=a%20b&state=s)",
        "(http://localhost:1455/auth/callback?code=a%20b&state=s)",
        "\u{feff}http://localhost:1455/auth/callback?code=a%20b&state=s",
        "http://localhost:1455/auth/callback?code=a%20b\u{200b}&state=s",
        "http://localhost:1455/auth/callback?code=a%20b&amp;state=s",
        "http://localhost:1455/auth/callback?code=a%20b\\u0026state=s",
        "http://localhost:1455/auth/callback\\?code\\=a%20b\\&state\\=s",
        "{\"url\":\"http:\\/\\/localhost:1455\\/cb?code=a%20b&state=s\",\"x\":1}",
        "Location: http://localhost:1455/auth/callback?code=a%20b&state=s",
        "HTTP/1.1 302 Found\r\nLocation: http://localhost/cb?code=a%20b&state=s\r\nVary: *\r\n",
        "GET /auth/callback?code=a%20b&state=s HTTP/1.1",
        "curl 'http://localhost:1455/auth/callback?code=a%20b&state=s' -H 'A: b'",
        "http://localhost:1455/auth/callback#code=a%20b&state=s",
        "http%3A%2F%2Flocalhost%3A1455%2Fcb%3Fcode%3Da%2520b%26state%3Ds",
        "code=a%20b state=s",
        "code=a%20b, state=s",
        "code=a%20b#s",
        "localhost/cb?code=a%20b&state=slocalhost/cb?code=a%20b&state=s",
        "localhost/cb?code=a%20b&state=s\nlocalhost/cb?code=a%20b&state=s",
        "http://localhost:1455/auth/callback?code=a%20b&state=s.",
        "http://localhost:1455/auth/callback?code=a%20b&state=s&error=",
        "\u{1b}[32mhttp://localhost:1455/auth/callback?code=a%20b&state=s\u{1b}[0m",
        "code = a%20b\nstate = s",
        "http://localhost:1455/auth/callback?code=a%20b&state=s!",
        "http://localhost:1455/auth/callback?code=a%20b&state=s?",
        "http://localhost:1455/auth/callback?code=a%20b&state=s\u{2026}",
        "**http://localhost:1455/auth/callback?code=a%20b&state=s**",
        "http://localhost:1455/auth/callback?code=a%20b&state=s what now?",
        "It says\nhttp://localhost:1455/auth/callback?code=a%20b&state=s\nwhat do I do?",
        "curl http://localhost:1455/auth/callback?code=a%20b&state=s -H A:b",
        "<http://localhost:1455/auth/callback?code=a%20b&state=s|click here>",
        "\u{1b}[200~http://localhost:1455/auth/callback?code=a%20b&state=s\u{1b}[201~",
        "[200~http://localhost:1455/auth/callback?code=a%20b&state=s[201~",
        "localhost/cb?code=a%20b&state=s localhost/cb?code=a%20b&state=s \
         localhost/cb?code=a%20b&state=s",
        "http://localhost:1455/auth/callback?code=a%20b^&state=s",
        "http://localhost:1455/auth/callback?code=a%20b\\\n&state=s",
        "http://localhost:1455/auth/callback?code=a%20b\\\r\n&state=s",
        "http://localhost:1455/auth/callback?code=a%20b^\r\n&state=s",
        "http://localhost:1455/auth/callback?code=a%20b`&state=s",
        "http://localhost:1455/auth/callback?code=a%20b&amp;amp;state=s",
        "http://localhost:1455/#/callback?code=a%20b&state=s",
        "http%253A%252F%252Flocalhost%252Fcb%253Fcode%253Da%252520b%2526state%253Ds",
    ] {
        assert_eq!(paste(text), both, "{text}");
    }
    let callback = "http://localhost:1455/cb?code=a%20b&state=s";
    for text in [
        format!("{REQUEST}\n{callback}"),
        format!("{callback}\n{REQUEST}"),
        format!("{REQUEST}\nlocalhost:1455/cb?code=a%20b&state=s"),
        format!("https://example.com/ and then {callback}"),
    ] {
        assert_eq!(paste(&text), both, "{text}");
    }
    let wrapped = "http://localhost:1455/cb?code=abcd\r\n  efgh&state=stuv\r\n   wxyz\r\n";
    let whole = Pasted::Query(query(&[("code", "abcdefgh"), ("state", "stuvwxyz")]));
    assert_eq!(paste(wrapped), whole);
    let hash = Pasted::Query(query(&[("code", "ab"), ("state", "s")]));
    for text in [
        "ab#s",
        "\"ab#s\"",
        "code: ab state: s",
        "Code: ab\nState: s",
        "{\"code\": \"ab\", \"state\": \"s\"}",
    ] {
        assert_eq!(paste(text), hash, "{text}");
    }
    let (code, state) = ("c".repeat(20), "t".repeat(43));
    assert_eq!(
        paste(&format!(" {code} {state}\n")),
        Pasted::Query(query(&[("code", &code), ("state", &state)]))
    );
    let error = query(&[("error", "access_denied"), ("error_description", "no")]);
    assert_eq!(
        paste("localhost:1455/cb?error=access_denied&error_description=no"),
        Pasted::Query(error)
    );
    assert_eq!(
        paste(" ac_1.x-\ny= \n"),
        Pasted::BareCode("ac_1.x-y=".into())
    );
    assert_eq!(paste("'4/0Ab_c'"), Pasted::BareCode("4/0Ab_c".into()));
    for text in [
        "",
        " \n",
        "what now",
        "ab#",
        REQUEST,
        "https://example.com/",
        "localhost:1455/auth/callback",
        "localhost:1455/auth/callback?state=s",
        "http://localhost:1455/auth/callback?code=&state=s",
        "my_code=abc",
        "xcode=abc",
        "acode%3Dabc",
        "state=s",
        "a?b",
        "a&b",
        "<a",
        "é",
        "ab.",
        "ab^",
        "ab\\",
        "ab%2",
        "ab%ffc",
        "ab%3Fc",
        "ab%26c",
        "code=",
        "error=\0\0",
        "my-state==",
        "co%64e=",
        "ab%0ac",
        "localhost/cb?code=a^b&state=s",
        "localhost/cb?code=a\\b&state=s",
        "localhost/cb?code=a=\nb&state=s",
        "localhost/cb?code=ab%2&state=s",
        "localhost/cb?code=a\u{e9}&state=s",
        "localhost/cb?state=s&code=ab?",
    ] {
        assert!(matches!(paste(text), Pasted::Invalid(_)), "{text}");
    }
}

#[test]
fn an_answer_inside_another_url_is_found() {
    for text in [
        "https://www.google.com/url?q=http%3A%2F%2Flocalhost%2Fcb%3Fcode%3Da%252Fb%26state%3Ds&sa=D",
        "https://eu.safelinks.example/?url=http%3A%2F%2Flocalhost%2Fcb%3Fcode%3Da%252Fb%26state%3Ds\
         &data=05%7C02&reserved=0",
        "https://www.google.com/url?q=http://localhost/cb?code=a%2Fb&state=s&sa=D",
        "https://l.example/?u=https%3A%2F%2Fl2.example%2F%3Fu%3Dhttp%253A%252F%252Flocalhost%252Fcb\
         %253Fcode%253Da%25252Fb%2526state%253Ds",
    ] {
        let Pasted::Query(found) = Pasted::parse(text) else {
            panic!("{text}");
        };
        let value = |name: &str| {
            let pair = found.iter().find(|(other, _)| other == name);
            pair.map(|(_, value)| value.expose().as_str())
        };
        assert_eq!(
            (value("code"), value("state")),
            (Some("a/b"), Some("s")),
            "{text}"
        );
    }
}

#[test]
fn a_bare_code_is_sent_once_and_as_it_was_issued() {
    let code = "ac_1.x-y8901";
    for text in [
        code.to_owned(),
        format!("{code}\n{code}"),
        format!("{code}{code}"),
        format!("{code} {code} {code}"),
        format!("\u{1b}[200~{code}\u{1b}[201~"),
    ] {
        assert_eq!(
            Pasted::parse(&text),
            Pasted::BareCode(code.into()),
            "{text}"
        );
    }
    assert_eq!(
        Pasted::parse("4%2F0Ab_c"),
        Pasted::BareCode("4/0Ab_c".into())
    );
}
