//! A way to a server that can be cut: what a failing network does to connections.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Stands between nodes and their server.
pub(crate) struct Proxy {
    address: String,
    /// What was last done to all connections there were, and how often something was.
    done: watch::Sender<(usize, Harm)>,
}

#[derive(Clone, Copy)]
enum Harm {
    Cut,
    Silence,
}

impl Proxy {
    /// In front of a server of this machine.
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address").to_string();
        let (done, _) = watch::channel((0, Harm::Cut));
        let harm = done.clone();
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(carry(caller, port, harm.subscribe()));
            }
        });
        Self { address, done }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Cuts every connection there is, in the middle of whatever goes over it; new ones are made.
    pub(crate) fn cut(&self) {
        self.harm(Harm::Cut);
    }

    /// Carries nothing more over any connection there is, as when the machine on the other side is
    /// gone and nobody says so; new ones are made.
    pub(crate) fn silence(&self) {
        self.harm(Harm::Silence);
    }

    fn harm(&self, harm: Harm) {
        self.done.send_modify(|(times, last)| {
            *times += 1;
            *last = harm;
        });
    }
}

async fn carry(mut caller: TcpStream, port: u16, mut harm: watch::Receiver<(usize, Harm)>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut caller, &mut server) => return,
        _ = harm.changed() => {}
    }
    let done = harm.borrow().1;
    match done {
        Harm::Cut => {
            // Neither side is told goodbye.
            let _ = caller.set_zero_linger();
            let _ = server.set_zero_linger();
        }
        Harm::Silence => std::future::pending().await,
    }
}
