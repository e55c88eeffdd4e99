//! A gateway that says what a test wrote down, to whoever comes, and keeps what it was asked.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The running server; it ends with the tests.
pub(crate) struct StandInGateway {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl StandInGateway {
    /// Answers with this status and a JSON body.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::answering(status, "application/json", "", body)
    }

    /// Answers with these; `fields` are whole lines of the head.
    pub(crate) fn answering(status: u16, content_type: &str, fields: &str, body: &str) -> Self {
        let length = body.len();
        Self::raw(format!(
            "HTTP/1.1 {status} Any\r\ncontent-type: {content_type}\r\n\
             content-length: {length}\r\n{fields}\r\n{body}"
        ))
    }

    /// Answers with these bytes, and ends the connection.
    pub(crate) fn raw(answer: String) -> Self {
        Self::serving(move |stream| {
            // Who has read enough of a long answer has gone.
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    /// Begins an answer, and never goes on.
    pub(crate) fn stuck() -> Self {
        Self::serving(|stream| {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{\"auth";
            stream.write_all(head.as_bytes()).unwrap();
            // Whoever waits goes first.
            let _ = stream.read(&mut [0]);
        })
    }

    fn serving(answer: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                kept.lock().unwrap().push(read(&mut stream));
                answer(&mut stream);
            }
        });
        Self { port, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// All requests, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A request: its head, and as many bytes as that says.
fn read(stream: &mut TcpStream) -> String {
    let limit = Some(Duration::from_secs(60));
    stream.set_read_timeout(limit).unwrap();
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
    }
    let mut request = String::from_utf8(request).unwrap();
    let mut fields = request.lines().filter_map(|line| line.split_once(": "));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |(_, length)| length.parse().unwrap());
    let mut body = stream.take(length);
    body.read_to_string(&mut request).unwrap();
    request
}
