//! Embedders that ask a server: no text is asked for twice but those in flight when a run is killed.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::DEADLINE;
use crate::world::World;

#[path = "../../../../operators/examples/embed_server.rs"]
mod embed_server;

/// Texts of a request, and requests at a time.
const BATCH: u64 = 4;
const CONCURRENCY: u64 = 3;

pub(crate) struct EmbedServer {
    address: String,
}

impl EmbedServer {
    /// Starts a server that takes 20 ms for an answer; it ends with the tests.
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let args = ["--port", &port.to_string(), "--slow", "20"].map(str::to_owned);
        std::thread::spawn(move || embed_server::serve(&args).unwrap());
        let server = Self { address: format!("127.0.0.1:{port}") };
        let started = Instant::now();
        while TcpStream::connect(&server.address).is_err() {
            assert!(started.elapsed() < DEADLINE, "the server does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    /// How many texts it was asked for.
    fn texts(&self) -> u64 {
        self.counts()["texts"].as_u64().unwrap()
    }

    /// What it counted.
    pub(crate) fn counts(&self) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(b"GET /counts HTTP/1.1\r\n\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }
}

pub(crate) fn job(server: &EmbedServer, mode: &str) -> String {
    let stages =
        [("read", "read", "source"), ("hash", "hash", "read"), ("parse", "parse", "hash"), ("chunk", "chunk", "parse")];
    let mut job = format!("[job]\nmode = \"{mode}\"\n");
    for (name, operator, input) in stages {
        job += &format!("[[stage]]\nname = \"{name}\"\noperator = \"{operator}\"\ninput = \"{input}\"\n");
    }
    job += &format!(
        "[[stage]]\nname = \"embed\"\noperator = \"http\"\ninput = \"chunk\"\nurl = \"http://{}/v1\"\n\
         model = \"static-code\"\ndimension = 256\nbatch_texts = {BATCH}\nconcurrency = {CONCURRENCY}\n",
        server.address
    );
    job + "[[stage]]\nname = \"lance\"\nsink = \"lance\"\ninput = [\"parse\", \"embed\"]\n"
}

#[test]
fn a_killed_run_asks_again_for_what_was_in_flight() {
    const KILLS: u64 = 5;
    for mode in ["sequential", "parallel", "pipeline"] {
        let (world, server) = (World::new(), EmbedServer::start());
        for file in 0..240 {
            let body: String =
                (0..3).map(|nth| format!("pub fn f{file}_{nth}() -> u32 {{\n    {file}{nth}\n}}\n\n")).collect();
            world.write(&format!("{file}.rs"), body);
        }
        let path = world.folder.path().join("job.toml");
        std::fs::write(&path, job(&server, mode)).unwrap();
        let path = path.to_str().unwrap();
        let (mut asked_again, mut before) = (0, 0);
        for _ in 0..KILLS {
            let mut command = world.run_command(&["--quiet", path]);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let started = Instant::now();
            while server.texts() < before + 2 * CONCURRENCY * BATCH && child.try_wait().unwrap().is_none() {
                assert!(started.elapsed() < DEADLINE, "{mode}: it asks for nothing");
            }
            child.kill().unwrap();
            child.wait().unwrap();
            before = server.texts();
            asked_again += CONCURRENCY * BATCH;
        }
        let (report, _) = world.run(&[path]);
        let work = &report["work"];
        let all = ["embedded", "recovered"].map(|how| work[format!("passages_{how}")].as_u64().unwrap());
        let distinct: u64 = all.iter().sum();
        let twice = server.texts() - distinct;
        assert!(distinct >= 240 && all[1] > 0, "{mode}: {work:#}");
        assert!(twice <= asked_again, "{mode}: {twice} texts were asked for twice, of {distinct}");
        let of_last = work["passages_asked_again"].as_u64().unwrap();
        assert!((1..=CONCURRENCY * BATCH * KILLS).contains(&of_last), "{mode}: {of_last}");
        assert!(world.index().join("journal").read_dir().unwrap().next().is_none(), "{mode}: the journal is left");
    }
}
