//! The real sources of time and chance. Everything else gets them as arguments.

use flowmaster_kernel::{Clock, IdSource, Timestamp, hex};
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        jiff::Timestamp::now().into()
    }
}

/// Random numbers that nobody can predict: ChaCha, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn entropy(&self) -> u128 {
        rand::random()
    }
}

/// 256 unpredictable bits in hexadecimal: for session ids and keys.
#[must_use]
pub fn secret() -> String {
    hex(&rand::random::<[u8; 32]>())
}

/// A W3C trace id (Trace Context §3.2.2.3): that of `traceparent` if it is valid, else a new one.
#[must_use]
pub fn trace_id(traceparent: Option<&str>, clock: &dyn Clock, ids: &dyn IdSource) -> String {
    if let Some(id) = traceparent.and_then(trace_id_of) {
        return id.to_owned();
    }
    let millis = u128::from(clock.now().as_millis().unsigned_abs()) << 80;
    hex(&(millis | (ids.entropy() & 0xFFFF_FFFF_FFFF_FFFF_FFFF)).to_be_bytes())
}

fn trace_id_of(traceparent: &str) -> Option<&str> {
    let mut fields = traceparent.split('-');
    let (version, id) = (fields.next()?, fields.next()?);
    let lower_hex = |text: &str, length: usize| {
        text.len() == length
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let valid = lower_hex(version, 2)
        && version != "ff"
        && lower_hex(id, 32)
        && id.bytes().any(|byte| byte != b'0')
        && fields.next().is_some_and(|parent| lower_hex(parent, 16));
    valid.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowmaster_kernel::{ManualClock, SequenceIds};

    #[test]
    fn a_valid_traceparent_is_followed_and_any_other_is_replaced() {
        let check = |traceparent: Option<&str>, expected: &str| {
            let clock = ManualClock::at(Timestamp::from_millis(1));
            assert_eq!(
                trace_id(traceparent, &clock, &SequenceIds::default()),
                expected,
                "{traceparent:?}"
            );
        };
        let fresh = "00000000000100000000000000000000";
        let given = "4bf92f3577b34da6a3ce929d0e0e4736";
        check(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), given);
        check(None, fresh);
        check(Some(""), fresh);
        check(Some("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), fresh);
        check(Some("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"), fresh);
        check(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-0-01"), fresh);
    }
}
