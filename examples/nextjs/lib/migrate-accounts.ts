// Creates and updates Better Auth's tables (user, session, account, verification, jwks) at each start. Their names are
// different from those of Taskward's tables (task, user_clock, seaql_migrations), so both can share a database.

import { getMigrations } from 'better-auth/db/migration'

import { auth } from './auth'
import { pool } from './database'

/** The key of the advisory lock: any number that nothing else in the database locks. */
const LOCK = 8_471_203

export async function migrateAccounts(): Promise<void> {
  if (!pool) return migrate()
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    // Instances that start together migrate one after the other. A transaction's lock also works behind a pooler.
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    await migrate()
    await client.query('COMMIT')
  } catch (error) {
    failure = error as Error
    throw error
  } finally {
    // After an error the connection is closed, which rolls the transaction back.
    client.release(failure)
  }
}

async function migrate(): Promise<void> {
  const { runMigrations } = await getMigrations(auth.options)
  await runMigrations()
}
