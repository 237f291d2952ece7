//! What the process uses, read when somebody asks.

use std::{fs, time::Instant};

use rustix::{
    param::page_size,
    time::{ClockId, clock_gettime},
};

use super::instrument::{Instrument, Kind, Labels, Point, Value};

/// Time since the process started, to within the first milliseconds.
#[derive(Debug)]
pub struct Uptime(Instant);

impl Default for Uptime {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Instrument for Uptime {
    const KIND: Kind = Kind::Gauge;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        points.push(Point {
            labels: labels.clone(),
            value: Value::Amount(self.0.elapsed().as_secs_f64()),
        });
    }
}

/// CPU time of all threads.
#[derive(Debug, Default)]
pub struct CpuTime(());

impl Instrument for CpuTime {
    const KIND: Kind = Kind::Counter;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        let time = std::time::Duration::try_from(time).unwrap_or_default();
        points.push(Point {
            labels: labels.clone(),
            value: Value::Sum(time.as_secs_f64()),
        });
    }
}

/// The resident set. Known on Linux only.
#[derive(Debug, Default)]
pub struct Memory(());

impl Instrument for Memory {
    const KIND: Kind = Kind::UpDownCounter;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        let pages = || -> Option<i64> {
            let sizes = fs::read_to_string("/proc/self/statm").ok()?;
            sizes.split(' ').nth(1)?.parse().ok()
        };
        let page = i64::try_from(page_size()).unwrap_or(0);
        points.extend(pages().map(|pages| Point {
            labels: labels.clone(),
            value: Value::Level(pages * page),
        }));
    }
}

/// Open file descriptors. Known on Linux only.
#[derive(Debug, Default)]
pub struct OpenFiles(());

impl Instrument for OpenFiles {
    const KIND: Kind = Kind::UpDownCounter;

    fn read(&self, labels: &Labels, points: &mut Vec<Point>) {
        let Ok(files) = fs::read_dir("/proc/self/fd") else {
            return;
        };
        // Reading the folder is one of them.
        let open = files.count().saturating_sub(1);
        points.push(Point {
            labels: labels.clone(),
            value: Value::Level(i64::try_from(open).unwrap_or(i64::MAX)),
        });
    }
}
