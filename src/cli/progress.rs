//! Shows a person how far the indexing is.

use std::{io::IsTerminal as _, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::search::Engine;

/// How often the bar is drawn anew.
const REDRAW: Duration = Duration::from_millis(100);

/// Waits for the first snapshot and draws a bar, if a person looks.
pub(super) async fn wait_until_ready(engine: &Arc<Engine>) {
    let target = match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let style = ProgressStyle::with_template("reading the standards {bar:40} {pos}/{len} {eta}");
    let bar = ProgressBar::with_draw_target(None, target)
        .with_style(style.expect("the template is valid"));
    let draw = async {
        let mut redraw = tokio::time::interval(REDRAW);
        loop {
            redraw.tick().await;
            if let Some(progress) = engine.status().progress {
                bar.set_length(progress.total as u64);
                bar.set_position(progress.done as u64);
            }
        }
    };
    tokio::select! {
        () = engine.ready() => {}
        () = draw => {}
    }
    bar.finish_and_clear();
}
