//! A block of raw events becomes a batch.

use super::{Batch, Work};
use crate::accept::{Envelope, Intake, Rejected, read_piece};

pub(super) fn parse(work: &Work, intake: &Intake) -> Batch {
    let block = &work.block;
    let mut batch = Batch { bytes_read: work.bytes_read, ..Batch::default() };
    batch.events.reserve(block.pieces.len());
    for piece in &block.pieces {
        match read_piece(&block.bytes, piece, &Envelope::Unknown, intake) {
            Ok(event) => batch.events.push((piece.line, event)),
            Err(why) if batch.rejected.len() < intake.limits.listed_rejections => {
                let rejection = why.into_rejection(&block.bytes, piece, &intake.limits);
                batch.rejected.push(Rejected::new(piece, true, rejection));
            }
            Err(_) => batch.more_rejected += 1,
        }
    }
    batch
}
