//! A person at a browser without scripts: redirects, cookies and two forms.

use std::collections::BTreeMap;

use url::Url;

use crate::support::http::{Answer, send};

/// Someone with a browser session of their own.
#[derive(Default)]
pub(super) struct Person {
    cookies: BTreeMap<String, String>,
}

/// The page at the end of the redirects.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) body: String,
}

impl Person {
    /// Signs in as `who`, and says `yes` or `no` to the consent page.
    pub(super) fn log_in(&mut self, url: &str, who: &str, answer: &str) -> Shown {
        let sign_in = self.go("GET", &Url::parse(url).unwrap(), "");
        self.sign_in(&sign_in, who, answer)
    }

    fn sign_in(&mut self, sign_in: &Shown, who: &str, answer: &str) -> Shown {
        assert!(sign_in.body.contains("<h1>Sign in</h1>"), "{sign_in:?}");
        let filled = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("login", who)
            .append_pair("answer", "yes")
            .finish();
        let consent = self.go("POST", &sign_in.url, &filled);
        assert!(consent.body.contains("<h1>Authorize</h1>"), "{consent:?}");
        self.go("POST", &consent.url, &format!("answer={answer}"))
    }

    /// Opens a complete verification address, and says `confirm` or `abort` to the code that it
    /// shows; the page after that.
    pub(super) fn answer_code(&mut self, url: &str, answer: &str) -> Shown {
        let opened = self.go("GET", &Url::parse(url).unwrap(), "");
        // A script would send this form at once.
        let page = opened.url.join("/device").unwrap();
        let (xsrf, code) = (
            hidden(&opened.body, "xsrf"),
            hidden(&opened.body, "user_code"),
        );
        let form = |more: &str| format!("xsrf={xsrf}&user_code={code}{more}");
        let confirm = self.go("POST", &page, &form(""));
        assert!(confirm.body.contains(&code), "{confirm:?}");
        self.go("POST", &page, &form(&format!("&{answer}=yes")))
    }

    /// The same, and signs in and agrees as in [`Person::log_in`].
    pub(super) fn approve(&mut self, url: &str, who: &str) -> Shown {
        let sign_in = self.answer_code(url, "confirm");
        self.sign_in(&sign_in, who, "yes")
    }

    fn go(&mut self, method: &str, url: &Url, form: &str) -> Shown {
        let (mut url, mut answer) = (url.clone(), self.send(method, url, form));
        for _ in 0..10 {
            let Some(next) = answer.all("location").next() else {
                break;
            };
            url = url.join(next).unwrap();
            answer = self.send("GET", &url, "");
        }
        Shown {
            url,
            status: answer.status,
            body: answer.body,
        }
    }

    fn send(&mut self, method: &str, url: &Url, form: &str) -> Answer {
        // The server is at 127.0.0.1; our callback at `localhost` gets and sets no cookie.
        let servers = url.host_str() == Some("127.0.0.1");
        let cookies = self.cookies.iter().filter(|_| servers);
        let cookies: Vec<_> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut fields = "Content-Type: application/x-www-form-urlencoded\r\n".to_owned();
        if !cookies.is_empty() {
            fields.push_str(&format!("Cookie: {}\r\n", cookies.join("; ")));
        }
        let answer = send(method, url, &fields, form);
        for cookie in answer.all("set-cookie") {
            assert!(servers, "{url} sets a cookie");
            let pair = cookie.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
            // An empty value comes with a date in the past.
            self.cookies.retain(|_, value| !value.is_empty());
        }
        answer
    }
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&start).expect(page);
    rest.split('"').next().unwrap().to_owned()
}
