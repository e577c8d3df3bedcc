//! Reads values back out of what Prometheus would scrape.

use std::collections::BTreeMap;

use prometheus::proto::{Metric, MetricFamily, MetricType};

use crate::observed::catalogue::{Attribute, Instrument};

/// Every series of one moment.
#[derive(Debug)]
pub(super) struct Families(Vec<MetricFamily>);

/// Buckets of a histogram: an upper bound, and how many values are up to it.
pub(super) type Buckets = Vec<(f64, u64)>;

impl Families {
    pub(super) fn of(registry: &prometheus::Registry) -> Self {
        Self(registry.gather())
    }

    /// Adds up the series of an instrument that have all of `labels`; of a histogram, how many
    /// values it has. 0 if there are none yet.
    pub(super) fn sum(&self, of: &Instrument, labels: &[(&Attribute, &str)]) -> f64 {
        self.series(of)
            .filter(|(_, series)| {
                labels
                    .iter()
                    .all(|(key, value)| label(series, key) == *value)
            })
            .map(|(kind, series)| value(kind, series))
            .sum()
    }

    /// As [`Self::sum`], of what is counted.
    pub(super) fn count(&self, of: &Instrument, labels: &[(&Attribute, &str)]) -> u64 {
        // Counts are whole numbers below 2^53, which floats hold exactly.
        self.sum(of, labels) as u64
    }

    /// Returns the values of an attribute that an instrument has series of, sorted.
    pub(super) fn values(&self, of: &Instrument, attribute: &Attribute) -> Vec<String> {
        let mut values: Vec<_> = self
            .series(of)
            .map(|(_, series)| label(series, attribute).to_owned())
            .collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// Adds up the buckets of all series of a histogram.
    pub(super) fn buckets(&self, of: &Instrument) -> Buckets {
        let mut sums = BTreeMap::new();
        for (_, series) in self.series(of) {
            for bucket in series.get_histogram().get_bucket() {
                // Boundaries are positive, so their bits are ordered as they are.
                let bound = bucket.upper_bound();
                *sums.entry(bound.to_bits()).or_default() += bucket.cumulative_count();
            }
        }
        let bound = |(bits, count)| (f64::from_bits(bits), count);
        sums.into_iter()
            .map(bound)
            .filter(|(bound, _)| bound.is_finite())
            .collect()
    }

    fn series(&self, of: &Instrument) -> impl Iterator<Item = (MetricType, &Metric)> {
        let name = of.prometheus_name();
        let family = self.0.iter().find(move |family| family.name() == name);
        family.into_iter().flat_map(|family| {
            let kind = family.get_field_type();
            family.get_metric().iter().map(move |series| (kind, series))
        })
    }
}

fn label<'a>(series: &'a Metric, attribute: &Attribute) -> &'a str {
    let name = attribute.prometheus_name();
    let mut labels = series.get_label().iter();
    labels
        .find(|label| label.name() == name)
        .map_or("", |label| label.value())
}

fn value(kind: MetricType, series: &Metric) -> f64 {
    match kind {
        MetricType::COUNTER => series.get_counter().get_value(),
        MetricType::HISTOGRAM => series.get_histogram().get_sample_count() as f64,
        _ => series.get_gauge().get_value(),
    }
}
