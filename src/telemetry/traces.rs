//! Traces for whoever asks for them: what a request, a batch, a commit and a delivery took, and which
//! of them belong together, sent to a collector by OpenTelemetry's protocol (OTLP over HTTP). Must
//! never hold up what it watches, nor carry what is about people: a span has routes, counts and
//! our own codes.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{KeyValue, global};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest::blocking::Client;
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::redirect;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

/// How long a collector may take; what it does not take is dropped.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long an end waits for what is left.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// By which a caller names his trace.
const PARENT: HeaderName = HeaderName::from_static("traceparent");

/// Where spans go.
#[derive(Debug)]
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// To a collector's address, such as `http://127.0.0.1:4318/v1/traces`. Headers, the service's
    /// name and further attributes and sampling are set as everywhere, by
    /// `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and
    /// `OTEL_TRACES_SAMPLER`.
    ///
    /// # Errors
    /// An address that is none, in Chinese.
    pub fn to(address: &str, node: Uuid) -> Result<Self, String> {
        let none =
            || "otlp_endpoint 应为收集器的地址，例如 http://127.0.0.1:4318/v1/traces".to_owned();
        let url = reqwest::Url::parse(address).map_err(|_| none())?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(none());
        }
        // One provider for the process; whoever was first stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // It has a loop of its own, which must not be made or ended within another.
        let client = std::thread::spawn(client).join().ok().flatten().ok_or_else(none)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(address)
            .with_timeout(TIMEOUT)
            .build()
            .map_err(|_| none())?;
        let mut resource = Resource::builder();
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("duban");
        }
        let resource = resource
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .with_attribute(KeyValue::new("service.instance.id", node.to_string()))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        Ok(Self(provider))
    }

    /// What takes our own spans, and nobody else's.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'s> LookupSpan<'s>,
    {
        let tracer = self.0.tracer("duban");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_location(false);
        let layer = layer.with_threads(false).with_level(false);
        layer.with_filter(filter_fn(|of| of.is_span() && of.target().starts_with("duban")))
    }

    /// Sends what is left.
    pub fn close(self) {
        if let Err(error) = self.0.shutdown_with_timeout(CLOSE_TIMEOUT) {
            tracing::warn!(%error, "what was left of the traces did not arrive");
        }
    }
}

fn client() -> Option<Client> {
    let client = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    client.timeout(TIMEOUT).connect_timeout(TIMEOUT).build().ok()
}

/// A span goes on with the trace that a caller names (`traceparent`); what else he says of it
/// (`tracestate`) is his own words, and goes nowhere.
pub fn go_on(span: &Span, headers: &HeaderMap) {
    let parent = headers.get(PARENT).map(|parent| (PARENT, parent.clone()));
    let headers: HeaderMap = parent.into_iter().collect();
    let named = global::get_text_map_propagator(|one| one.extract(&HeaderExtractor(&headers)));
    // Without a collector there is nothing to go on with.
    let _ = span.set_parent(named);
}

/// Names this span's trace to whoever is called.
pub fn name(headers: &mut HeaderMap) {
    let context = Span::current().context();
    global::get_text_map_propagator(|one| {
        one.inject_context(&context, &mut HeaderInjector(headers));
    });
}
