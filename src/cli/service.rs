//! A whole service out of its settings: the one place where the floors are put together. Must never
//! answer a request before everything that it stands on is there.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use duban_core::echo::{echo, echo_path};
use duban_core::name::Name;
use duban_core::system;
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use super::clocked::{self, Clocked};
use super::{Failure, source};
use crate::access::Door;
use crate::activities::Activities;
use crate::catalog::{self, Register};
use crate::clock;
use crate::config::{NodeRole, Settings};
use crate::console::Console;
use crate::engine::{Carrier, Engine, Knowledge, KnowledgeError};
use crate::http::{self, Api, Keys, Pages};
use crate::store::{FileLock, Store};
use crate::vault::Vault;
use crate::wake::{BusError, Presence, Wake};
use crate::{crypto, jobs, telemetry};

/// How long the connections are closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// A service that is ready to run.
pub(super) struct Service {
    pub(super) engine: Engine,
    settings: Settings,
    api: Api,
    door: Door,
    listener: TcpListener,
    clocked: Clocked,
    _lock: Option<FileLock>,
}

impl Service {
    /// Puts everything together and takes the address.
    pub(super) async fn ready(settings: Settings, node: Uuid) -> Result<Self, Failure> {
        // What is wrong with the settings is told before a database is touched.
        let shelf = catalog::shelf(&source(settings.workflows.clone()))?;
        let calendar = catalog::calendar(&source(settings.calendars.clone()))?;
        let register = Register::read(&source(settings.register.clone()))?;
        known(&settings.hotline_agencies, &register)?;
        let activities = Activities::new(&settings.destinations).map_err(Failure::Input)?;
        if settings.redis_url.as_deref().is_some_and(|url| !Wake::is_address(url)) {
            return Err(Failure::Input(BusError.to_string()));
        }
        let folder = settings.attachments.as_deref();
        if let Some(folder) = folder.filter(|path| path.exists() && !path.is_dir()) {
            let folder = echo_path(folder);
            return Err(Failure::Input(format!(
                "附件目录 {folder} 不是目录，请用 --attachments 另行指定"
            )));
        }
        let lock = Store::lock(&settings.database_url)?;
        let (store, _) = Store::migrate(&settings.database_url).await?;
        let clock = clocked::clock(&settings, &store).await?;
        let hotline = settings.hotline_agencies.iter().cloned().collect();
        let knowledge = Knowledge::gather(shelf, calendar, hotline, &store).await;
        let knowledge = knowledge.map_err(|error| match error {
            KnowledgeError::Store(error) => error.into(),
            KnowledgeError::Shelf(_) => Failure::Input(error.to_string()),
            KnowledgeError::Unreadable(_) => Failure::Machine(error.to_string()),
        })?;
        let carrier = carrier(activities, store.clone());
        let measures = telemetry::measure().map_err(|error| Failure::Machine(error.to_string()))?;
        let keys = Keys {
            pseudonyms: store.secret("pseudonyms", crypto::key()).await?,
            stream: store.secret("stream", crypto::key()).await?,
        };
        let presence = presence(&settings, node);
        let wake = match &settings.redis_url {
            None => Wake::default(),
            Some(url) => Wake::between_nodes(url, &store.house().await?, presence.clone())
                .map_err(|error| Failure::Input(error.to_string()))?,
        };
        let engine = Engine::start(store, knowledge, clock, wake, carrier);
        engine.compare_clocks().await;
        for day in engine.altered_publications().await? {
            tracing::warn!(%day, "the notices of this day differ from those that were worked in");
        }
        let vault = vault(&settings)?;
        let api = Api::new(engine.clone(), register, vault, measures, keys, presence, &settings);
        let door = Door::of(engine.store()).await?;
        let listener = listen(settings.listen).await?;
        // Last of all: a start that came to nothing leaves no mark.
        let clocked = Clocked::claim(&settings, (engine.store(), engine.clock()), node).await?;
        Ok(Self { engine, settings, api, door, listener, clocked, _lock: lock })
    }

    /// Where it answers: a node that only works tells there how it is.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Runs until told to stop; what it has in hand is finished.
    pub(super) async fn run(self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let (tell, told) = watch::channel(false);
        let stopped = |mut told: watch::Receiver<bool>| async move {
            let _ = told.wait_for(|told| *told).await;
        };
        let measures = self.api.measures();
        let does_jobs = self.settings.does(NodeRole::Jobs);
        let lanes = async {
            if !does_jobs {
                stopped(told.clone()).await;
                return Ok(());
            }
            jobs::run(self.engine.clone(), stopped(told.clone())).await.map_err(Failure::Machine)
        };
        let requests = async {
            let pages = |api| {
                let proxies = &self.settings.trusted_proxies;
                let console =
                    Console::new(api, self.door, proxies, self.settings.page_max.get().into());
                Pages { routes: console.routes(), missing: console.missing() }
            };
            http::serve(self.listener, self.api, pages, stopped(told.clone())).await;
            Ok(())
        };
        let ending = async {
            tokio::select! {
                () = stop => tracing::info!("stopping: what is in hand is finished first"),
                () = stopped(told.clone()) => {}
            }
            let _ = tell.send(true);
        };
        // Neither ends by itself: whichever does, the service must not go on by halves.
        let early = |ended: Result<(), Failure>| {
            let early = !*told.borrow();
            let _ = tell.send(true);
            if early {
                ended.and(Err(Failure::Machine("服务的一部分意外停止".to_owned())))
            } else {
                ended
            }
        };
        let lanes = async { early(lanes.await) };
        let requests = async { early(requests.await) };
        let committers = async {
            tokio::select! {
                () = self.engine.broken() => early(Ok(())),
                () = self.clocked.lost() => {
                    early(Err(Failure::Machine(clocked::TAKEN_OVER.to_owned())))
                }
                () = stopped(told.clone()) => Ok(()),
            }
        };
        let engine = self.engine.clone();
        let watched = tokio::spawn(async move { engine.watch_clocks().await });
        let kept = tokio::spawn(telemetry::keep(measures));
        let (lanes, requests, committers, ()) = tokio::join!(lanes, requests, committers, ending);
        watched.abort();
        kept.abort();
        self.engine.couriers_back().await;
        self.engine.wake().leave().await;
        self.clocked.give_back().await;
        // A database that does not answer is told nothing more.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.engine.store().close()).await;
        lanes.and(requests).and(committers)
    }
}

/// Whoever misspells the hotline's agency would have it judge itself.
fn known(hotline: &[Name], register: &Register) -> Result<(), Failure> {
    match hotline.iter().find(|code| register.agency(code.as_str()).is_none()) {
        None => Ok(()),
        Some(code) => Err(Failure::Input(format!(
            "配置有误：hotline_agencies：单位名册中没有“{}”",
            echo(code.as_str())
        ))),
    }
}

fn vault(settings: &Settings) -> Result<Vault, Failure> {
    let folder = match &settings.attachments {
        Some(folder) => folder.clone(),
        None => Store::attachments_folder(&settings.database_url)?,
    };
    Vault::open(&folder, clock::wall()).map_err(|error| {
        let why = system::reason(&error);
        Failure::Machine(format!("附件目录 {} 不能使用：{why}", echo_path(&folder)))
    })
}

/// What this node says of itself to the others.
fn presence(settings: &Settings, node: Uuid) -> Presence {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Presence {
        node,
        host: host.trim().to_owned(),
        roles: settings.roles.iter().map(|role| role.word().to_owned()).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: clock::wall(),
        seen_at: clock::wall(),
    }
}

fn carrier(activities: Activities, store: Store) -> Carrier {
    Arc::new(move |message| {
        let (activities, store) = (activities.clone(), store.clone());
        Box::pin(async move { activities.carry(&store, message).await })
    })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    use std::io::ErrorKind;
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => "端口已被占用；请改用 --listen 指定另一端口".to_owned(),
            ErrorKind::AddrNotAvailable => "本机没有这个地址".to_owned(),
            ErrorKind::PermissionDenied => "没有权限使用这个端口".to_owned(),
            _ => system::reason(&error),
        };
        Failure::Machine(format!("无法监听 {address}：{why}"))
    })
}

/// Until somebody stops the program (Ctrl-C, SIGTERM): from now on, not from when this is first
/// waited for.
pub(super) fn stopped() -> impl Future<Output = ()> + Send {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind: SignalKind| signal(kind).ok();
    let (interrupted, terminated) =
        (listen(SignalKind::interrupt()), listen(SignalKind::terminate()));
    let heard = |signal: Option<tokio::signal::unix::Signal>| async move {
        match signal {
            Some(mut signal) => {
                let _ = signal.recv().await;
            }
            // The system itself ends the program then.
            None => std::future::pending().await,
        }
    };
    async move {
        tokio::select! {
            () = heard(interrupted) => {}
            () = heard(terminated) => {}
        }
    }
}
