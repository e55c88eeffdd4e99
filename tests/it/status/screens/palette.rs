//! The 16 colors as terminals draw them, and whether they can be read.
//!
//! The palette is Tango's, which many terminals take for both white on black and black on white.

use std::collections::BTreeSet;

/// What can be read needs this contrast (WCAG 2.2 for large text and graphics).
const LEAST: f64 = 3.0;

type Rgb = [f64; 3];

const BLACK: Rgb = [0.0, 0.0, 0.0];
const WHITE: Rgb = [255.0, 255.0, 255.0];

const COLORS: [(&str, Rgb); 16] = [
    ("black", [0x2e as f64, 0x34 as f64, 0x36 as f64]),
    ("red", [0xcc as f64, 0x00 as f64, 0x00 as f64]),
    ("green", [0x4e as f64, 0x9a as f64, 0x06 as f64]),
    ("yellow", [0xc4 as f64, 0xa0 as f64, 0x00 as f64]),
    ("blue", [0x34 as f64, 0x65 as f64, 0xa4 as f64]),
    ("magenta", [0x75 as f64, 0x50 as f64, 0x7b as f64]),
    ("cyan", [0x06 as f64, 0x98 as f64, 0x9a as f64]),
    ("white", [0xd3 as f64, 0xd7 as f64, 0xcf as f64]),
    ("bright black", [0x55 as f64, 0x57 as f64, 0x53 as f64]),
    ("bright red", [0xef as f64, 0x29 as f64, 0x29 as f64]),
    ("bright green", [0x8a as f64, 0xe2 as f64, 0x34 as f64]),
    ("bright yellow", [0xfc as f64, 0xe9 as f64, 0x4f as f64]),
    ("bright blue", [0x72 as f64, 0x9f as f64, 0xcf as f64]),
    ("bright magenta", [0xad as f64, 0x7f as f64, 0xa8 as f64]),
    ("bright cyan", [0x34 as f64, 0xe2 as f64, 0xe2 as f64]),
    ("bright white", [0xee as f64, 0xee as f64, 0xec as f64]),
];

/// A color by name; nothing for the terminal's own. Every other one is a fault.
pub(super) fn name(color: vt100::Color) -> Option<String> {
    match color {
        vt100::Color::Default => None,
        vt100::Color::Idx(n) if n < 16 => Some(COLORS[usize::from(n)].0.to_owned()),
        other => panic!("{other:?} is none of the 16 colors that a person chose"),
    }
}

/// WCAG 2.2, "relative luminance".
fn luminance(color: Rgb) -> f64 {
    let linear = color.map(|part| {
        let part = part / 255.0;
        match part <= 0.04045 {
            true => part / 12.92,
            false => ((part + 0.055) / 1.055).powf(2.4),
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// What a terminal draws: its own text color or one of the palette, and half way to the background
/// where it is faint.
fn drawn(index: Option<u8>, is_dim: bool, text: Rgb, background: Rgb) -> Rgb {
    let color = index.map_or(text, |n| COLORS[usize::from(n)].1);
    match is_dim {
        false => color,
        true => std::array::from_fn(|part| f64::midpoint(color[part], background[part])),
    }
}

fn on_both(index: Option<u8>, is_dim: bool) -> (f64, f64) {
    let dark = contrast(drawn(index, is_dim, WHITE, BLACK), BLACK);
    let light = contrast(drawn(index, is_dim, BLACK, WHITE), WHITE);
    (dark, light)
}

/// The contrast of everything that a screen shows, on black and on white. All of it can be read.
pub(super) fn contrasts(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let mut used = BTreeSet::new();
    for row in 0..rows.get() {
        for column in 0..columns.get() {
            let cell = screen.cell(row, column).unwrap();
            let index = match cell.fgcolor() {
                vt100::Color::Idx(n) => Some(n),
                _ => None,
            };
            if !cell.contents().trim().is_empty() {
                assert_eq!(cell.bgcolor(), vt100::Color::Default, "row {row}");
                used.insert((index, cell.dim()));
            }
        }
    }
    let lines = used.into_iter().map(|(index, is_dim)| {
        let (dark, light) = on_both(index, is_dim);
        let name = index.map_or("text", |n| COLORS[usize::from(n)].0);
        let dim = if is_dim { "dim " } else { "" };
        assert!(
            dark >= LEAST && light >= LEAST,
            "{dim}{name}: {dark:.2}, {light:.2}"
        );
        format!("{dim}{name}: {dark:.1} on black, {light:.1} on white")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_cannot_be_read_is_seen() {
    let (dark, light) = on_both(None, false);
    assert!((dark - 21.0).abs() < 0.01 && (light - 21.0).abs() < 0.01);
    // Yellow on white, and blue on black in the old way.
    assert!(on_both(Some(3), false).1 < LEAST);
    assert!(on_both(Some(15), false).1 < LEAST);
    assert!(on_both(Some(0), false).0 < LEAST);
}
