//! Several statements on their way at once: one round trip for all of them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// A statement that is sent when it is first polled.
pub(super) type Sent<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Polls all in order, so that they are sent in order, until each has its answer.
pub(super) async fn all_in_order<T>(statements: Vec<Sent<'_, T>>) -> Vec<T> {
    let mut running: Vec<Running<'_, T>> = statements.into_iter().map(Running::Sent).collect();
    poll_fn(|context| {
        let mut waiting = false;
        for slot in &mut running {
            if let Running::Sent(statement) = slot {
                match statement.as_mut().poll(context) {
                    Poll::Ready(answer) => *slot = Running::Answered(answer),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    running.into_iter().filter_map(Running::into_answer).collect()
}

enum Running<'a, T> {
    Sent(Sent<'a, T>),
    Answered(T),
}

impl<T> Running<'_, T> {
    fn into_answer(self) -> Option<T> {
        match self {
            Self::Answered(answer) => Some(answer),
            Self::Sent(_) => None,
        }
    }
}
