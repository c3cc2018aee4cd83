//! Imports: any size, in order, in constant memory, whatever stands on a line.

use std::io::Cursor;

use vigie_model::Settings;
use vigie_model::event::Context;
use vigie_model::people::{Concealer, PeopleKey};

use super::*;
use crate::accept::Limits;

fn intake() -> Arc<Intake> {
    Arc::new(Intake {
        context: Context::outside("import"),
        concealer: Arc::new(Concealer::new(PeopleKey([7; 32]), &Settings::default())),
        limits: Limits::default(),
    })
}

fn read(reader: impl Read + Send + 'static) -> Batch {
    let mut all = Batch::default();
    for batch in EventStream::new(reader, intake(), 2).unwrap() {
        let batch = batch.unwrap();
        all.events.extend(batch.events);
        all.rejected.extend(batch.rejected);
        all.more_rejected += batch.more_rejected;
        all.bytes_read = batch.bytes_read;
    }
    all
}

fn team(n: u64) -> String {
    format!("{{\"kind\":\"team\",\"slug\":\"t{n}\"}}\n")
}

/// A reader that makes its text as it is read: `part` again and again, `times` times, between two ends.
fn endless(head: &str, part: &'static [u8], times: u64, tail: &str) -> impl Read + Send + 'static {
    struct Repeat(&'static [u8], u64, usize);
    impl Read for Repeat {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.1 == 0 {
                return Ok(0);
            }
            let mut filled = 0;
            while filled < buffer.len() && self.1 > 0 {
                let len = (buffer.len() - filled).min(self.0.len() - self.2);
                buffer[filled..filled + len].copy_from_slice(&self.0[self.2..self.2 + len]);
                filled += len;
                self.2 += len;
                if self.2 == self.0.len() {
                    self.2 = 0;
                    self.1 -= 1;
                }
            }
            Ok(filled)
        }
    }
    Cursor::new(head.to_owned()).chain(Repeat(part, times, 0)).chain(Cursor::new(tail.to_owned()))
}

#[test]
fn events_come_with_their_lines_and_in_order() {
    let text: String = (0..50_000).map(|n| if n % 10 == 3 { "\n".to_owned() } else { team(n) }).collect();
    let len = text.len() as u64;
    let all = read(Cursor::new(text));
    assert_eq!(all.events.len(), 45_000);
    for (line, event) in &all.events {
        assert_eq!(event.identity(), format!("t\u{1f}t{}", line - 1));
    }
    assert!(all.events.is_sorted_by_key(|(line, _)| *line));
    assert_eq!(all.bytes_read, len);
}

#[test]
fn bad_lines_are_rejected_with_their_numbers_and_the_rest_is_kept() {
    let text = [
        team(1).as_bytes(),
        b"{\"kind\":\"deployment\",\"service\":\"s\",\"id\":\"1\",\"started_at\":\"2026-10-01T12:00:00\"}\n",
        b"\xff\xfe\n\n",
        b"{\"kind\":\"team\",\"slug\":\"a\0b\"}\n",
        team(2).as_bytes(),
        b"{\"kind\":\"team\",\"slug\":\"cut",
    ]
    .concat();
    let all = read(Cursor::new(text));
    assert_eq!(all.events.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 6]);
    let told: String = all.rejected.iter().map(|rejected| format!("{rejected}\n")).collect();
    insta::assert_snapshot!(told, @r#"
    line 2: started_at: "2026-10-01T12:00:00": the time has no offset (write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00)
    line 3: it is not UTF-8 (column 1, near `��`) (send the text as UTF-8)
    line 5: it holds a NUL byte: control character (\u0000-\u001F) found while parsing a string (column 25, near `nd":"team","slug":"a�b"}`) (the text is damaged: send it again)
    line 7: it ends too early, after `d":"team","slug":"cut` (the end seems to be cut off: send it again whole)
    "#);
}

#[test]
fn a_line_of_a_gigabyte_is_counted_and_not_held() {
    static PART: [u8; 1 << 20] = [b'x'; 1 << 20];
    let head = format!("{}{{\"kind\":\"team\",\"slug\":\"", team(1));
    let all = read(endless(&head, &PART, 1_024, &format!("\"}}\n{}", team(2))));
    assert_eq!(all.events.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 3]);
    insta::assert_snapshot!(all.rejected[0], @"line 2: the event has 1073741849 bytes, more than 1048576 (shorten its texts and lists, or send what it holds in several events)");
}

#[test]
fn an_array_is_read_element_by_element() {
    static PART: &[u8] = b"{\"kind\":\"team\",\n \"slug\":\"a\"},\n";
    let mut count = 0;
    for batch in EventStream::new(endless("[", PART, 100_000, "7]"), intake(), 2).unwrap() {
        let batch = batch.unwrap();
        assert!(batch.events.len() < 10_000);
        count += batch.events.len();
        if let Some(rejected) = batch.rejected.first() {
            assert_eq!((rejected.index, rejected.line), (100_000, Some(200_001)));
        }
    }
    assert_eq!(count, 100_000);
}

#[test]
fn an_array_that_is_cut_off_gives_what_it_has() {
    let all = read(Cursor::new(format!("[{},\n{},\n{{\"kind\":\"te", team(1).trim(), team(2).trim())));
    assert_eq!(all.events.len(), 2);
    let told: String = all.rejected.iter().map(|rejected| format!("{rejected}\n")).collect();
    insta::assert_snapshot!(told, @r#"
    line 3: it ends too early, after `{"kind":"te` (the end seems to be cut off: send it again whole)
    line 3: the array is not closed (the end seems to be cut off: send it again whole)
    "#);
}

#[test]
fn nothing_in_is_nothing_out() {
    for text in ["", "\n\n", "[]", "\u{feff}"] {
        let all = read(Cursor::new(text));
        assert_eq!((all.events.len(), all.rejected.len()), (0, 0), "{text:?}");
    }
}

#[test]
fn millions_of_bad_lines_fill_no_memory() {
    let all = read(endless("", b"{}\n", 1_000_000, ""));
    assert_eq!(all.rejected.len() as u64 + all.more_rejected, 1_000_000);
    assert!(all.rejected.len() < 100_000);
}

#[test]
fn a_reader_that_fails_ends_the_stream_with_its_error_after_what_came_before() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let mut stream = EventStream::new(Cursor::new(team(1) + &team(2)).chain(Failing), intake(), 2).unwrap();
    assert_eq!(stream.next().unwrap().unwrap().events.len(), 2);
    assert_eq!(stream.next().unwrap().unwrap_err().to_string(), "the disk is gone");
    assert!(stream.next().is_none());
}

#[tokio::test]
async fn asynchronous_code_gets_the_batches_through_a_channel() {
    let text: String = (0..50_000).map(team).collect();
    let mut batches = EventStream::new(Cursor::new(text), intake(), 2).unwrap().into_receiver().unwrap();
    let mut count = 0;
    while let Some(batch) = batches.recv().await {
        count += batch.unwrap().events.len();
    }
    assert_eq!(count, 50_000);
}
