//! As much HTTP as the tests speak to servers on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use url::Url;

/// An answer: status, header fields, body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// The values of a header field, which may stand more than once.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let fields = self.fields.iter();
        let named = fields.filter(move |(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }
}

/// Sends one request; `fields` are lines of the head. No server here answers in chunks.
pub(crate) fn send(method: &str, url: &Url, fields: &str, body: &str) -> Answer {
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect((host, port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(120)))
        .unwrap();
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n{fields}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    read(BufReader::new(stream))
}

/// By its length: not every server closes when it is asked to.
fn read(mut stream: BufReader<TcpStream>) -> Answer {
    let mut head = Vec::new();
    while !matches!(head.last().map(String::as_str), Some("\r\n")) {
        let mut line = String::new();
        assert_ne!(stream.read_line(&mut line).unwrap(), 0, "{head:?}");
        head.push(line);
    }
    let status = head[0].split(' ').nth(1).unwrap().parse().unwrap();
    let fields = head.iter().filter_map(|line| line.split_once(':'));
    let fields = fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    let mut answer = Answer {
        status,
        fields: fields.collect(),
        body: String::new(),
    };
    let length = answer.all("content-length").next().unwrap();
    let length = length.parse().unwrap();
    stream
        .take(length)
        .read_to_string(&mut answer.body)
        .unwrap();
    answer
}
