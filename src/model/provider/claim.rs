//! The places where a claim about an account may stand.

/// One place where a claim may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    /// Which document.
    pub source: ClaimSource,
    /// A JSON pointer into it.
    pub pointer: String,
}

/// Which document a claim stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimSource {
    /// The payload of the access token, a JWT.
    AccessToken,
    /// The payload of the ID token.
    IdToken,
    /// The token response itself.
    Response,
    /// The answer of the userinfo endpoint.
    UserInfo,
}
