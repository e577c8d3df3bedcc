//! A model that a test can count and hold back.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use arc_swap::ArcSwapOption;
use futures::executor::block_on;
use lockstep::search::{EmbedError, Embedder};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

const DIMENSIONS: usize = 64;

/// Counts the texts it is asked for. Texts that share words get vectors that point alike.
#[derive(Clone, Debug, Default)]
pub struct CountingEmbedder {
    asked: Arc<AtomicUsize>,
    held: Arc<ArcSwapOption<CancellationToken>>,
    holds: Arc<Notify>,
}

impl CountingEmbedder {
    /// How many texts all clones were asked for.
    pub fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    /// Makes every text wait until the guard is dropped.
    pub fn hold(&self) -> DropGuard {
        let go = CancellationToken::new();
        self.held.store(Some(Arc::new(go.clone())));
        go.drop_guard()
    }

    /// Waits until a text waits.
    pub async fn holds(&self) {
        self.holds.notified().await;
    }
}

impl Embedder for CountingEmbedder {
    fn embed(&mut self, text: &str) -> Result<Vec<f32>, EmbedError> {
        self.asked.fetch_add(1, SeqCst);
        if let Some(go) = self.held.load_full() {
            self.holds.notify_one();
            block_on(go.cancelled());
        }
        let mut vector = vec![0.01; DIMENSIONS];
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let word = word.to_lowercase();
            let hash = word.bytes().fold(5_381_usize, |hash, byte| {
                hash.wrapping_mul(33) ^ usize::from(byte)
            });
            vector[hash % DIMENSIONS] += 1.0;
        }
        Ok(vector)
    }
}
