//! Other eyes: whether somebody counts as a second person beside those who acted first. One answer
//! for the policies, the mandates and the segregation of duties.

use flowmaster_kernel::PrincipalKind;

use crate::instance::ActorRef;

/// Why `actor` brings no other eyes than `first`; nothing if it does. An agent never counts as the
/// second pair of eyes for an agent.
pub(super) fn same_eyes(first: &ActorRef, actor: &ActorRef) -> Option<String> {
    if first.id == actor.id {
        return Some(format!("{} took part already", actor.id));
    }
    let agents = first.kind == PrincipalKind::Agent && actor.kind == PrincipalKind::Agent;
    agents.then(|| format!("{} is an agent, as is {}: a person must do it", actor.id, first.id))
}
