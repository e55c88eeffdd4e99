//! DEFLATE (RFC 1951), for answers that come compressed although `identity` was asked for.
//!
//! Sums are not checked, for what comes out must be JSON.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Decompresses the beginning of `data`, and gives what stands behind it, too; `None` if it is no
/// such stream, is torn, or gives more than `limit` bytes.
pub(super) fn inflate(data: &[u8], limit: usize) -> Option<(Vec<u8>, &[u8])> {
    let mut output = vec![0; data.len().saturating_mul(4).clamp(1, limit.max(1))];
    let mut state = Box::<DecompressorOxide>::default();
    let (mut read, mut written) = (0, 0);
    loop {
        let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, more_read, more_written) =
            decompress(&mut state, &data[read..], &mut output, written, flags);
        read += more_read;
        written += more_written;
        match status {
            TINFLStatus::Done => {
                output.truncate(written);
                return Some((output, &data[read..]));
            }
            TINFLStatus::HasMoreOutput if output.len() < limit => {
                output.resize(output.len().saturating_mul(2).min(limit), 0);
            }
            _ => return None,
        }
    }
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
        let inflated = |data: &[u8]| inflate(data, 1_000).unwrap().0;
        assert_eq!(inflated(STORED), br#"{"a":1}"#);
        assert_eq!(inflated(FIXED), br#"{"a":1}"#);
        let number = |at: u32| at * at * 7_919 % 65_537 / [4_096, 1, 1][at as usize % 3];
        let numbers: Vec<_> = (0..90).map(|at| format!("{:x}", number(at))).collect();
        assert_eq!(inflated(DYNAMIC), numbers.join(" ").as_bytes());
        let followed = [FIXED, b"behind"].concat();
        assert_eq!(inflate(&followed, 100).unwrap().1, b"behind");
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
