-- Partitions both tables by a hash of user_id, from the schema that `taskward migrate up` has made, rows included.
--
--     psql --single-transaction --set ON_ERROR_STOP=1 --file deploy/postgresql/partition-by-user.sql "$DATABASE_DIRECT_URL"
--
-- It is a stand-in for a database that is distributed by user_id (Citus): all statements must work where a table is in parts,
-- each unique index begins with user_id, and no statement needs rows of two parts. Stop the servers before: it locks both tables and
-- writes all rows again. token_revocation stays whole: each process reads all of it. A later migration that builds an index holds up
-- writes meanwhile, since PostgreSQL does not build one of a partitioned table CONCURRENTLY.
-- docs/capacity.md says what was tried.
DO $$
DECLARE
    parts CONSTANT int := 8;
    name text;
    statements text[];
    options text;
    keys text;
    part int;
BEGIN
    FOREACH name IN ARRAY ARRAY['user_clock', 'task'] LOOP
        -- The primary key as a constraint, the other indexes as they were made; then the settings of the table.
        SELECT array_agg(
                   CASE WHEN indisprimary
                       THEN format('ALTER TABLE %I ADD CONSTRAINT %I %s', name, conname, pg_get_constraintdef(pg_constraint.oid))
                       ELSE pg_get_indexdef(indexrelid)
                   END ORDER BY NOT indisprimary)
            INTO statements
            FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid AND contype = 'p'
            WHERE indrelid = name::regclass;
        SELECT CASE WHEN reloptions IS NULL THEN '' ELSE format('WITH (%s)', array_to_string(reloptions, ', ')) END INTO options
            FROM pg_class WHERE oid = name::regclass;

        EXECUTE format('ALTER TABLE %I RENAME TO %I', name, name || '_whole');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING INDEXES) PARTITION BY HASH (user_id)', name, name || '_whole');
        FOR part IN 0 .. parts - 1 LOOP
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s) %s',
                           name || '_' || part, name, parts, part, options);
        END LOOP;
        EXECUTE format('INSERT INTO %I SELECT * FROM %I', name, name || '_whole');
        EXECUTE format('DROP TABLE %I', name || '_whole');
        FOREACH keys IN ARRAY statements LOOP
            EXECUTE keys;
        END LOOP;
        -- A table that was found empty is read from one end to the other, by plans that a server keeps; of a new one PostgreSQL
        -- assumes that it has rows.
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %I LIMIT 1) AS one', name) INTO part;
        IF part > 0 THEN
            EXECUTE format('ANALYZE %I', name);
        END IF;
    END LOOP;
END
$$;
