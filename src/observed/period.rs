//! Work that is done again and again for as long as somebody owns what it is done to.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

/// Does `work` at once and then every `period`, until its owner drops what it is done to. Work
/// that takes longer than the period puts the next off.
pub async fn until_dropped<T, W>(owned: Weak<T>, period: Duration, work: impl Fn(Arc<T>) -> W)
where
    W: Future<Output = ()>,
{
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(owned) = owned.upgrade() else {
            return;
        };
        work(owned).await;
    }
}
