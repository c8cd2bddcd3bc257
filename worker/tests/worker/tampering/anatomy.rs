//! A message cut into its fields, by a reading of the format reference
//! (<https://docs.aws.amazon.com/encryption-sdk/latest/developer-guide/message-format.html>) that shares nothing with
//! the parser under test. It is for sound messages and panics on others.

use std::ops::Range;

/// One field: where it lies in the message.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) part: Part,
    /// Fields of one kind share a name.
    pub(crate) name: &'static str,
    pub(crate) range: Range<usize>,
}

/// Neighbouring fields that make sense together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Beginning,
    MessageId,
    Context,
    DataKeys,
    /// What the header says of the body, and its tag.
    Shape,
    Body,
    Signature,
}

/// All fields, in their order, without a gap.
pub(crate) fn fields(message: &[u8]) -> Vec<Field> {
    let mut knife = Knife { message, part: Part::Beginning, fields: Vec::new() };
    let version = knife.number("version", 1);
    if version == 1 {
        knife.cut("type", 1);
    }
    let suite = knife.number("algorithm suite", 2);
    knife.part = Part::MessageId;
    knife.cut("message id", if version == 1 { 16 } else { 32 });
    knife.context();
    knife.data_keys();
    knife.part = Part::Shape;
    let is_framed = knife.number("content type", 1) == 2;
    if version == 1 {
        knife.cut("reserved bytes", 4);
        knife.cut("IV length", 1);
    }
    let frame_length = knife.number("frame length", 4);
    if version == 1 {
        knife.cut("header IV", 12);
    } else {
        knife.cut("commitment key", 32);
    }
    knife.cut("header tag", 16);
    knife.part = Part::Body;
    if is_framed {
        knife.frames(frame_length)
    } else {
        knife.single_block()
    }
    knife.part = Part::Signature;
    if matches!(suite, 0x0378 | 0x0578) {
        knife.counted("signature length", "signature");
    }
    assert_eq!(knife.end(), message.len(), "bytes are left over");
    knife.fields
}

/// Where a part lies. Empty, and at its place, where the message has none of it.
pub(crate) fn span(message: &[u8], part: Part) -> Range<usize> {
    let fields = fields(message);
    let start = fields.iter().find(|field| field.part >= part).map_or(message.len(), |field| field.range.start);
    let end = fields.iter().rfind(|field| field.part <= part).map_or(0, |field| field.range.end);
    start..end
}

/// Where the first field of a name lies.
pub(crate) fn field(message: &[u8], name: &str) -> Range<usize> {
    let found = fields(message).into_iter().find(|field| field.name == name);
    found.unwrap_or_else(|| panic!("the message has no {name}")).range
}

struct Knife<'a> {
    message: &'a [u8],
    part: Part,
    fields: Vec<Field>,
}

impl<'a> Knife<'a> {
    fn end(&self) -> usize {
        self.fields.last().map_or(0, |field| field.range.end)
    }

    fn cut(&mut self, name: &'static str, length: usize) -> &'a [u8] {
        let range = self.end()..self.end() + length;
        self.fields.push(Field { part: self.part, name, range: range.clone() });
        &self.message[range]
    }

    fn number(&mut self, name: &'static str, length: usize) -> usize {
        self.cut(name, length).iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    fn counted(&mut self, name_of_length: &'static str, name: &'static str) -> &'a [u8] {
        let length = self.number(name_of_length, 2);
        self.cut(name, length)
    }

    fn context(&mut self) {
        self.part = Part::Context;
        if self.number("context length", 2) == 0 {
            return;
        }
        for _ in 0..self.number("context pair count", 2) {
            let value = match self.counted("context key length", "context key") {
                b"aws-crypto-public-key" => "public key",
                b"userpool-id" => "pool",
                _ => "context value",
            };
            self.counted("context value length", value);
        }
    }

    fn data_keys(&mut self) {
        self.part = Part::DataKeys;
        for _ in 0..self.number("data key count", 2) {
            self.counted("provider id length", "provider id");
            self.counted("key ARN length", "key ARN");
            self.counted("wrapped key length", "wrapped key");
        }
    }

    fn frames(&mut self, frame_length: usize) {
        loop {
            let is_last = self.message[self.end()..].starts_with(&[0xff; 4]);
            if is_last {
                self.cut("final frame mark", 4);
            }
            self.cut("sequence number", 4);
            self.cut("frame IV", 12);
            let length = if is_last { self.number("content length", 4) } else { frame_length };
            self.cut("content", length);
            self.cut("tag", 16);
            if is_last {
                return;
            }
        }
    }

    fn single_block(&mut self) {
        self.cut("frame IV", 12);
        let length = self.number("content length", 8);
        self.cut("content", length);
        self.cut("tag", 16);
    }
}
