//! A way to a server that can be cut: what a failing network does to connections.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Stands between nodes and their server.
pub(crate) struct Proxy {
    address: String,
    /// How often everybody was cut off.
    cuts: watch::Sender<usize>,
}

impl Proxy {
    /// In front of a server of this machine.
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let (cuts, _) = watch::channel(0);
        let cut = cuts.clone();
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(carry(caller, port, cut.subscribe()));
            }
        });
        Self { address, cuts }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Cuts every connection there is, in the middle of whatever goes over it; new ones are made.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn carry(mut caller: TcpStream, port: u16, mut cut: watch::Receiver<usize>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut caller, &mut server) => {}
        _ = cut.changed() => {
            // Neither side is told goodbye.
            let _ = caller.set_zero_linger();
            let _ = server.set_zero_linger();
        }
    }
}
