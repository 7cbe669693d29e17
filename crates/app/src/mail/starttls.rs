//! STARTTLS (RFC 3207): what is said before the connection is encrypted.

use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Of one reply, all lines together.
const MOST: usize = 16 * 1024;

/// Brings the server to the point where the next byte is one of TLS. Whatever it says before that
/// is believed for nothing else, and bytes behind its last reply end the connection: somebody in
/// between may have put them there (RFC 3207 §6).
pub(super) async fn ask(stream: &mut TcpStream, hello: &str) -> io::Result<()> {
    let mut talk = Talk {
        stream,
        heard: Vec::new(),
    };
    talk.expect("220").await?;
    talk.say(&format!("EHLO {hello}\r\n")).await?;
    let offers = talk.expect("250").await?;
    let mut offers = offers.lines().filter_map(|line| line.get(4..));
    if !offers.any(|offer| offer.trim().eq_ignore_ascii_case("STARTTLS")) {
        return Err(io::Error::other("the server has no STARTTLS"));
    }
    talk.say("STARTTLS\r\n").await?;
    talk.expect("220").await?;
    if talk.heard.is_empty() {
        Ok(())
    } else {
        Err(io::Error::other("something was said ahead of TLS"))
    }
}

struct Talk<'a> {
    stream: &'a mut TcpStream,
    /// What arrived and is no part of a reply yet.
    heard: Vec<u8>,
}

impl Talk<'_> {
    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(line.as_bytes()).await
    }

    /// The next reply (RFC 5321 §4.2), which must have this code.
    async fn expect(&mut self, code: &str) -> io::Result<String> {
        loop {
            if let Some(end) = end_of_reply(&self.heard) {
                let reply: Vec<u8> = self.heard.drain(..end).collect();
                let reply = String::from_utf8_lossy(&reply).into_owned();
                return if reply.lines().all(|line| line.starts_with(code)) {
                    Ok(reply)
                } else {
                    Err(io::Error::other("the server refused"))
                };
            }
            if self.heard.len() > MOST || self.stream.read_buf(&mut self.heard).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Where a reply ends: behind the line without a `-` after its code.
fn end_of_reply(heard: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in heard.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if line.last() == Some(&b'\n') && line.get(3) != Some(&b'-') {
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// What is made of a server that says these things, one after the other.
    async fn asked(says: &'static [&'static str]) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for (n, says) in says.iter().enumerate() {
                // The first one is said to nobody's question.
                if n > 0 && stream.read(&mut [0; 512]).await.unwrap() == 0 {
                    return;
                }
                stream.write_all(says.as_bytes()).await.unwrap();
            }
        });
        let mut stream = TcpStream::connect(address).await.unwrap();
        let done = ask(&mut stream, "quay.example").await;
        drop(stream);
        server.await.unwrap();
        done
    }

    #[tokio::test]
    async fn only_a_server_that_offers_it_and_says_nothing_ahead_gets_to_tls() {
        let hello = "250-mail.example\r\n250-PIPELINING\r\n250 starttls\r\n";
        let cases: [(&'static [&'static str], bool); 6] = [
            (
                &[
                    "220-a\r\n220 b\r\n",
                    "250-m\r\n250 STARTTLS\r\n",
                    "220 go\r\n",
                ],
                true,
            ),
            (
                &[
                    "220 a\r\n",
                    "250-m\r\n250 STARTTLS\r\n",
                    "220 go\r\n250 m\r\n",
                ],
                false,
            ),
            (&["220 a\r\n", "250-m\r\n250 PIPELINING\r\n"], false),
            (
                &["220 a\r\n", "250-m\r\n250 STARTTLS\r\n", "454 no\r\n"],
                false,
            ),
            (&["554 no\r\n"], false),
            (&["220 a"], false),
        ];
        for (says, good) in cases {
            assert_eq!(asked(says).await.is_ok(), good, "{says:?}");
        }
        assert_eq!(end_of_reply(hello.as_bytes()), Some(hello.len()));
        assert_eq!(end_of_reply(b"250-a\r\n250"), None);
    }
}
