//! Names of the files and directories that lie in the state directory and decide what this program
//! does. Whoever reads one names it from here, and `doctor` looks at all of them.

/// Variables below those of the process.
pub const DOTENV: &str = ".env";
/// Providers and hooks of the user.
pub const DECLARED: &str = "config.yaml";
/// Which profile is used in which directory.
pub const DIRECTORIES: &str = "directories.json";
/// Manifests of providers.
pub const PROVIDERS: &str = "providers";
/// Metadata of issuers, as they were fetched.
pub const METADATA: &str = "cache/metadata";
/// The agents that the configuration gives no directory.
pub const AGENTS: &str = "agents";
/// Logins of early releases.
pub const CREDENTIALS: &str = "credentials";
/// Locks, journals and records of spent grants.
pub const LOCKS: &str = "locks";
/// Logins that were started and wait for their address.
pub const PENDING: &str = "pending";
/// Which bundles were imported, or taken back.
pub const BUNDLES: &str = "bundles";
/// Responses that are stored nowhere else yet.
pub const RESCUE: &str = "rescue";
/// The token of the gateway, and the keys of its callers.
pub const GATEWAY: &str = "gateway";
/// What a machine that shares a database must not lose: its id there, and answers that are in no row.
pub const POSTGRES: &str = "postgres";
/// The same of tenants of a database other than `main`, and their logins that are not stored yet.
pub const TENANTS: &str = "tenants";
/// Agents that were deleted.
pub const TRASH: &str = "trash";
/// The key of what is sealed, and the secrets that have names.
pub const SECRETS: &str = "secrets.enc";
/// The last good one of it.
pub const SECRETS_BACKUP: &str = "secrets.enc.bak";

/// All of them.
pub const ALL: [&str; 16] = [
    DOTENV,
    DECLARED,
    DIRECTORIES,
    PROVIDERS,
    METADATA,
    AGENTS,
    CREDENTIALS,
    LOCKS,
    PENDING,
    BUNDLES,
    RESCUE,
    GATEWAY,
    POSTGRES,
    TENANTS,
    SECRETS,
    SECRETS_BACKUP,
];
