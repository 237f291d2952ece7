//! Columns and tables that must behave alike on both databases.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// A text column that is compared byte by byte: keys, and text that is sorted.
///
/// SQLite always does. PostgreSQL would use the locale of the database, so that `B` comes before `a`
/// on one server and after it on the next, and a page that is continued by title would skip or repeat
/// tasks; bytes are also the faster comparison.
pub(crate) fn byte_text(manager: &SchemaManager, name: impl IntoIden) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    column.text();
    if manager.get_database_backend() == DbBackend::Postgres {
        column.extra(r#"COLLATE "C""#);
    }
    column
}

/// Makes the primary key the place where the rows are, on SQLite.
///
/// The rows of one user then lie side by side in the file and not in the order of arrival, so that a
/// user's list reads few pages. PostgreSQL has no such table, and needs nothing.
pub(crate) fn clustered(manager: &SchemaManager, table: &mut TableCreateStatement) {
    if manager.get_database_backend() == DbBackend::Sqlite {
        table.extra("WITHOUT ROWID");
    }
}

/// Leaves half of each page free, on PostgreSQL, for rows that are changed at every write.
///
/// The new version of a row then finds room beside the old one, and the index needs no new entry (a
/// heap-only tuple); vacuuming happens on the fly.
pub(crate) fn often_changed(manager: &SchemaManager, table: &mut TableCreateStatement) {
    if manager.get_database_backend() == DbBackend::Postgres {
        table.extra("WITH (fillfactor = 50)");
    }
}
