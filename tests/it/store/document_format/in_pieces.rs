//! Documents that are only looked at: read in pieces, and what they hold when they are read whole.

use std::fs;
use std::path::Path;

use crate::security::random_inputs::targets::pieces::check;

/// The documents whose reading in pieces is enough, each in every place where it may be cut.
#[test]
fn a_document_says_the_same_in_pieces() {
    let token = r#""type":"token","provider":"anthropic","token":"t""#;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let text = format!(
        r#" {{ "version" : 1, "x":[{{}},[],[1,-0.5e+3,1e999,{{"a":null}}],true,false], "profiles":{{
            "a:1":{{{token}}}, "\u0061:2" : {{{token},"x":"\\\"\ud800"}}, " a:1":{{{token}}}, "a:1 ":5,
            "a:3":{{{token}}}, "anthropic:default":{{{token},"deep":{deep}}}, "b":[], "c":{{"provider":"z.ai"}},
            "a:3":{{"type":"api_key","provider":"groq","key":"k"}}, "c":{{{token}}}, "a:2":{{{token}}}
        }}, "order":{{"anthropic":["a:2"]}}, "usageStats":{{"a:1":{{"lastUsed":1}}}}, "x":"\u00e9" }}
        "#
    );
    for text in [
        "{}",
        "\u{feff} {\"profiles\":{}}",
        r#"{"order":{},"profiles" : { } ,"order":{"a":["b"]}}"#,
        &text,
    ] {
        assert!(check(text.as_bytes()));
    }
    // In a string, and in a name.
    let odd = text.replace("\"x\":\"\\u00e9\"", "\"x\":\"\u{e9}\"");
    let odd: Vec<u8> = odd.replace("a:1 ", "a:1\u{e9}").into_bytes();
    let odd: Vec<u8> = odd.into_iter().filter(|byte| *byte != 0xa9).collect();
    assert!(String::from_utf8(odd.clone()).is_err() && check(&odd));
}

/// Secrets that are long enough to be left out where they are only looked at, and some that somebody has
/// to judge.
#[test]
fn what_is_looked_at_is_judged_like_what_is_held() {
    let long = "x".repeat(300);
    let secrets = [
        long.clone(),
        format!("eyJ{long}"),
        format!(" {long}"),
        format!("'{long}'"),
        format!("Bearer {long}"),
        format!("$X{}", long.to_uppercase()),
        format!("${{{long}}}"),
        format!("{long}\\n{long}"),
        format!("{long}\u{7f}{long}"),
        format!("{long}\u{e9}"),
        "\\u200b".repeat(300),
    ];
    let entries = secrets.iter().enumerate().map(|(n, secret)| {
        format!(
            r#""a:{n}":{{"type":"token","provider":"anthropic","token":"{secret}"}},
            "k:{n}":{{"type":"api_key","provider":"groq","key":"{secret}"}},
            "o:{n}":{{"type":"oauth","provider":"openai-codex","access":"{secret}","refresh":"{secret}"}}"#
        )
    });
    let entries = entries.collect::<Vec<_>>().join(",");
    assert!(check(
        format!(r#"{{"version":1,"profiles":{{{entries}}}}}"#).as_bytes()
    ));
}

#[test]
fn what_is_odd_is_read_whole() {
    for text in [
        "",
        "x",
        "[]",
        "{} x",
        "{\"profiles\":{}",
        "{\"profiles\":[]}",
        "{\"profiles\":{},\"profiles\":{}}",
        "{\"profiles\":{\"a\":01}}",
        "{\"profiles\":{\"a\":1.}}",
        "{\"profiles\":{\"a\":-}}",
        "{\"profiles\":{\"a\":1e}}",
        "{\"profiles\":{\"a\":[1,]}}",
        "{\"profiles\":{\"a\":{\"b\":1,}}}",
        "{\"profiles\":{\"a\":{\"b\"}}}",
        "{\"profiles\":{\"a\":1,}}",
        "{\"profiles\":{\"a\":tru}}",
        "{\"profiles\":{\"a\":\"\n\"}}",
        "{\"profiles\":{\"a\":\"\\x\"}}",
        "{\"profiles\":{\"a\":\"\\u12g4\"}}",
        "{\"profiles\":{\"\\ud800\":1}}",
        "{\"profiles\":{\"a\":[}}",
        "{\"profiles\":{\"a\":{]}}",
        "{\"profiles\" {}}",
        "\u{feff}\u{feff}{}",
        "{\0}",
    ] {
        assert!(!check(text.as_bytes()), "{text}");
    }
}

/// Every document of the corpus as it is; two of them cut off after every byte, and with every byte
/// replaced.
#[test]
fn a_damaged_document_is_damaged_in_pieces_too() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/document");
    let mut enough = 0;
    for file in fs::read_dir(&corpus).unwrap() {
        enough += usize::from(check(&fs::read(file.unwrap().path()).unwrap()));
    }
    assert!(enough > 10, "{enough}");
    for name in ["unknown-fields-auth-profiles", "spellings"] {
        let bytes = fs::read(corpus.join(name)).unwrap();
        for end in 0..bytes.len() {
            check(&bytes[..end]);
            let mut torn = bytes.clone();
            torn[end] = b"\"{}[]:,\\ \xff0"[end % 11];
            check(&torn);
        }
    }
}
