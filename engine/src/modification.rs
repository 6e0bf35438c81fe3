//! Modification of a running instance, as data: what is asked for. All of it is done in one step, or
//! none of it.

use crate::instance::Key;
use crate::model::ElementId;
use crate::scope::VariableMap;

/// One change of a running instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Instruction {
    /// Start an element, and the sub-processes around it where they do not run.
    ///
    /// A joining gateway gets a token on a flow on which none waits yet, and joins as usual.
    Activate {
        /// BPMN id.
        element: ElementId,
        /// The element instance in which it is started, where several could be meant: its scope, or
        /// one further out.
        within: Option<Key>,
        /// Variables of the new element instance.
        variables: VariableMap,
    },
    /// End an element without going on from it.
    Terminate {
        /// Which instances.
        which: Which,
    },
    /// End an element, and start another for each instance that ended: in the scope of the one that
    /// ended, as far as the other lies in it.
    Move {
        /// Which instances.
        which: Which,
        /// BPMN id of the element to start.
        to: ElementId,
        /// As for [`Instruction::Activate`].
        within: Option<Key>,
        /// Variables of each new element instance.
        variables: VariableMap,
    },
    /// Set variables before anything else is done.
    SetVariables {
        /// Where they are set.
        scope: Key,
        /// The values.
        variables: VariableMap,
    },
}

/// Which running instances of an element are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The element instance with this key; an inner instance of a multi-instance activity counts as
    /// ended, and the activity goes on with the others.
    One(Key),
    /// All of them: the bodies of multi-instance activities, the tokens that wait at a joining
    /// gateway.
    Every(ElementId),
}

impl Instruction {
    /// Starts `element`.
    #[must_use]
    pub fn activate(element: &str, variables: VariableMap) -> Self {
        Self::Activate { element: element.into(), within: None, variables }
    }

    pub(crate) fn variables(&self) -> Option<&VariableMap> {
        match self {
            Self::Activate { variables, .. }
            | Self::Move { variables, .. }
            | Self::SetVariables { variables, .. } => Some(variables),
            Self::Terminate { .. } => None,
        }
    }

    /// Whether nothing starts by it, so that it can be followed while the instance is held.
    pub(crate) fn starts_nothing(&self) -> bool {
        matches!(self, Self::Terminate { .. } | Self::SetVariables { .. })
    }
}
