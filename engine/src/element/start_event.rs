//! Start events (BPMN 2.0.2 §10.5.2). What started them is known before they begin, so they only
//! pass the token on; at process level they also open the process's event sub-processes.

use super::sub_process;
use crate::incident::Failure;
use crate::instance::Key;
use crate::transition::Transition;

pub(crate) fn enter(t: &mut Transition<'_>, key: Key) -> Result<(), Failure> {
    let at_process_level = t.element(key).is_some_and(|element| element.scope.is_process());
    let opened = t.instance.waits().any(|(_, wait)| wait.owner.is_process());
    if at_process_level && !opened {
        sub_process::open_process_events(t)?;
    }
    t.pass(key);
    Ok(())
}
