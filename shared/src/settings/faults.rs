/// Everything that is wrong with a configuration file, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.listed())]
pub struct Faults(Vec<Fault>);

/// One fault: where, what is wrong and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    pub message: String,
}

impl Fault {
    /// A fault at a byte of the file's text.
    pub fn at(text: &str, byte: usize, message: String) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        Self { line, column, message }
    }
}

impl Faults {
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub fn extend(&mut self, faults: Self) {
        self.0.extend(faults.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each fault; in the file's order where they came from [`Faults::or`].
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// `value` when there is no fault.
    ///
    /// # Errors
    /// The faults, sorted by place.
    pub fn or<T>(mut self, value: T) -> Result<T, Self> {
        if self.is_empty() {
            return Ok(value);
        }
        self.0.sort();
        Err(self)
    }

    fn listed(&self) -> String {
        self.0.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}
