//! Logs on standard error, counters for Prometheus, traces to an OpenTelemetry collector when one
//! is configured.
//!
//! Recorders and subscribers are one a process, by the nature of their crates; a second call of
//! [`prometheus`] gives the same handle.

use std::io::IsTerminal as _;
use std::sync::OnceLock;

use flowmaster_kernel::{Error, Result};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{Config, LogFormat};

/// Seconds, from a quick read to the default deadline.
const BUCKETS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// The counters of this process.
///
/// # Errors
/// `telemetry_failed` when another recorder is installed already.
pub fn prometheus() -> Result<PrometheusHandle> {
    static INSTALLING: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
    let _turn = INSTALLING.lock();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| Error::internal("telemetry_failed", error))?;
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Keeps the export of traces going; dropping it sends what is left.
#[must_use]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Begins logging, and exporting if that is configured.
    ///
    /// # Errors
    /// `invalid_config` for a bad filter or endpoint, `telemetry_failed` for a second call.
    pub fn begin(config: &Config) -> Result<Self> {
        let wrong = |field: &str, why: String| {
            Error::invalid("invalid_config", format!("the setting {field} is wrong")).why(why)
        };
        let filter =
            EnvFilter::try_new(&config.log).map_err(|error| wrong("log", error.to_string()))?;
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        let lines = match config.log_format {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().boxed(),
        };
        let traces = config
            .otlp_endpoint
            .as_deref()
            .map(exporter)
            .transpose()
            .map_err(|error| wrong("otlp_endpoint", error.to_string()))?;
        let export = traces.as_ref().map(|provider| {
            tracing_opentelemetry::layer().with_tracer(provider.tracer("flowmaster"))
        });
        tracing_subscriber::registry()
            .with(filter)
            .with(lines)
            .with(export)
            .try_init()
            .map_err(|error| Error::internal("telemetry_failed", error))?;
        Ok(Self { traces })
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(traces) = &self.traces
            && let Err(error) = traces.shutdown()
        {
            tracing::warn!(%error, "the last traces were not exported");
        }
    }
}

/// Exports over OTLP/HTTP to `endpoint`, the base address of a collector.
fn exporter(endpoint: &str) -> Result<SdkTracerProvider, opentelemetry_otlp::ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .build()?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name("flowmaster").build())
        .build())
}
