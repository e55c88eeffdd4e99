//! As much of the wire format of D-Bus as a bus of tests needs: little-endian, no descriptors.

/// The values of a message's body, with their signature.
#[derive(Clone, Default)]
pub(crate) struct Values {
    pub(super) signature: String,
    pub(super) bytes: Vec<u8>,
}

impl Values {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn string(mut self, text: &str) -> Self {
        self.signature.push('s');
        put_text(&mut self.bytes, text);
        self
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        self.signature.push('o');
        put_text(&mut self.bytes, path);
        self
    }

    pub(crate) fn paths(mut self, paths: &[&str]) -> Self {
        self.signature.push_str("ao");
        let mut array = Vec::new();
        for path in paths {
            put_text(&mut array, path);
        }
        put_number(&mut self.bytes, array.len());
        self.bytes.extend(array);
        self
    }

    pub(crate) fn flag(mut self, value: bool) -> Self {
        self.signature.push('v');
        self.bytes.extend([1, b'b', 0]);
        put_number(&mut self.bytes, value.into());
        self
    }

    /// The answer of `OpenSession`.
    pub(crate) fn session() -> Self {
        let mut values = Self::new();
        values.signature.push('v');
        values.bytes.extend([1, b's', 0]);
        put_text(&mut values.bytes, "");
        values.path("/session")
    }

    pub(crate) fn is_session(&self) -> bool {
        self.signature == "vo"
    }

    /// A secret that is handed over in that session.
    pub(crate) fn secret(secret: &[u8]) -> Self {
        let mut values = Self::new();
        values.signature.push_str("(oayays)");
        put_text(&mut values.bytes, "/session");
        for bytes in [&[], secret] {
            put_number(&mut values.bytes, bytes.len());
            values.bytes.extend(bytes);
        }
        put_text(&mut values.bytes, "application/octet-stream");
        values
    }
}

fn align(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

fn put_number(bytes: &mut Vec<u8>, number: usize) {
    align(bytes, 4);
    bytes.extend(u32::try_from(number).unwrap().to_le_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len());
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

/// A reply to the call of this number: an error where it has a name.
pub(super) fn reply(to: u32, error: Option<&str>, body: &Values) -> Vec<u8> {
    let mut fields = vec![5, 1, b'u', 0];
    fields.extend(to.to_le_bytes());
    let texts = [
        (4, 's', error),
        (6, 's', Some(":1.1")),
        (7, 's', Some(":1.0")),
    ];
    for (code, kind, text) in texts {
        if let Some(text) = text {
            align(&mut fields, 8);
            fields.extend([code, 1, kind as u8, 0]);
            put_text(&mut fields, text);
        }
    }
    if !body.signature.is_empty() {
        align(&mut fields, 8);
        let length = u8::try_from(body.signature.len()).unwrap();
        fields.extend([8, 1, b'g', 0, length]);
        fields.extend(body.signature.as_bytes());
        fields.push(0);
    }
    let kind = if error.is_some() { 3 } else { 2 };
    let mut message = vec![b'l', kind, 1, 1];
    put_number(&mut message, body.bytes.len());
    put_number(&mut message, 1_000_000 + to as usize);
    put_number(&mut message, fields.len());
    message.extend(fields);
    align(&mut message, 8);
    message.extend(&body.bytes);
    message
}

/// What of a call matters here.
pub(super) struct Call {
    pub(super) serial: u32,
    pub(super) member: String,
}

/// Reads one call; `None` once the caller is gone.
pub(super) fn read_call(stream: &mut impl std::io::Read) -> Option<Call> {
    let mut head = [0; 16];
    stream.read_exact(&mut head).ok()?;
    assert_eq!(head[0], b'l', "this machine speaks another order of bytes");
    let number = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().unwrap());
    let fields_length = number(12) as usize;
    let mut rest = vec![0; fields_length.next_multiple_of(8) + number(4) as usize];
    stream.read_exact(&mut rest).ok()?;
    let fields = &rest[..fields_length];
    let mut at = 0;
    let mut member = String::new();
    while at < fields.len() {
        let (code, kind) = (fields[at], fields[at + 2]);
        at += 4;
        let (start, length) = match kind {
            b'g' => (at + 1, fields[at].into()),
            b'u' => (at, 3),
            _ => {
                let length = u32::from_le_bytes(fields[at..at + 4].try_into().unwrap());
                (at + 4, length as usize)
            }
        };
        if code == 3 {
            member = String::from_utf8(fields[start..start + length].to_vec()).unwrap();
        }
        at = (start + length + 1).next_multiple_of(8);
    }
    let serial = number(8);
    Some(Call { serial, member })
}
