//! All data of one window of one shard.

/// All data of one window of one shard.
#[derive(Debug, Default)]
pub struct Window {}
