//! Reads metrics back from memory.

use lockstep::observed::catalogue::Kind;
use opentelemetry::{
    KeyValue,
    metrics::{Meter, MeterProvider as _},
};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};

/// A meter whose measurements a test can read.
pub struct TestMetrics {
    exporter: InMemoryMetricExporter,
    provider: SdkMeterProvider,
    /// What Prometheus would scrape.
    pub registry: prometheus::Registry,
}

impl TestMetrics {
    pub fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let registry = prometheus::Registry::new();
        let scraped = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build();
        let provider = SdkMeterProvider::builder()
            .with_reader(reader)
            .with_reader(scraped.unwrap());
        Self {
            exporter,
            provider: provider.build(),
            registry,
        }
    }

    pub fn meter(&self) -> Meter {
        self.provider.meter("test")
    }

    /// The sum of a counter over all points that carry `labels`.
    pub fn counter(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.provider.force_flush().unwrap();
        let Some(last) = self.exporter.get_finished_metrics().unwrap().pop() else {
            return 0;
        };
        last.scope_metrics()
            .flat_map(|scope| scope.metrics())
            .filter(|metric| metric.name() == name)
            .filter_map(|metric| match metric.data() {
                AggregatedMetrics::U64(MetricData::Sum(sum)) => Some(sum),
                _ => None,
            })
            .flat_map(|sum| sum.data_points())
            .filter(|point| {
                labels.iter().all(|(key, value)| {
                    point
                        .attributes()
                        .any(|kv| kv.key.as_str() == *key && kv.value.as_str() == *value)
                })
            })
            .map(|point| point.value())
            .sum()
    }

    /// Lookups of the cache `name` that ended in `outcome`.
    pub fn lookups(&self, name: &str, outcome: &str) -> u64 {
        let labels = [("cache.name", name), ("cache.outcome", outcome)];
        self.counter("lockstep.cache.lookups", &labels)
    }

    /// Double loads of all caches.
    pub fn double_loads(&self) -> u64 {
        self.counter("lockstep.cache.double_loads", &[])
    }

    /// The sum of a gauge, under the name that Prometheus has for it, over all series that carry
    /// `labels`.
    pub fn gauge(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let families = self.registry.gather();
        let named = families.iter().filter(|family| family.name() == name);
        named
            .flat_map(|family| family.get_metric())
            .filter(|series| {
                labels.iter().all(|(key, value)| {
                    let mut own = series.get_label().iter();
                    own.any(|label| label.name() == *key && label.value() == *value)
                })
            })
            .map(|series| series.get_gauge().get_value())
            .sum()
    }

    /// The count and the sum of a histogram, over all points that carry `labels`.
    pub fn histogram(&self, name: &str, labels: &[(&str, &str)]) -> (u64, f64) {
        self.provider.force_flush().unwrap();
        let Some(last) = self.exporter.get_finished_metrics().unwrap().pop() else {
            return (0, 0.0);
        };
        last.scope_metrics()
            .flat_map(|scope| scope.metrics())
            .filter(|metric| metric.name() == name)
            .filter_map(|metric| match metric.data() {
                AggregatedMetrics::F64(MetricData::Histogram(histogram)) => Some(histogram),
                _ => None,
            })
            .flat_map(|histogram| histogram.data_points())
            .filter(|point| {
                labels.iter().all(|(key, value)| {
                    point
                        .attributes()
                        .any(|kv| kv.key.as_str() == *key && kv.value.as_str() == *value)
                })
            })
            .fold((0, 0.0), |(count, sum), point| {
                (count + point.count(), sum + point.sum())
            })
    }

    /// Every series of now: the metric's name, its kind as the catalogue has it, and attributes.
    pub fn series(&self) -> Vec<Series> {
        self.provider.force_flush().unwrap();
        let last = self.exporter.get_finished_metrics().unwrap().pop().unwrap();
        let metrics = last.scope_metrics().flat_map(|scope| scope.metrics());
        let mut series = Vec::new();
        for metric in metrics {
            let (kind, attributes) = match metric.data() {
                AggregatedMetrics::F64(data) => points(data),
                AggregatedMetrics::U64(data) => points(data),
                AggregatedMetrics::I64(data) => points(data),
            };
            series.extend(attributes.into_iter().map(|attributes| Series {
                name: metric.name().to_owned(),
                kind,
                attributes,
            }));
        }
        series
    }
}

/// One series of a metric.
#[derive(Debug)]
pub struct Series {
    pub name: String,
    pub kind: Kind,
    pub attributes: Vec<(String, String)>,
}

fn points<T: Copy>(data: &MetricData<T>) -> (Kind, Vec<Vec<(String, String)>>) {
    fn pairs<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> Vec<(String, String)> {
        let pair = |kv: &KeyValue| (kv.key.to_string(), kv.value.as_str().into_owned());
        attributes.map(pair).collect()
    }
    match data {
        MetricData::Gauge(gauge) => {
            let points = gauge.data_points().map(|point| pairs(point.attributes()));
            (Kind::Gauge, points.collect())
        }
        MetricData::Sum(sum) => {
            let kind = match sum.is_monotonic() {
                true => Kind::Counter,
                false => Kind::UpDownCounter,
            };
            let points = sum.data_points().map(|point| pairs(point.attributes()));
            (kind, points.collect())
        }
        MetricData::Histogram(histogram) => {
            let points = histogram.data_points();
            let points = points.map(|point| pairs(point.attributes()));
            (Kind::Histogram, points.collect())
        }
        MetricData::ExponentialHistogram(_) => panic!("Prometheus would not see it"),
    }
}
