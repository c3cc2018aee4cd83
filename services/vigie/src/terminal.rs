//! What is shown where: data on standard output, everything else on standard error; colours and moving bars only
//! where a person looks.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How data is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// `--format`, for the commands that answer with a table.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Output {
    /// How to write the answer
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// A colour with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Warning,
    Bad,
    Faint,
    Strong,
}

/// Whether standard output takes colours.
#[derive(Debug, Clone, Copy)]
pub struct Paint(bool);

impl Paint {
    /// Colours on a terminal, unless `NO_COLOR` asks for none.
    pub fn for_stdout() -> Self {
        Self(std::io::stdout().is_terminal() && wants_colour())
    }

    /// The same for standard error.
    pub fn for_stderr() -> Self {
        Self(std::io::stderr().is_terminal() && wants_colour())
    }

    /// No colours.
    #[cfg(test)]
    pub fn plain() -> Self {
        Self(false)
    }

    /// Whether there are colours.
    pub fn is_coloured(self) -> bool {
        self.0
    }

    /// The text in a tone.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "31",
            Tone::Faint => "2",
            Tone::Strong => "1",
        };
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Writes data to standard output. A reader that went away (`| head`) ends the program quietly.
pub fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        result => result,
    }
}

/// Writes a line to standard error.
pub fn say(line: impl std::fmt::Display) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes a value as indented JSON to standard output.
pub fn print_json(value: &serde_json::Value) -> std::io::Result<()> {
    print(&format!("{value:#}\n"))
}

/// A bar for work whose amount is known, with an estimate of what is left. Nothing where nobody looks.
pub fn bar(length: u64, what: &str) -> ProgressBar {
    moving(ProgressBar::new(length), "{msg} {wide_bar:.cyan/dim} {percent:>3} %  {per_sec}, {eta} left", what)
}

/// The same in bytes.
pub fn bytes_bar(length: u64, what: &str) -> ProgressBar {
    let template = "{msg} {wide_bar:.cyan/dim} {bytes} of {total_bytes}  {bytes_per_sec}, {eta} left";
    moving(ProgressBar::new(length), template, what)
}

/// A sign of life for work whose amount nobody knows.
pub fn spinner(what: &str) -> ProgressBar {
    let bar = moving(ProgressBar::new_spinner(), "{spinner} {msg} {elapsed}", what);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn moving(bar: ProgressBar, template: &str, what: &str) -> ProgressBar {
    // indicatif hides the bar where standard error is no terminal.
    bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

/// A table of text: columns as wide as their widest cell; numbers to the right.
pub struct Grid {
    rows: Vec<Vec<(String, Option<Tone>)>>,
    right: Vec<bool>,
}

impl Grid {
    /// A table with these headings; those that begin with `>` are of columns that stand to the right.
    pub fn new(headings: &[&str]) -> Self {
        let right = headings.iter().map(|heading| heading.starts_with('>')).collect();
        let row = headings.iter().map(|heading| (heading.trim_start_matches('>').to_owned(), Some(Tone::Strong)));
        Self { rows: vec![row.collect()], right }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = (String, Option<Tone>)>) {
        // What tools call their things is shown, and commands nobody's terminal.
        let clean = |text: String| match text.chars().any(char::is_control) {
            true => text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect(),
            false => text,
        };
        self.rows.push(cells.into_iter().map(|(text, tone)| (clean(text), tone)).collect());
    }

    /// The table as lines, each with two blanks before it.
    pub fn render(&self, paint: Paint) -> String {
        let columns = self.right.len();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|(text, _)| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (text, tone)) in row.iter().enumerate() {
                let blanks = " ".repeat(widths.get(column).unwrap_or(&0).saturating_sub(text.chars().count()));
                let shown = tone.map_or_else(|| text.clone(), |tone| paint.tone(tone, text));
                let is_right = self.right.get(column).copied().unwrap_or(false);
                line.push_str("  ");
                line.push_str(&if is_right { blanks + &shown } else { shown + &blanks });
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// A cell without a tone.
pub fn plain(text: impl Into<String>) -> (String, Option<Tone>) {
    (text.into(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_lines_its_columns_up() {
        let mut grid = Grid::new(&["Name", ">Count"]);
        grid.row([plain("a"), plain("12,345")]);
        grid.row([plain("longer"), ("7".to_owned(), Some(Tone::Bad))]);
        assert_eq!(grid.render(Paint::plain()), "  Name     Count\n  a       12,345\n  longer       7\n");
        assert!(grid.render(Paint(true)).contains("     \x1b[31m7\x1b[0m\n"));
    }
}
