//! Many clients, slow and silent ones: the browser is served all the same.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use super::{PATIENCE, follow, login, open, redirect, status, stored};

#[test]
fn slow_and_silent_clients_hold_up_nobody_and_are_told() {
    let mut listening = open("127.0.0.1");
    let port = listening.port();
    let mut slow: Vec<TcpStream> = (0..8)
        .map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap())
        .collect();
    slow[0]
        .write_all(b"GET /auth/callback HTTP/1.1\r\n")
        .unwrap();
    let (_, answer) = login(listening.as_mut(), "127.0.0.1", "code=a", stored());
    assert_eq!(status(&answer), 200);
    // The good one was served while these still had nothing.
    slow[0].set_nonblocking(true).unwrap();
    let early = slow[0].read(&mut [0]).unwrap_err();
    assert_eq!(early.kind(), std::io::ErrorKind::WouldBlock);
    slow[0].set_nonblocking(false).unwrap();

    for stream in &mut slow {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(status(&answer), 408);
    }
}

/// None of them has to end, or to wait for its limit, before the browser is served.
#[test]
fn a_browser_is_served_behind_any_number_of_silent_clients() {
    let mut listening = open("127.0.0.1");
    let port = listening.port();
    let mut idle: Vec<TcpStream> = (0..160)
        .map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap())
        .collect();
    let (_, answer) = login(listening.as_mut(), "127.0.0.1", "code=a", stored());
    assert_eq!(status(&answer), 200);
    // The longest silent ones lost their places, without a word.
    let mut first = idle.swap_remove(0);
    first.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(first.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_client_that_waits_for_its_answer_keeps_its_place() {
    let mut listening = open("127.0.0.1");
    let port = listening.port();
    let request = redirect(port, "code=a");
    let client = thread::spawn(move || follow(("127.0.0.1", port), &request));
    let arrival = listening.next(PATIENCE).unwrap();
    let idle: Vec<TcpStream> = (0..160)
        .map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap())
        .collect();
    arrival.answer(stored());
    assert_eq!(status(&client.join().unwrap()), 200);
    drop(idle);
}
