//! One connection, every use of which has a limit.

use std::borrow::Cow;
use std::cell::Cell;
use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::model::tenant::TenantId;

use super::address::Address;
use super::dial::{dial, within};
use super::fault::Fault;
use super::settings::Tls;

/// So long the server has for one statement, a commit included: one that waits for a standby waits
/// without an end of its own.
pub(super) const STATEMENT: Duration = Duration::from_secs(6);

/// So many rows one statement writes at most: each has 64 KiB or less.
pub(super) const ROWS: usize = 500;

/// A parameter. It says its type, for statements have no names, so that a pool may stand between.
pub(super) enum Param<'a> {
    Text(Option<Cow<'a, str>>),
    Texts(Vec<&'a str>),
    MaybeTexts(Vec<Option<&'a str>>),
    Blobs(Vec<&'a [u8]>),
    Integers(Vec<Option<i64>>),
    Bytes(&'a [u8]),
    Integer(Option<i64>),
}

impl Param<'_> {
    fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Text(text) => (text, Type::TEXT),
            Self::Texts(texts) => (texts, Type::TEXT_ARRAY),
            Self::MaybeTexts(texts) => (texts, Type::TEXT_ARRAY),
            Self::Blobs(blobs) => (blobs, Type::BYTEA_ARRAY),
            Self::Integers(integers) => (integers, Type::INT8_ARRAY),
            Self::Bytes(bytes) => (bytes, Type::BYTEA),
            Self::Integer(integer) => (integer, Type::INT8),
        }
    }
}

/// A text.
pub(super) fn text<'a>(text: impl Into<Cow<'a, str>>) -> Param<'a> {
    Param::Text(Some(text.into()))
}

/// A text, or null.
pub(super) fn maybe<'a>(text: Option<impl Into<Cow<'a, str>>>) -> Param<'a> {
    Param::Text(text.map(Into::into))
}

/// An integer of 64 bits.
pub(super) fn integer<'a>(integer: i64) -> Param<'a> {
    Param::Integer(Some(integer))
}

/// A length of time, in milliseconds.
pub(super) fn millis<'a>(length: Duration) -> Param<'a> {
    integer(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
}

/// What a notification of a change says.
const CHANGE: &str = "change";

/// The channel on which a tenant hears of changes, and of no other's.
pub(super) fn channel(tenant: &TenantId) -> String {
    tenant.own("openclaw")
}

/// A connection.
pub(super) struct Link {
    /// Drives the connection while something is asked.
    runtime: Runtime,
    client: Client,
    /// For one statement.
    limit: Cell<Duration>,
    tenant: TenantId,
}

impl Link {
    /// Connects, to work on the rows of a tenant.
    pub(super) fn connect(address: &Address, tls: &Tls, tenant: &TenantId) -> Result<Self, Fault> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build();
        let runtime = runtime.map_err(|error| Fault::Gone(error.to_string()))?;
        let client = runtime.block_on(async {
            let (client, mut line) = dial(address, tls).await?;
            tokio::spawn(async move { while line.hear().await.is_some() {} });
            Ok::<_, Fault>(client)
        })?;
        Ok(Self {
            runtime,
            client,
            limit: Cell::new(STATEMENT),
            tenant: tenant.clone(),
        })
    }

    /// Whose rows it works on.
    pub(super) fn tenant(&self) -> Param<'_> {
        text(self.tenant.as_str())
    }

    /// Changes how long a statement may take from here on.
    pub(super) fn allow(&self, limit: Duration) {
        self.limit.set(limit);
    }

    /// Whether it can be used no more, as far as is known.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The rows that a statement gives.
    pub(super) fn rows(&self, statement: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Fault> {
        let params: Vec<_> = params.iter().map(Param::typed).collect();
        self.run(self.client.query_typed(statement, &params))
    }

    /// The row that a statement gives, if it gives one.
    pub(super) fn row(&self, statement: &str, params: &[Param<'_>]) -> Result<Option<Row>, Fault> {
        let params: Vec<_> = params.iter().map(Param::typed).collect();
        self.run(self.client.query_typed_opt(statement, &params))
    }

    /// How many rows a statement changed.
    pub(super) fn change(&self, statement: &str, params: &[Param<'_>]) -> Result<u64, Fault> {
        let params: Vec<_> = params.iter().map(Param::typed).collect();
        self.run(self.client.execute_typed(statement, &params))
    }

    /// Tells whoever listens that something has changed, once it is committed. Not what: any role of the
    /// database may listen, also that of another tenant.
    pub(super) fn notify(&self) -> Result<(), Fault> {
        self.send(CHANGE)
    }

    /// Sends this to whoever listens.
    pub(super) fn send(&self, what: &str) -> Result<(), Fault> {
        let told = "SELECT pg_notify($1, $2)::text";
        let params = [text(channel(&self.tenant)), text(what)];
        self.row(told, &params).map(drop)
    }

    /// Runs statements without parameters.
    pub(super) fn batch(&self, statements: &str) -> Result<(), Fault> {
        self.run(self.client.batch_execute(statements))
    }

    fn run<T>(
        &self,
        asked: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        self.runtime.block_on(within(self.limit.get(), asked))
    }
}
