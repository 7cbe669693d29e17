//! SMTP (RFC 5321), with TLS from the start (RFC 8314) or by STARTTLS (RFC 3207).
//!
//! A connection for each mail: mails are few, and servers close idle connections.

use super::{Letter, MailSettings, starttls};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use quaymaster_core::{Code, Fault};
use quaymaster_egress::{Egress, Policy, TlsStream};
use secrecy::{ExposeSecret as _, SecretString};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use url::Url;

/// Whoever made an invitation waits for this.
const WITHIN: Duration = Duration::from_secs(20);

/// Sends mail through the operator's server.
pub(crate) struct Mailer {
    host: String,
    port: u16,
    security: Security,
    account: Option<Account>,
    from: Mailbox,
    hello: ClientId,
    /// Of its own: that the operator's mail server may be reached lets nobody else reach it.
    egress: Egress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// TLS before anything is said.
    Implicit,
    /// TLS by STARTTLS, or no mail.
    StartTls,
    Plain,
}

struct Account {
    user: String,
    password: SecretString,
}

impl Mailer {
    /// Reads the settings; nothing is connected yet.
    pub(crate) fn new(settings: &MailSettings) -> Result<Self, Fault> {
        let wrong = |message: String| Fault::new(Code::InvalidArg, message);
        let from: Mailbox = settings.from.parse().map_err(|_| {
            wrong(
                "mail.from is not an address, for example Quaymaster <quaymaster@example.com>"
                    .into(),
            )
        })?;
        let url = Url::parse(settings.smtp_url.expose_secret())
            .map_err(|_| wrong("mail.smtp_url is not a URL".into()))?;
        let tls = url.query_pairs().find(|(name, _)| name == "tls");
        let (security, port) = match (url.scheme(), tls.as_ref().map(|(_, value)| &**value)) {
            ("smtps", None) => (Security::Implicit, 465),
            ("smtp", Some("required")) => (Security::StartTls, 587),
            ("smtp", None) => (Security::Plain, 25),
            _ => {
                return Err(wrong(
                    "mail.smtp_url is smtps://host:465, smtp://host:587?tls=required or smtp://host:25"
                        .into(),
                ));
            }
        };
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| wrong("mail.smtp_url names no host".into()))?
            .trim_matches(['[', ']'])
            .to_owned();
        let account = account_of(&url).map_err(wrong)?;
        if account.is_some() && security == Security::Plain && !is_loopback(&host) {
            return Err(wrong(
                "mail.smtp_url has a password and no TLS; use smtps:// or ?tls=required".into(),
            ));
        }
        let port = url.port().unwrap_or(port);
        let bracketed = if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        let egress = Policy::configured(&[bracketed], settings.ca_file.as_deref())
            .and_then(Egress::new)
            .map_err(|error| wrong(format!("mail.smtp_url: {error}")))?;
        Ok(Mailer {
            egress,
            host,
            port,
            security,
            account,
            hello: ClientId::Domain(from.email.domain().to_owned()),
            from,
        })
    }

    /// Sends one mail. `id` makes its `Message-ID`. The error is a sentence for whoever asked.
    pub(crate) async fn send(&self, to: &str, id: &str, letter: Letter) -> Result<(), String> {
        let message = self.message(to, id, letter)?;
        match tokio::time::timeout(WITHIN, self.hand_over(&message)).await {
            Ok(done) => done,
            Err(_) => Err(format!("The mail server {} took too long.", self.host)),
        }
    }

    fn message(&self, to: &str, id: &str, letter: Letter) -> Result<Message, String> {
        let no_address = |_| "The address cannot be mailed.".to_owned();
        let to = Mailbox::new(None, to.parse().map_err(no_address)?);
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject)
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            // Nobody's vacation answers it (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text)
            .map_err(|_| "The mail could not be written.".to_owned())
    }

    async fn hand_over(&self, message: &Message) -> Result<(), String> {
        let silent = |_| format!("The mail server {} does not answer.", self.host);
        let stream = self.egress.connect(&self.host, self.port).await;
        let stream = stream.map_err(silent)?;
        let mut server = self.greet(stream).await?;
        if let Some(account) = &self.account {
            let password = account.password.expose_secret().to_owned();
            let credentials = Credentials::new(account.user.clone(), password);
            server
                .auth(DEFAULT_MECHANISMS, &credentials)
                .await
                // Without the server's words, which may repeat what it was told.
                .map_err(|_| format!("The mail server {} refused the sign-in.", self.host))?;
        }
        let refused = |error: lettre::transport::smtp::Error| {
            let text: String = error.to_string().chars().take(200).collect();
            format!("The mail server {} refused it ({text}).", self.host)
        };
        let bytes = message.formatted();
        let sent = server.send(message.envelope(), &bytes).await;
        sent.map_err(refused)?;
        // It has the mail: how the connection ends does not matter.
        let _ = server.quit().await;
        Ok(())
    }

    /// Up to the point where the server may be told secrets.
    async fn greet(&self, mut stream: TcpStream) -> Result<AsyncSmtpConnection, String> {
        let insecure = |error: io::Error| {
            tracing::debug!(host = %self.host, %error, "no TLS with the mail server");
            format!(
                "The mail server {} has no TLS that can be trusted.",
                self.host
            )
        };
        let encrypt = async |stream| {
            let encrypted = self.egress.encrypt(&self.host, stream).await;
            encrypted.map_err(|error| insecure(io::Error::other(error)))
        };
        let stream: Box<dyn AsyncTokioStream> = match self.security {
            Security::Plain => Box::new(stream),
            Security::Implicit => Box::new(Encrypted {
                stream: encrypt(stream).await?,
                said: b"",
            }),
            Security::StartTls => {
                let hello = self.hello.to_string();
                let asked = starttls::ask(&mut stream, &hello).await;
                asked.map_err(insecure)?;
                Box::new(Encrypted {
                    stream: encrypt(stream).await?,
                    said: GREETING,
                })
            }
        };
        AsyncSmtpConnection::connect_with_transport(stream, &self.hello)
            .await
            .map_err(|_| format!("The mail server {} did not greet.", self.host))
    }
}

fn account_of(url: &Url) -> Result<Option<Account>, String> {
    let Some(password) = url.password() else {
        return Ok(None);
    };
    let plain = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| "mail.smtp_url has a user or password that is not UTF-8".to_owned())
    };
    Ok(Some(Account {
        user: plain(url.username())?,
        password: plain(password)?.into(),
    }))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// After STARTTLS all begins anew but for the greeting (RFC 3207 §4.2), which is waited for.
const GREETING: &[u8] = b"220 encrypted\r\n";

/// A stream that is encrypted before the conversation begins.
#[derive(Debug)]
struct Encrypted {
    stream: TlsStream,
    /// Read ahead of what the server says.
    said: &'static [u8],
}

impl AsyncTokioStream for Encrypted {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().0.peer_addr()
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.said.is_empty() {
            let (now, later) = self.said.split_at(self.said.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.said = later;
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<Mailer, String> {
        let settings = MailSettings {
            smtp_url: url.to_owned().into(),
            from: "Quay <quay@example.com>".to_owned(),
            ca_file: None,
        };
        Mailer::new(&settings).map_err(|fault| fault.message)
    }

    #[test]
    fn the_address_of_the_server_says_how_it_is_spoken_to() {
        for (url, host, port, security) in [
            (
                "smtps://u:p@mail.example.com",
                "mail.example.com",
                465,
                Security::Implicit,
            ),
            (
                "smtps://mail.example.com:1465",
                "mail.example.com",
                1465,
                Security::Implicit,
            ),
            (
                "smtp://u:p@mail.example.com?tls=required",
                "mail.example.com",
                587,
                Security::StartTls,
            ),
            (
                "smtp://mail.example.com",
                "mail.example.com",
                25,
                Security::Plain,
            ),
            ("smtp://u:p@[::1]:2525", "::1", 2525, Security::Plain),
        ] {
            let mailer = read(url).unwrap();
            let found = (&*mailer.host, mailer.port, mailer.security);
            assert_eq!(found, (host, port, security), "{url}");
        }
        let account = read("smtps://a%40b:p%2Fw@mail.example.com")
            .unwrap()
            .account;
        let account = account.unwrap();
        assert_eq!(account.user, "a@b");
        assert_eq!(account.password.expose_secret(), "p/w");
    }

    #[test]
    fn a_password_never_travels_in_clear_and_is_in_no_message() {
        for url in [
            "smtp://u:hidden@mail.example.com",
            "smtp://u:hidden@mail.example.com?tls=none",
            "http://u:hidden@mail.example.com",
            "u:hidden",
            "smtps://u:hidden%FF@mail.example.com",
        ] {
            let error = read(url).err().unwrap();
            assert!(!error.contains("hidden"), "{error}");
        }
        let settings = MailSettings {
            smtp_url: "smtps://u:hidden@mail.example.com".to_owned().into(),
            from: "quay@example.com".to_owned(),
            ca_file: None,
        };
        assert!(!format!("{settings:?}").contains("hidden"));
    }

    #[test]
    fn a_mail_is_plain_text_and_no_name_adds_a_header() {
        let mailer = read("smtp://localhost").unwrap();
        let letter = Letter {
            subject: "Join Har\r\nBcc: eve@example.com".to_owned(),
            text: "Grüße\n".to_owned(),
        };
        let message = mailer.message("bo@example.com", "evt_1", letter).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        for line in [
            "From: Quay <quay@example.com>",
            "To: bo@example.com",
            "Message-ID: <evt_1@example.com>",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(head.contains(line), "{line}: {head}");
        }
        let letter = Letter {
            subject: String::new(),
            text: String::new(),
        };
        assert!(mailer.message("a b@@", "evt_1", letter).is_err());
    }
}
