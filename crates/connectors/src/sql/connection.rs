//! The bytes between us and a server: counted, and encrypted where that is asked for.
//!
//! The protocol's library takes a message of any length into memory. What comes is therefore counted here, below it.

use quaymaster_egress::{Egress, EgressError};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// What the protocol and encryption need besides an answer's values.
const BESIDES: usize = 256 * 1024;
/// A value of few bytes takes more with its length and its row around it.
const AROUND: usize = 4;

/// A connection that reads only so much.
pub(super) struct Counted<S> {
    stream: S,
    left: usize,
}

/// More came than might.
#[derive(Debug, thiserror::Error)]
#[error("the answer is too large")]
pub(super) struct TooLarge;

impl<S> Counted<S> {
    /// For an answer of at most so many bytes.
    pub(super) fn new(stream: S, most: usize) -> Self {
        Counted {
            stream,
            left: most.saturating_mul(AROUND).saturating_add(BESIDES),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, to))?;
        let came = to.filled().len() - before;
        match self.left.checked_sub(came) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Ok(()))
            }
            None => Poll::Ready(Err(io::Error::other(TooLarge))),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
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

impl TlsStream for Counted<quaymaster_egress::TlsStream> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

/// Encrypts as the house does.
pub(super) struct Tls<'e> {
    pub(super) egress: &'e Egress,
    pub(super) host: &'e str,
    /// Bytes of an answer.
    pub(super) most: usize,
}

impl<'e> TlsConnect<Counted<TcpStream>> for Tls<'e> {
    type Stream = Counted<quaymaster_egress::TlsStream>;
    type Error = EgressError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, EgressError>> + Send + 'e>>;

    fn connect(self, plain: Counted<TcpStream>) -> Self::Future {
        Box::pin(async move {
            let encrypted = self.egress.encrypt(self.host, plain.stream).await?;
            Ok(Counted::new(encrypted, self.most))
        })
    }
}
