//! When a token is asked for.

use std::net::SocketAddr;

/// Whether requests need a token. One that comes is checked either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Every request needs one.
    Required,
    /// None does.
    Open,
}

/// Why a server does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{address} can be reached from other machines, and there is no token yet; create one (vigie token create NAME --may \
     ingest,read), listen on 127.0.0.1, or write auth = \"none\" in the configuration"
)]
pub struct AuthRefusal {
    /// Where it was to listen.
    pub address: SocketAddr,
}

impl Auth {
    /// The rule for an address: on loopback no token is asked for unless the site says so; on any other address one is
    /// always asked for, unless the site says `auth = "none"`, and there must be one.
    ///
    /// # Errors
    /// Nobody could use the server.
    pub fn for_address(address: SocketAddr, configured: Option<Self>, tokens: usize) -> Result<Self, AuthRefusal> {
        match configured {
            Some(Self::Open) => Ok(Self::Open),
            None if address.ip().to_canonical().is_loopback() => Ok(Self::Open),
            Some(Self::Required) | None if tokens > 0 => Ok(Self::Required),
            Some(Self::Required) | None => Err(AuthRefusal { address }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_open_by_itself() {
        let rule = |address: &str, configured, tokens| {
            let address: SocketAddr = address.parse().unwrap();
            Auth::for_address(address, configured, tokens).ok()
        };
        assert_eq!(rule("127.0.0.1:8080", None, 0), Some(Auth::Open));
        assert_eq!(rule("[::1]:8080", None, 3), Some(Auth::Open));
        assert_eq!(rule("[::ffff:127.0.0.1]:8080", None, 0), Some(Auth::Open));
        assert_eq!(rule("127.0.0.1:8080", Some(Auth::Required), 1), Some(Auth::Required));
        assert_eq!(rule("0.0.0.0:8080", None, 0), None);
        assert_eq!(rule("0.0.0.0:8080", None, 1), Some(Auth::Required));
        assert_eq!(rule("0.0.0.0:8080", Some(Auth::Open), 0), Some(Auth::Open));
    }
}
