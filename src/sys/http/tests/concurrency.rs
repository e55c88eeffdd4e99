use super::*;

/// None of them is answered before all have come.
#[test]
fn requests_of_several_threads_are_under_way_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let all: Vec<TcpStream> = (0..16).map(|_| listener.accept().unwrap().0).collect();
        for mut stream in all {
            read_head(&mut stream);
            let text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
            stream.write_all(text).unwrap();
        }
    });
    let http = SystemHttp::new(FixedEnv::default());
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(http.send(&get(&url)).unwrap().status, 200));
        }
    });
    server.join().unwrap();
}
