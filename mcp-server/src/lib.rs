//! FlowMaster.
