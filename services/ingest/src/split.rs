//! Finds where one event ends and the next begins, in bytes that arrive in pieces of any size.
//!
//! It knows three forms: one object a line, an array, and objects one after the other over several lines (a
//! pretty-printed one among them). It holds at most one unfinished event, and none that is longer than the limit:
//! of that one it only counts the bytes. What is inside an event is not its business.

use std::ops::Range;

use memchr::{memchr, memchr3};

mod form;

pub(crate) use form::Form;

/// One event's text, or what stands in its place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Its place among the events, from 0.
    pub index: u64,
    /// The line where it begins, from 1.
    pub line: u64,
    /// The column where it begins, in bytes, from 1.
    pub column: u64,
    pub content: Content,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Where in its block the text is.
    Text(Range<usize>),
    /// It has so many bytes and was not kept.
    TooLong(u64),
    /// The text around the events is broken.
    Fault(Fault),
}

/// What can be wrong around events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("a value is missing beside this comma")]
    MissingElement,
    #[error("the array is not closed")]
    UnclosedArray,
    #[error("there is text after the end of the array")]
    AfterArray,
}

impl Fault {
    pub fn hint(self) -> &'static str {
        match self {
            Self::MissingElement => "take the comma away",
            Self::UnclosedArray => "the end seems to be cut off: send it again whole",
            Self::AfterArray => "send one array, or one object a line",
        }
    }
}

/// Some finished pieces and the bytes that they are in.
#[derive(Debug)]
pub(crate) struct Block {
    pub bytes: Vec<u8>,
    pub pieces: Vec<Piece>,
}

/// Where in an array the scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Before,
    Inside { after_comma: bool },
    After,
    Lost,
}

#[derive(Debug)]
pub(crate) struct Splitter {
    limit: usize,
    form: Option<Form>,
    stage: Stage,
    buffer: Vec<u8>,
    /// Up to where the buffer was looked at.
    scanned: usize,
    /// Where the unfinished piece begins.
    start: usize,
    /// So many bytes of the unfinished piece were thrown away.
    dropped: u64,
    /// Line and column of the unfinished piece's first character; `None` before it came.
    begun: Option<(u64, u64)>,
    depth: u64,
    in_string: bool,
    is_escaped: bool,
    /// The line of the byte at `scanned`, and where in all the input it begins.
    line: u64,
    line_offset: u64,
    /// Where in all the input the buffer begins.
    offset: u64,
    index: u64,
    pieces: Vec<Piece>,
}

impl Splitter {
    /// `form` where it is known; `limit` bytes an event.
    pub fn new(form: Option<Form>, limit: usize) -> Self {
        Self {
            limit,
            form,
            stage: Stage::Before,
            buffer: Vec::new(),
            scanned: 0,
            start: 0,
            dropped: 0,
            begun: None,
            depth: 0,
            in_string: false,
            is_escaped: false,
            line: 1,
            line_offset: 0,
            offset: 0,
            index: 0,
            pieces: Vec::new(),
        }
    }

    /// The form, once it is known.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        self.scan(false);
    }

    pub fn finish(&mut self) {
        self.scan(true);
        let end = self.buffer.len();
        match self.form {
            Some(Form::Lines) => self.end_line(end),
            Some(Form::Values) => self.end_piece(end),
            Some(Form::Array) if matches!(self.stage, Stage::Inside { .. }) => {
                self.end_piece(end);
                self.fault(end, Fault::UnclosedArray);
            }
            Some(Form::Array) | None => {}
        }
        self.start = end;
        self.scanned = end;
    }

    /// What is finished so far.
    pub fn take(&mut self) -> Option<Block> {
        let rest = self.buffer.split_off(self.start);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.offset += self.start as u64;
        self.scanned -= self.start;
        self.start = 0;
        let pieces = std::mem::take(&mut self.pieces);
        (!pieces.is_empty()).then_some(Block { bytes, pieces })
    }

    fn scan(&mut self, is_end: bool) {
        if self.form.is_none() {
            self.form = form::detect(&self.buffer, self.limit, is_end);
        }
        match self.form {
            Some(Form::Lines) => self.scan_lines(),
            Some(Form::Values) => self.scan_values(false),
            Some(Form::Array) => self.scan_values(true),
            None => return,
        }
        // No room is wasted on what cannot become an event.
        if self.buffer.len() - self.start > self.limit + 4_096 {
            self.dropped += (self.buffer.len() - self.start) as u64;
            self.buffer.truncate(self.start);
            self.scanned = self.start;
        }
    }

    fn scan_lines(&mut self) {
        while let Some(at) = memchr(b'\n', &self.buffer[self.scanned..]) {
            let end = self.scanned + at;
            self.end_line(end);
            self.scanned = end + 1;
            self.start = self.scanned;
            self.line += 1;
        }
        self.scanned = self.buffer.len();
    }

    fn end_line(&mut self, end: usize) {
        let text = &self.buffer[self.start..end];
        let text = text.strip_prefix(form::BOM).filter(|_| self.line == 1).unwrap_or(text);
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() && self.dropped == 0 {
            return;
        }
        let column = text.len() - text.trim_ascii_start().len();
        let from = end - text.len() + column;
        let content = if self.dropped > 0 || trimmed.len() > self.limit {
            Content::TooLong(self.dropped + trimmed.len() as u64)
        } else {
            Content::Text(from..from + trimmed.len())
        };
        self.dropped = 0;
        self.piece(self.line, column as u64 + 1, content);
    }

    fn scan_values(&mut self, is_array: bool) {
        let mut at = self.scanned;
        while at < self.buffer.len() {
            let byte = self.buffer[at];
            if self.in_string {
                at = self.skip_string(at);
                continue;
            }
            match byte {
                b'\n' => {
                    // A line of its own that is no object: the next line may be one.
                    if !is_array && self.depth == 0 {
                        self.end_piece(at);
                    }
                    self.new_line(at);
                }
                b' ' | b'\t' | b'\r' => {}
                _ if is_array && self.depth == 0 && self.array_byte(at, byte) => {}
                b'"' => {
                    self.begin(at);
                    self.in_string = true;
                }
                b'{' | b'[' => {
                    self.begin(at);
                    self.depth += 1;
                }
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 && !is_array {
                        self.end_piece(at + 1);
                    }
                }
                _ if self.offset == 0 && at < form::BOM.len() && self.buffer.starts_with(form::BOM) => {}
                _ => self.begin(at),
            }
            at += 1;
        }
        self.scanned = self.buffer.len();
        if self.begun.is_none() {
            self.start = self.scanned;
        }
    }

    /// The bytes of an array that belong to none of its elements; `false` for all others.
    fn array_byte(&mut self, at: usize, byte: u8) -> bool {
        match (self.stage, byte) {
            (Stage::Before | Stage::After, b'[') => self.stage = Stage::Inside { after_comma: false },
            (Stage::Before, _) | (Stage::Lost, _) => {}
            (Stage::After, _) => {
                self.fault(at, Fault::AfterArray);
                self.stage = Stage::Lost;
            }
            (Stage::Inside { .. }, b',') => {
                if self.begun.is_none() {
                    self.fault(at, Fault::MissingElement);
                }
                self.end_piece(at);
                self.stage = Stage::Inside { after_comma: true };
            }
            (Stage::Inside { after_comma }, b']') => {
                if after_comma && self.begun.is_none() {
                    self.fault(at, Fault::MissingElement);
                }
                self.end_piece(at);
                self.stage = Stage::After;
            }
            (Stage::Inside { .. }, _) => return false,
        }
        true
    }

    /// To behind the string, or behind what there is of it.
    fn skip_string(&mut self, mut at: usize) -> usize {
        if self.is_escaped {
            self.is_escaped = false;
            // A newline cannot be escaped; it is looked at below.
            if self.buffer[at] != b'\n' {
                at += 1;
            }
        }
        let Some(next) = memchr3(b'"', b'\\', b'\n', &self.buffer[at..]) else {
            return self.buffer.len();
        };
        let at = at + next;
        match self.buffer[at] {
            b'\\' => self.is_escaped = true,
            // No string goes over a line's end: one that does was not closed, and the events behind it are whole.
            b'\n' => {
                self.in_string = false;
                return at;
            }
            _ => self.in_string = false,
        }
        at + 1
    }

    fn new_line(&mut self, at: usize) {
        self.line += 1;
        self.line_offset = self.offset + self.dropped + at as u64 + 1;
    }

    fn begin(&mut self, at: usize) {
        if self.begun.is_none() {
            self.begun = Some((self.line, (self.offset + at as u64).saturating_sub(self.line_offset) + 1));
            self.start = at;
        }
    }

    fn end_piece(&mut self, end: usize) {
        let Some((line, column)) = self.begun.take() else {
            self.start = end;
            return;
        };
        let text = self.buffer[self.start..end].trim_ascii_end();
        let content = if self.dropped > 0 || text.len() > self.limit {
            Content::TooLong(self.dropped + text.len() as u64)
        } else {
            Content::Text(self.start..self.start + text.len())
        };
        self.offset += std::mem::take(&mut self.dropped);
        self.depth = 0;
        self.in_string = false;
        self.is_escaped = false;
        self.start = end;
        self.piece(line, column, content);
    }

    fn fault(&mut self, at: usize, fault: Fault) {
        let column = (self.offset + at as u64).saturating_sub(self.line_offset) + 1;
        self.piece(self.line, column, Content::Fault(fault));
    }

    fn piece(&mut self, line: u64, column: u64, content: Content) {
        self.pieces.push(Piece { index: self.index, line, column, content });
        // A fault takes no event's place.
        if !matches!(self.pieces.last(), Some(Piece { content: Content::Fault(_), .. })) {
            self.index += 1;
        }
    }
}

#[cfg(test)]
mod tests;
