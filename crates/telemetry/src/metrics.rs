//! One way to name and register a metric: `prefix_name`, with help and fixed labels.

use prometheus::core::Collector;
use prometheus::{Error, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};

/// Bounds in seconds, from half a millisecond to ten seconds.
pub const LATENCY_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Registers metrics whose names share a prefix, such as `stockade_edge`.
///
/// ```
/// use stockade_telemetry::metrics::Metrics;
///
/// let registry = prometheus::Registry::new();
/// let metrics = Metrics::under(&registry, "stockade_edge");
/// let requests = metrics.counter("requests_total", "Requests answered.", &["route"])?;
/// requests.with_label_values(&["orders-read"]).inc();
/// # Ok::<(), prometheus::Error>(())
/// ```
#[derive(Debug)]
pub struct Metrics<'a> {
    registry: &'a Registry,
    prefix: &'a str,
}

impl<'a> Metrics<'a> {
    /// Metrics of `registry` named `prefix_…`.
    pub fn under(registry: &'a Registry, prefix: &'a str) -> Self {
        Self { registry, prefix }
    }

    /// A count that only grows. By convention its name ends in `_total`.
    ///
    /// # Errors
    ///
    /// A name or label that Prometheus does not allow, or a name that is taken.
    pub fn counter(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, Error> {
        self.register(IntCounterVec::new(self.opts(name, help), labels)?)
    }

    /// A number that goes up and down.
    ///
    /// # Errors
    ///
    /// As for [`Metrics::counter`].
    pub fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, Error> {
        self.register(IntGaugeVec::new(self.opts(name, help), labels)?)
    }

    /// A distribution of durations, in [`LATENCY_BUCKETS`]. By convention its name ends in
    /// `_seconds`.
    ///
    /// # Errors
    ///
    /// As for [`Metrics::counter`].
    pub fn histogram(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<HistogramVec, Error> {
        self.histogram_with(name, help, labels, LATENCY_BUCKETS)
    }

    /// A distribution in buckets of its own.
    ///
    /// # Errors
    ///
    /// As for [`Metrics::counter`], and bounds that do not ascend.
    pub fn histogram_with(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: &[f64],
    ) -> Result<HistogramVec, Error> {
        let opts = HistogramOpts::from(self.opts(name, help)).buckets(buckets.to_vec());
        self.register(HistogramVec::new(opts, labels)?)
    }

    fn opts(&self, name: &str, help: &str) -> Opts {
        Opts::new(name, help).namespace(self.prefix)
    }

    fn register<M: Collector + Clone + 'static>(&self, metric: M) -> Result<M, Error> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    fn text(registry: &Registry) -> String {
        TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
    }

    #[test]
    fn names_carry_the_prefix() {
        let registry = Registry::new();
        let metrics = Metrics::under(&registry, "stockade_edge");

        metrics
            .counter("requests_total", "Requests answered.", &["route"])
            .unwrap()
            .with_label_values(&["orders-read"])
            .inc();
        metrics
            .gauge("connections", "Connections open.", &[])
            .unwrap()
            .with_label_values::<&str>(&[])
            .set(3);

        let text = text(&registry);
        assert!(text.contains("# HELP stockade_edge_requests_total Requests answered."), "{text}");
        assert!(text.contains(r#"stockade_edge_requests_total{route="orders-read"} 1"#), "{text}");
        assert!(text.contains("stockade_edge_connections 3"), "{text}");
    }

    #[test]
    fn a_histogram_of_durations_spans_half_a_millisecond_to_ten_seconds() {
        let registry = Registry::new();
        let metrics = Metrics::under(&registry, "stockade_edge");

        let steps = metrics.histogram("step_seconds", "Time in a guard.", &["step"]).unwrap();
        steps.with_label_values(&["route"]).observe(0.0004);

        let text = text(&registry);
        assert!(text.contains(r#"step_seconds_bucket{step="route",le="0.0005"} 1"#), "{text}");
        assert!(text.contains(r#"step_seconds_bucket{step="route",le="10"} 1"#), "{text}");
    }

    #[test]
    fn buckets_can_be_chosen() {
        let registry = Registry::new();
        let metrics = Metrics::under(&registry, "stockade_core");

        let sizes = metrics.histogram_with("batch_orders", "Orders.", &[], &[1.0, 8.0]).unwrap();
        sizes.with_label_values::<&str>(&[]).observe(5.0);

        let text = text(&registry);
        assert!(text.contains(r#"stockade_core_batch_orders_bucket{le="1"} 0"#), "{text}");
        assert!(text.contains(r#"stockade_core_batch_orders_bucket{le="8"} 1"#), "{text}");
    }

    #[test]
    fn a_name_is_given_once() {
        let registry = Registry::new();
        let metrics = Metrics::under(&registry, "stockade_edge");

        assert!(metrics.counter("bans_total", "Bans.", &[]).is_ok());
        assert!(matches!(metrics.counter("bans_total", "Bans.", &[]), Err(Error::AlreadyReg)));
    }

    #[test]
    fn a_name_prometheus_does_not_allow_is_refused() {
        let registry = Registry::new();

        assert!(Metrics::under(&registry, "stockade").gauge("not a name", "x", &[]).is_err());
    }
}
