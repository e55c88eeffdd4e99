//! What a role of a tenant could do to the others by what all share: keys of tables, and channels.

use openclaw::model::audit::AuditEntry;
use openclaw::model::time::Timestamp;
use openclaw::ports::database::Database as _;

use super::put;
use super::tenant_roles::filled;

#[test]
#[ignore = "needs PostgreSQL"]
fn what_a_role_writes_takes_no_place_away_from_others() {
    let (database, node, role) = filled();
    for write in [
        "INSERT INTO openclaw.audit (tenant, position, at, node, key, action, outcome) \
            OVERRIDING SYSTEM VALUE \
            SELECT 'team-a', n, now(), 'n', 'k', 'a', 'o' FROM generate_series(4, 1000) n",
        "INSERT INTO openclaw.committed (tenant, name) VALUES ('team-a', 'c-team-b')",
        "UPDATE openclaw.login_attempt SET state_hash = 's-team-b'",
    ] {
        database.sql_as(&role, write).unwrap();
    }
    let entry = AuditEntry::new(Timestamp(4_000_000_000_000), "gateway", "logged out");
    let store = node.open_of("team-b");
    store.append_audit("first", &[entry]).unwrap();
    let noted = "SELECT count(*) FROM openclaw.audit WHERE tenant = 'team-b'";
    assert_eq!(database.value(noted), "2");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn no_key_of_a_table_forgets_whose_its_rows_are() {
    let (database, ..) = filled();
    let shared = "SELECT c.relname FROM pg_index i \
        JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'tenant' \
        WHERE n.nspname = 'openclaw' AND i.indisunique AND i.indkey[0] <> a.attnum";
    // The id of a machine is random, and told to nobody.
    assert_eq!(database.sql(shared), [["node_pkey"]]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn whoever_listens_hears_nothing_but_that_something_was_changed() {
    let (database, node, _) = filled();
    let heard = database.heard("openclaw-team-b", || {
        put(&node.open_of("team-b"), "rt-1");
    });
    assert!(heard.contains("openclaw-team-b"), "{heard}");
    assert!(heard.contains("payload \"change\""), "{heard}");
    assert!(!heard.contains("main"), "{heard}");
}
