//! What an instrument is, and how one is made of it.

use opentelemetry::{
    KeyValue, StringValue, Value,
    metrics::{AsyncInstrument, Counter, Histogram, Meter, UpDownCounter},
};
use serde::{Serialize, Serializer};

/// The definition of one instrument.
#[derive(Debug, Serialize)]
pub struct Instrument {
    /// The OpenTelemetry name.
    pub name: &'static str,
    /// What its numbers are.
    pub kind: Kind,
    /// In UCUM, as OpenTelemetry has it: `s`, `By`, `{thing}`; empty for numbers without one.
    pub unit: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// What its series are told apart by.
    pub attributes: &'static [Attribute],
    /// Upper bounds of a histogram's buckets.
    #[serde(skip_serializing_if = "<[f64]>::is_empty")]
    pub boundaries: &'static [f64],
    /// Only few combinations of its attributes' values occur.
    #[serde(skip)]
    pub correlated: bool,
}

/// What the numbers of an instrument are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A sum that only grows.
    Counter,
    /// A sum that grows and shrinks.
    UpDownCounter,
    /// A value of now.
    Gauge,
    /// A distribution.
    Histogram,
}

/// An attribute and the values that it has.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Attribute {
    /// Its key.
    pub key: &'static str,
    /// Its values.
    pub values: Values,
}

/// The values of an attribute.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Names of what is there, so many at most.
    Named {
        /// What they name.
        of: &'static str,
        /// How many there can be, `other` included.
        most: usize,
    },
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::OneOf(values) => values.serialize(serializer),
            Self::Named { of, most } => {
                serializer.collect_str(&format_args!("{of}, at most {most}"))
            }
        }
    }
}

impl Attribute {
    pub(super) const fn one_of(key: &'static str, values: &'static [&'static str]) -> Self {
        let values = Values::OneOf(values);
        Self { key, values }
    }

    pub(super) const fn named(key: &'static str, of: &'static str, most: usize) -> Self {
        let values = Values::Named { of, most };
        Self { key, values }
    }

    /// Returns the attribute with `value`, which must be one of its values.
    pub fn is(&self, value: impl Into<StringValue>) -> KeyValue {
        let value = value.into();
        debug_assert!(self.admits(value.as_str()), "{}={value:?}", self.key);
        KeyValue::new(self.key, Value::String(value))
    }

    /// Returns the name of its label in Prometheus.
    pub fn prometheus_name(&self) -> String {
        self.key.replace('.', "_")
    }

    /// Says whether `value` is one that it may have.
    pub fn admits(&self, value: &str) -> bool {
        match self.values {
            Values::OneOf(values) => values.contains(&value),
            Values::Named { .. } => true,
        }
    }

    /// Returns how many values it can have.
    pub fn most(&self) -> usize {
        match self.values {
            Values::OneOf(values) => values.len(),
            Values::Named { most, .. } => most,
        }
    }
}

impl Instrument {
    const fn new(
        kind: Kind,
        name: &'static str,
        unit: &'static str,
        attributes: &'static [Attribute],
        description: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            unit,
            description,
            attributes,
            boundaries: &[],
            correlated: false,
        }
    }

    pub(super) const fn counter(
        name: &'static str,
        unit: &'static str,
        attributes: &'static [Attribute],
        description: &'static str,
    ) -> Self {
        Self::new(Kind::Counter, name, unit, attributes, description)
    }

    pub(super) const fn up_down(
        name: &'static str,
        unit: &'static str,
        attributes: &'static [Attribute],
        description: &'static str,
    ) -> Self {
        Self::new(Kind::UpDownCounter, name, unit, attributes, description)
    }

    pub(super) const fn gauge(
        name: &'static str,
        unit: &'static str,
        attributes: &'static [Attribute],
        description: &'static str,
    ) -> Self {
        Self::new(Kind::Gauge, name, unit, attributes, description)
    }

    pub(super) const fn histogram(
        name: &'static str,
        unit: &'static str,
        boundaries: &'static [f64],
        attributes: &'static [Attribute],
        description: &'static str,
    ) -> Self {
        let histogram = Self::new(Kind::Histogram, name, unit, attributes, description);
        Self {
            boundaries,
            ..histogram
        }
    }

    /// Says that only few combinations of the attributes' values occur.
    pub(super) const fn correlated(mut self) -> Self {
        self.correlated = true;
        self
    }

    /// Returns the name that Prometheus gives it, whether it scrapes or receives OTLP.
    pub fn prometheus_name(&self) -> String {
        let unit = match self.unit {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        let total = match self.kind {
            Kind::Counter => "_total",
            _ => "",
        };
        format!("{}{unit}{total}", self.name.replace('.', "_"))
    }

    /// Makes a counter of it that somebody adds to.
    pub fn counted(&self, meter: &Meter) -> Counter<u64> {
        debug_assert_eq!(self.kind, Kind::Counter, "{}", self.name);
        let counter = meter.u64_counter(self.name).with_unit(self.unit);
        counter.with_description(self.description).build()
    }

    /// Makes a sum of it that somebody adds to and takes from.
    pub fn balanced(&self, meter: &Meter) -> UpDownCounter<i64> {
        debug_assert_eq!(self.kind, Kind::UpDownCounter, "{}", self.name);
        let sum = meter.i64_up_down_counter(self.name).with_unit(self.unit);
        sum.with_description(self.description).build()
    }

    /// Makes a histogram of it that somebody records in.
    pub fn recorded(&self, meter: &Meter) -> Histogram<f64> {
        debug_assert_eq!(self.kind, Kind::Histogram, "{}", self.name);
        let histogram = meter.f64_histogram(self.name).with_unit(self.unit);
        histogram
            .with_description(self.description)
            .with_boundaries(self.boundaries.to_vec())
            .build()
    }

    /// Has the exporter read its values from `read`, which hands each to what it is given. It runs
    /// on the exporter's thread: it must take no lock of a request's, and not block.
    pub fn observed<T: Number>(
        &self,
        meter: &Meter,
        read: impl Fn(&mut dyn FnMut(T, &[KeyValue])) + Send + Sync + 'static,
    ) {
        T::observed(self, meter, read);
    }
}

/// A number that the exporter reads.
pub trait Number: Sized {
    /// As [`Instrument::observed`].
    fn observed(
        of: &Instrument,
        meter: &Meter,
        read: impl Fn(&mut dyn FnMut(Self, &[KeyValue])) + Send + Sync + 'static,
    );
}

macro_rules! number {
    ($number:ty, $counter:ident, $gauge:ident) => {
        impl Number for $number {
            fn observed(
                of: &Instrument,
                meter: &Meter,
                read: impl Fn(&mut dyn FnMut(Self, &[KeyValue])) + Send + Sync + 'static,
            ) {
                let callback = move |observer: &dyn AsyncInstrument<$number>| {
                    read(&mut |value, attributes| observer.observe(value, attributes));
                };
                if of.kind == Kind::Counter {
                    let counter = meter.$counter(of.name).with_unit(of.unit);
                    let counter = counter.with_description(of.description);
                    counter.with_callback(callback).build();
                } else {
                    debug_assert_eq!(of.kind, Kind::Gauge, "{}", of.name);
                    let gauge = meter.$gauge(of.name).with_unit(of.unit);
                    let gauge = gauge.with_description(of.description);
                    gauge.with_callback(callback).build();
                }
            }
        }
    };
}

number!(u64, u64_observable_counter, u64_observable_gauge);
number!(f64, f64_observable_counter, f64_observable_gauge);
