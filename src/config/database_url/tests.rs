use expect_test::expect;

use super::*;

/// What becomes of each URL, and what is said about it.
fn read(texts: &[&str]) -> String {
    let lines = texts.iter().map(|text| match DatabaseUrl::read(text) {
        Ok(DatabaseUrl { url, notes }) => [vec![url], notes].concat().join("\n    "),
        Err(fault) => format!("! {fault}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn files_as_the_driver_and_sqlalchemy_write_them() {
    expect![[r#"
        sqlite://todo.db?mode=rwc
        sqlite://todo.db?mode=rwc
        ! has `mode=ro`, but Taskward writes: use `rw` or `rwc`
        sqlite://todo.db?mode=rwc
        sqlite://./data/todo.db?mode=rwc
        sqlite:///data/todo.db?mode=rwc
        sqlite:///data/todo.db?mode=rwc
        sqlite://./todo.db?mode=rwc
        sqlite://../todo.db?mode=rwc
        sqlite://todo.db?mode=rwc
            has three slashes, and is read as SQLAlchemy does: the file todo.db of the working directory. Write sqlite://todo.db for that, or sqlite:////todo.db for /todo.db
        sqlite://todo.db?mode=rwc
            has three slashes, and is read as SQLAlchemy does: the file todo.db of the working directory. Write sqlite://todo.db for that, or sqlite:////todo.db for /todo.db
            has the parameter `check_same_thread` for Python, which is not used
        sqlite://./todo.db?mode=rwc
        sqlite://data/todo.db?mode=rwc
        sqlite:///data/todo.db?mode=rwc
        sqlite://todo.db?mode=rwc
        ! names no file: write sqlite://taskward.db, or sqlite::memory: for tasks that are gone when the server stops
        sqlite::memory:
        sqlite::memory:
        ! names no file: write sqlite://taskward.db, or sqlite::memory: for tasks that are gone when the server stops
        ! names no file: write sqlite://taskward.db, or sqlite::memory: for tasks that are gone when the server stops
        ! names no file: write sqlite://taskward.db, or sqlite::memory: for tasks that are gone when the server stops
        sqlite://my%20tasks.db?mode=rwc
        ! has a `mode` that is none of `ro`, `rw`, `rwc` and `memory`
        ! has a parameter after `?` that is none of mode, cache, immutable, vfs
        ! has the parameter `mode` more than once: leave one
        ! has the parameter `mode` more than once: leave one
        ! names a directory: add the name of a file in it, like sqlite://data/taskward.db
        ! names a directory: add the name of a file in it, like sqlite://data/taskward.db
        ! names a directory: add the name of a file in it, like sqlite://data/taskward.db
        ! names a directory: add the name of a file in it, like sqlite://data/taskward.db"#]].assert_eq(&read(&[
        "sqlite://todo.db",
        "sqlite://todo.db?mode=rwc",
        "sqlite://todo.db?mode=ro",
        "sqlite:todo.db",
        "sqlite://./data/todo.db",
        "sqlite:///data/todo.db",
        "sqlite:////data/todo.db",
        "sqlite:///./todo.db",
        "sqlite:///../todo.db",
        "sqlite:///todo.db",
        "sqlite:///todo.db?check_same_thread=False",
        "sqlite+aiosqlite:///./todo.db",
        "sqlite+aiosqlite:///data/todo.db",
        "sqlite+aiosqlite:////data/todo.db",
        "sqlite+pysqlite:///todo.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite::memory:",
        "sqlite+aiosqlite://",
        "sqlite:///",
        "sqlite:",
        "sqlite://my tasks.db",
        "sqlite://todo.db?mode=create",
        "sqlite://todo.db?hunter2=x",
        "sqlite://todo.db?mode=rwc&mode=ro",
        "sqlite://todo.db?mode=rwc&cache=shared&mode=rwc",
        "sqlite://.",
        "sqlite:///..",
        "sqlite://./data/",
        "sqlite:////data/.",
    ]));
}

#[test]
fn servers_as_consoles_and_other_programs_write_them() {
    expect![[r#"
        postgres://u:p%40ss@ep-x-pooler.eu.neon.tech/db?sslmode=verify-full
            has sslmode=require, and is read as verify-full: Taskward also checks whose certificate the server shows. If an authority of your own signed it, add sslrootcert=FILE
        postgres://u:p@db.example.com/x?sslmode=verify-full
            has ssl=require, and is read as verify-full: Taskward also checks whose certificate the server shows. If an authority of your own signed it, add sslrootcert=FILE
        postgres://u:p@db.example.com:6543/x?sslmode=verify-full
            has no sslmode, and is read as sslmode=verify-full, as the host is another machine: for a server without TLS, in a network that you trust, add sslmode=disable
        postgres://u:p@[2001:db8::1]:5432/x?sslmode=disable
        postgres://u@localhost/x?sslmode=require
        postgres://u@[::1]/x?sslmode=require
        postgres://u:p@db.example.com/x?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem
            has sslmode=require, and is read as verify-full: Taskward also checks whose certificate the server shows. If an authority of your own signed it, add sslrootcert=FILE
        postgres:///x?host=%2Fvar%2Frun%2Fpostgresql
        postgres://u:p@db/x?sslmode=verify-full
            has the parameter `schema`, which is not used
            has the parameter `connect_timeout`, which is not used
            has the parameter `pgbouncer`, which is not used
            has no sslmode, and is read as sslmode=verify-full, as the host is another machine: for a server without TLS, in a network that you trust, add sslmode=disable
        postgres://u:p@db/x?sslrootcert=%2Fetc%2Fca.pem&port=6432&sslmode=verify-full
            has no sslmode, and is read as sslmode=verify-full, as the host is another machine: for a server without TLS, in a network that you trust, add sslmode=disable"#]].assert_eq(&read(&[
        "postgresql://u:p%40ss@ep-x-pooler.eu.neon.tech/db?sslmode=require&channel_binding=require",
        "postgresql+asyncpg://u:p@db.example.com/x?ssl=require",
        "postgresql+psycopg2://u:p@db.example.com:6543/x",
        "postgresql+psycopg://u:p@[2001:db8::1]:5432/x?sslmode=disable",
        "postgres://u@localhost/x?sslmode=require",
        "postgres://u@[::1]/x?ssl=true",
        "postgres://u:p@db.example.com/x?sslmode=require&sslrootcert=/etc/ca.pem",
        "postgres:///x?host=/var/run/postgresql",
        "postgres://u:p@db/x?schema=public&connect_timeout=10&pgbouncer=true",
        "postgres://u:p@db/x?ssl-ca=/etc/ca.pem&port=6432",
    ]));
}

#[test]
fn a_fault_never_shows_a_password() {
    for text in [
        "mysql://root:hunter2@localhost/x",
        "postgres://root:hunter2@[localhost/x",
        "postgres://root:hunter2#x@localhost/x",
        "postgres://root:1#hunter2@localhost/x",
        "postgres://root:1/hunter2@localhost/x",
        "postgres://root:1?hunter2@localhost/x",
        "postgres://root:hunter2@localhost:port/x",
        "postgres:root:hunter2@localhost/x",
        "postgres://u:p@localhost/x?sslmode=hunter2",
        "hunter2",
        "hunter2:x",
        "://hunter2",
        "",
    ] {
        let fault = DatabaseUrl::read(text).unwrap_err();
        assert!(!fault.contains("hunter2"), "{text}: {fault}");
    }
    expect![[r#"
        ! must be sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE
        ! begins with `file:`, but must begin with `sqlite:` or `postgres:`
        ! begins with `mysql:`, but must begin with `sqlite:` or `postgres:`
        ! cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with the special characters of the password percent-encoded (`@` as %40, `#` as %23, `/` as %2F, `?` as %3F, `%` as %25)
        ! has an `sslmode` that is none of disable, allow, prefer, require, verify-ca, verify-full
        ! has the parameter `sslmode` more than once: leave one
        ! has the parameter `host` more than once: leave one
        ! has a port that is not a number from 1 to 65535
        ! has a port that is not a number from 1 to 65535
        ! has a port that is not a number from 1 to 65535
        ! has a port that is not a number from 1 to 65535
        ! has a port that is not a number from 1 to 65535
        ! cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with the special characters of the password percent-encoded (`@` as %40, `#` as %23, `/` as %2F, `?` as %3F, `%` as %25)"#]].assert_eq(&read(&[
        "todo.db",
        "file:./dev.db",
        "mysql://root:hunter2@localhost/x",
        "postgres://root:1#hunter2@localhost/x",
        "postgres://u:p@localhost/x?sslmode=on",
        "postgres://u:p@localhost/x?sslmode=disable&ssl=require",
        "postgres://u:p@localhost/x?host=a&host=b",
        "postgres://u:p@localhost:99999/x",
        "postgres://localhost:99999/x",
        "postgres://u:p@[::1]:65536",
        "postgres://u:p@localhost:0/x",
        "postgres://u:p@localhost/x?port=99999",
        // Most likely a password with a slash.
        "postgres://u:1234567/8@localhost/x",
    ]));
}

#[test]
fn fuzz_urls() {
    let good = [
        "postgres://user:hunter2@db.example.com:5432/tasks?sslmode=require&channel_binding=require",
        "postgresql+asyncpg://user:hunter2@[::1]:5433/tasks?ssl=true&application_name=a",
        "postgres:///tasks?host=/var/run/postgresql&port=5433&password=hunter2",
        "sqlite:///data/todo.db?mode=rwc&cache=shared",
        "sqlite+aiosqlite:///./todo.db?check_same_thread=False",
        "sqlite::memory:",
    ];
    crate::fuzz::fuzz("database-url", &good, |text| {
        let Ok(text) = std::str::from_utf8(text) else {
            return;
        };
        let told = match DatabaseUrl::read(text) {
            Ok(DatabaseUrl { url, notes }) => {
                match url.strip_prefix("sqlite:") {
                    // The driver reads the slashes of a file in its own way, so this is not a URL to be read again.
                    Some(file) => {
                        let name = file.split('?').next().unwrap();
                        assert!(
                            file == ":memory:" || name.len() > 2 && name.starts_with("//"),
                            "{url}"
                        );
                        assert!(!name.ends_with('/'), "{url}");
                    }
                    None => {
                        let again =
                            DatabaseUrl::read(&url).expect("what was read can be read again");
                        assert_eq!((&again.url, again.notes), (&url, Vec::new()), "from {text}");
                    }
                }
                notes.join("\n")
            }
            Err(fault) => {
                crate::fuzz::assert_own_words(&fault);
                fault
            }
        };
        assert!(!told.contains("hunter2"), "{told}");
    });
}
