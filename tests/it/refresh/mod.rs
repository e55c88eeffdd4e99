//! Refreshing: when a token is due, that one request is made whoever asks, and that no spent refresh
//! token is sent again.

pub(crate) mod concurrency;
mod expiry_and_clock_skew;
mod min_valid;
mod odd_answers;
mod one_request;
mod other_account;
mod overslept;
mod proxy_and_certificates;
mod refusals;
mod rotation_stale_copy;
mod tick;
mod tick_problems;
mod unknown_life;
