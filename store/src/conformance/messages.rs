//! The outbox: each committed message at least once, in order within its key.

use super::bed::{Bed, MINUTE, RAN_OUT, payload};
use crate::WriteSet;
use crate::outbox::{self, Backlog, Failure, Message, NewMessage};

fn append(bed: &Bed, writes: &mut WriteSet, id: &str, key: &str, seq: i64) {
    let payload = payload();
    let message = NewMessage { id, topic: "t", key, seq, at: bed.now(), payload: &payload };
    outbox::append(writes, &message);
}

async fn send(bed: &Bed, messages: &[(&str, &str, i64)]) {
    bed.write(|writes| {
        for (id, key, seq) in messages {
            append(bed, writes, id, key, *seq);
        }
    })
    .await;
}

async fn take(bed: &Bed, limit: usize) -> Vec<Message> {
    outbox::claim(&bed.db, MINUTE, limit).await.unwrap()
}

fn ids(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.id.as_str()).collect()
}

async fn deliver(bed: &Bed, message: &Message) {
    bed.write(|writes| outbox::delivered(writes, &message.id, message.epoch)).await;
}

pub(super) async fn messages_of_a_key_come_in_order_and_without_a_gap(bed: Bed) {
    // Neither the order of writing nor that of the ids.
    send(&bed, &[("z", "k", 1), ("a", "k", 3), ("m", "k", 2), ("n", "other", 1)]).await;
    let first = take(&bed, 2).await;
    assert_eq!(ids(&first), ["z", "m"]);
    // The next of the key stays behind those that are on their way.
    let second = take(&bed, 9).await;
    assert_eq!(ids(&second), ["n"]);
    for message in &first {
        deliver(&bed, message).await;
    }
    assert_eq!(ids(&take(&bed, 9).await), ["a"]);
}

pub(super) async fn what_was_not_marked_delivered_comes_again(bed: Bed) {
    send(&bed, &[("1", "k", 1), ("2", "k", 2)]).await;
    let died = outbox::claim(&bed.db, RAN_OUT, 9).await.unwrap();
    assert_eq!(ids(&died), ["1", "2"]);
    let bed = bed.reopen().await;
    let again = take(&bed, 9).await;
    assert_eq!(ids(&again), ["1", "2"]);
    let late = bed.refused(|writes| outbox::delivered(writes, "1", died[0].epoch)).await;
    assert_eq!(late, "stale_lease");
    deliver(&bed, &again[0]).await;
    bed.write(|writes| outbox::release(writes, "2", again[1].epoch)).await;
    assert_eq!(ids(&take(&bed, 9).await), ["2"]);
}

pub(super) async fn a_failed_message_holds_up_its_key_alone(bed: Bed) {
    send(&bed, &[("1", "k", 1), ("2", "k", 2), ("3", "other", 1)]).await;
    let claimed = take(&bed, 9).await;
    let next_at = bed.now().plus_millis(1_000);
    let failure = Failure { reason: "503", next_at, max_attempts: 3 };
    bed.write(|writes| {
        outbox::failed(writes, "1", claimed[0].epoch, &failure);
        outbox::release(writes, "2", claimed[1].epoch);
        outbox::release(writes, "3", claimed[2].epoch);
    })
    .await;
    assert_eq!(ids(&take(&bed, 9).await), ["3"]);
    bed.clock.advance_millis(1_000);
    let again = take(&bed, 9).await;
    assert_eq!(ids(&again), ["1", "2"]);
    assert_eq!((again[0].attempts, again[0].last_error.as_deref()), (1, Some("503")));
}

pub(super) async fn a_dead_letter_lets_its_key_go_on_and_can_be_redriven(bed: Bed) {
    send(&bed, &[("1", "k", 1), ("2", "k", 2)]).await;
    let failure = Failure { reason: "gone", next_at: bed.now(), max_attempts: 2 };
    for _ in 0..2 {
        let claimed = take(&bed, 1).await;
        bed.write(|writes| outbox::failed(writes, "1", claimed[0].epoch, &failure)).await;
    }
    assert_eq!(ids(&take(&bed, 9).await), ["2"]);
    let mut snapshot = bed.db.read(&bed.ctx("a")).await.unwrap();
    assert_eq!(ids(&outbox::dead(&mut snapshot, None, 9).await.unwrap()), ["1"]);
    let backlog = outbox::backlog(&mut snapshot).await.unwrap();
    assert_eq!(backlog, Backlog { pending: 1, dead: 1 });
    assert!(outbox::has_of_key(&mut snapshot, "k").await.unwrap());
    assert!(!outbox::has_of_key(&mut snapshot, "other").await.unwrap());
    drop(snapshot);
    bed.write(|writes| outbox::redrive(writes, "1")).await;
    assert_eq!(ids(&take(&bed, 9).await), ["1"]);
    let twice = bed.refused(|writes| outbox::redrive(writes, "1")).await;
    assert_eq!(twice, "dead_letter_not_found");
}

pub(super) async fn a_message_with_an_older_id_is_not_passed_over(bed: Bed) {
    send(&bed, &[("9", "k", 1)]).await;
    deliver(&bed, &take(&bed, 9).await[0]).await;
    // As from a transaction that drew its id first and committed last.
    bed.clock.advance_millis(-1_000);
    send(&bed, &[("1", "other", 1)]).await;
    bed.clock.advance_millis(1_000);
    assert_eq!(ids(&take(&bed, 9).await), ["1"]);
}

pub(super) async fn nothing_is_sent_of_a_transaction_that_was_rolled_back(bed: Bed) {
    let mut writes = WriteSet::new();
    append(&bed, &mut writes, "ghost", "k", 1);
    let mut tx = bed.db.begin(&bed.ctx("a")).await.unwrap();
    tx.apply(writes).await.unwrap();
    drop(tx);
    assert_eq!(take(&bed, 9).await, []);
    let code = bed
        .refused(|writes| {
            append(&bed, writes, "ghost", "k", 1);
            outbox::redrive(writes, "nobody");
        })
        .await;
    assert_eq!(code, "dead_letter_not_found");
    assert_eq!(take(&bed, 9).await, []);
}
