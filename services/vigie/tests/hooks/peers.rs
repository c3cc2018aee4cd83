//! Real peers: what real tools send.
