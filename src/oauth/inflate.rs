//! DEFLATE (RFC 1951), for answers that come compressed although `identity` was asked for.
//!
//! Own code, because the smallest crate for it takes most of what the binary may still grow. Slow
//! and short: answers are a few KiB long. Sums are not checked, for what comes out must be JSON.

/// Base and extra bits of the lengths of symbols 257 to 285.
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
/// In which order the lengths of the code lengths come (section 3.2.7).
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];
/// The longest code, in bits.
const MAX_BITS: usize = 15;

/// Decompresses the beginning of `data`; `None` if it is no such stream, is torn, or gives more
/// than `limit` bytes.
pub(super) fn inflate(data: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut bits = Bits { data, at: 0 };
    let mut out = Vec::new();
    loop {
        let is_last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => copy_stored(&mut bits, &mut out, limit)?,
            1 => {
                let literal = |symbol| match symbol {
                    0..144 => 8,
                    144..256 => 9,
                    256..280 => 7,
                    _ => 8,
                };
                let literals: Vec<u8> = (0..288).map(literal).collect();
                let codes = (Codes::new(&literals), Codes::new(&[5; 30]));
                read_block(&mut bits, &codes, &mut out, limit)?;
            }
            2 => {
                let codes = read_codes(&mut bits)?;
                read_block(&mut bits, &codes, &mut out, limit)?;
            }
            _ => return None,
        }
        if is_last {
            return Some(out);
        }
    }
}

/// Bits, the lowest of each byte first.
struct Bits<'a> {
    data: &'a [u8],
    /// The next bit.
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u8) -> Option<u16> {
        let mut value = 0;
        for place in 0..count {
            let byte = self.data.get(self.at / 8)?;
            value |= u16::from(byte >> (self.at % 8) & 1) << place;
            self.at += 1;
        }
        Some(value)
    }
}

/// A canonical Huffman code: how many codes there are of each length, and their symbols in order.
struct Codes {
    counts: [u16; MAX_BITS + 1],
    symbols: Vec<u16>,
}

impl Codes {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0; MAX_BITS + 1];
        for length in lengths.iter().filter(|length| **length > 0) {
            counts[usize::from(*length)] += 1;
        }
        let mut symbols: Vec<u16> = (0..).take(lengths.len()).collect();
        symbols.retain(|symbol| lengths[usize::from(*symbol)] > 0);
        symbols.sort_by_key(|symbol| lengths[usize::from(*symbol)]);
        Self { counts, symbols }
    }

    fn decode(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let (mut code, mut first, mut index) = (0_usize, 0_usize, 0_usize);
        for count in &self.counts[1..] {
            let count = usize::from(*count);
            code |= usize::from(bits.take(1)?);
            if let Some(place) = code.checked_sub(first).filter(|place| *place < count) {
                return self.symbols.get(index + place).copied();
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

fn copy_stored(bits: &mut Bits<'_>, out: &mut Vec<u8>, limit: usize) -> Option<()> {
    let start = bits.at.div_ceil(8);
    let head = bits.data.get(start..start + 4)?;
    let length = u16::from_le_bytes([head[0], head[1]]);
    if u16::from_le_bytes([head[2], head[3]]) != !length {
        return None;
    }
    let end = start + 4 + usize::from(length);
    out.extend_from_slice(bits.data.get(start + 4..end)?);
    bits.at = end * 8;
    (out.len() <= limit).then_some(())
}

/// Reads the codes of a block that brings its own (section 3.2.7): of literals and of distances.
fn read_codes(bits: &mut Bits<'_>) -> Option<(Codes, Codes)> {
    let literals = usize::from(bits.take(5)?) + 257;
    let distances = usize::from(bits.take(5)?) + 1;
    let given = usize::from(bits.take(4)?) + 4;
    let mut lengths = [0; 19];
    for place in &ORDER[..given] {
        lengths[*place] = u8::try_from(bits.take(3)?).ok()?;
    }
    let code = Codes::new(&lengths);
    let mut lengths: Vec<u8> = Vec::new();
    while lengths.len() < literals + distances {
        let (length, times) = match code.decode(bits)? {
            16 => (*lengths.last()?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (u8::try_from(length).ok()?, 1),
        };
        lengths.extend((0..times).map(|_| length));
    }
    let (literals, distances) = lengths.split_at(literals);
    Some((Codes::new(literals), Codes::new(distances)))
}

fn read_block(
    bits: &mut Bits<'_>,
    (literals, distances): &(Codes, Codes),
    out: &mut Vec<u8>,
    limit: usize,
) -> Option<()> {
    while out.len() <= limit {
        let symbol = literals.decode(bits)?;
        if let Ok(byte) = u8::try_from(symbol) {
            out.push(byte);
            continue;
        }
        let Some(place) = symbol.checked_sub(257) else {
            return Some(());
        };
        let (base, extra) = *LENGTHS.get(usize::from(place))?;
        let length = base + bits.take(extra)?;
        let start = out.len().checked_sub(distance(bits, distances)?)?;
        for at in (start..).take(usize::from(length)) {
            out.push(out[at]);
        }
    }
    None
}

/// Two symbols for each number of extra bits, beginning with four for none (section 3.2.5).
fn distance(bits: &mut Bits<'_>, distances: &Codes) -> Option<usize> {
    let symbol = distances.decode(bits)?;
    let extra = u8::try_from((symbol / 2).saturating_sub(1))
        .ok()
        .filter(|extra| *extra < 14)?;
    let base = match symbol {
        0..2 => usize::from(symbol),
        _ => usize::from(2 + symbol % 2) << extra,
    };
    Some(base + usize::from(bits.take(extra)?) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by zlib: stored, with the fixed code, and with a code of its own.
    const STORED: &[u8] = b"\x01\x07\x00\xf8\xff{\x22a\x22:1}";
    const FIXED: &[u8] = b"\xabVJT\xb22\xac\x05\x00";
    const DYNAMIC: &[u8] =
        b"\x1d\x90\xd1\x01\xc4 \x08CW\xc9\x08UA\xea8D\xe9\xfe#\x5c\xbc\x1fE|$\xd1\x07\xad\xeaC\x90\
        \x1b\x0dukw\x83\xa3\xc8\x04\xc9\x05]\xb8?XU\x0b\x13\x93\x1c\xc8*G\xbf\xb8\x16\xe6Q\xbd\
        \xea\xec;\xfa\xc0\xa4\x96\xff\xbe\x86\xf0\xfa0\xf1\x9b\x92\x97\xda\x05w\x87N2P\xe3u1Yl\
        \xf06TNF\xd7\xfc,\xd9\xba}\x9f\xb8e\x92\x9f\xf4W~o \x85\xc7\x91\xbc\xb9\xe2\xb4\x9a\x07\
        \xcdv\xc9\x96\xec)\xb0\xdf\xf8\xaf\xf1\xe6\xb3)\xcd\xe0\xa3\xad\xc6\xc0\xa7\xadO\x84\xf2\
        \xa8_\xd5\xba\xc0\x907f\xee\x05\xa6\xa2\x99\xe4Lo>\xa7\xa4_\xb96\xf2\xec\xeb[\x87!0\xa8<\
        \xed\xac\x03\x1f\x1f\x953R\xdf3\xd3B\x9aCI\xf2\xb8\x8c\xa4\xd6\x968\xeb?";

    #[test]
    fn every_kind_of_block_is_read() {
        assert_eq!(inflate(STORED, 100).unwrap(), br#"{"a":1}"#);
        assert_eq!(inflate(FIXED, 100).unwrap(), br#"{"a":1}"#);
        let number = |at: u32| at * at * 7_919 % 65_537 / [4_096, 1, 1][at as usize % 3];
        let numbers: Vec<_> = (0..90).map(|at| format!("{:x}", number(at))).collect();
        assert_eq!(
            inflate(DYNAMIC, 1_000).unwrap(),
            numbers.join(" ").as_bytes()
        );
    }

    #[test]
    fn what_is_torn_too_long_or_none_gives_nothing() {
        assert_eq!(inflate(DYNAMIC, 200), None);
        for end in 0..DYNAMIC.len() {
            assert_eq!(inflate(&DYNAMIC[..end], 1_000), None, "{end}");
        }
        assert_eq!(inflate(b"<html>", 1_000), None);
        assert_eq!(inflate(&[0x07; 9], 1_000), None);
        for seed in 0..2_000_u32 {
            let noise: Vec<u8> = (0..64)
                .map(|at| (seed.wrapping_mul(2_654_435_761) >> (at % 25)) as u8)
                .collect();
            let _ = inflate(&noise, 10_000);
        }
    }
}
