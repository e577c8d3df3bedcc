//! Reads metrics back from memory.

use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};

/// A meter whose measurements a test can read.
pub struct TestMetrics {
    exporter: InMemoryMetricExporter,
    provider: SdkMeterProvider,
}

impl TestMetrics {
    pub fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        Self {
            exporter,
            provider: SdkMeterProvider::builder().with_reader(reader).build(),
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
}
