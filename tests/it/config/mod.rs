//! `openclaw.json`: what is read from it, and what an edit leaves alone.

mod edit_properties;
mod edits;
mod encodings;
mod includes;
mod untouched;
