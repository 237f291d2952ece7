// Better Auth's tables (user, session, account, verification, jwks), made and kept up to date at each start.
// None has the name of one of Taskward's (task, user_clock, seaql_migrations), so they can share a database.

import { getMigrations } from 'better-auth/db/migration'

import { auth } from './auth'
import { pool } from './database'

/** Any number that nothing else in the database locks. */
const LOCK = 8_471_203

export async function migrateAccounts(): Promise<void> {
  if (!pool) return migrate()
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    // Instances that start together come one after the other. A lock of a transaction also holds behind a pooler.
    await client.query('BEGIN')
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK])
    await migrate()
    await client.query('COMMIT')
  } catch (error) {
    failure = error as Error
    throw error
  } finally {
    // With an error the connection is closed, which ends the transaction.
    client.release(failure)
  }
}

async function migrate(): Promise<void> {
  const { runMigrations } = await getMigrations(auth.options)
  await runMigrations()
}
