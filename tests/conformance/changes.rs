//! Announcements of changes to those who listen for them.

use rmcp::{
    ErrorData,
    service::{SubscriptionContext, SubscriptionSendError},
};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::answer::{Answer, Call, say};

/// Far more than the suite announces at once.
const UNREAD_CHANGES: usize = 64;

/// A change that is announced.
#[derive(Clone, Copy, Debug)]
enum Change {
    Tools,
    Prompts,
}

/// The way from those who change something to those who listen.
#[derive(Clone)]
pub(crate) struct Changes(broadcast::Sender<Change>);

impl Changes {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(UNREAD_CHANGES))
    }

    /// Forwards changes to a subscriber until it goes away.
    pub(crate) async fn forward(&self, to: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.0.subscribe();
        loop {
            let change = tokio::select! {
                () = to.cancelled() => return Ok(()),
                change = changes.recv() => change,
            };
            let sent = match change {
                Ok(Change::Tools) => to.sink().notify_tool_list_changed().await,
                Ok(Change::Prompts) => to.sink().notify_prompt_list_changed().await,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return Ok(()),
            };
            match sent {
                // It did not ask for this kind.
                Ok(()) | Err(SubscriptionSendError::NotificationNotAccepted(_)) => {}
                Err(_gone) => return Ok(()),
            }
        }
    }

    fn announce(&self, change: Change) -> Answer {
        let listeners = self.0.send(change).unwrap_or(0);
        say(format!("announced to {listeners} listeners"))
    }
}

pub(crate) async fn tools(call: Call) -> Answer {
    call.fixture.changes.announce(Change::Tools)
}

pub(crate) async fn prompts(call: Call) -> Answer {
    call.fixture.changes.announce(Change::Prompts)
}
