//! Sources that are asked for what they know.
