// Where Better Auth stores accounts: the PostgreSQL of DATABASE_URL, or PGlite in this process, with its files in a folder.

import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import type { PGlite } from '@electric-sql/pglite'
import { PGliteDialect } from 'kysely'
import { Pool } from 'pg'

const folder = join(process.env.DATA_FOLDER ?? '.data', 'accounts')

// Next bundles each route separately, so this module can exist twice. A folder must not be opened twice.
const shared = globalThis as { accountsPool?: Pool; accountsFolder?: Promise<PGlite> }

/** The pool of connections to PostgreSQL, if there is one. */
export const pool = process.env.DATABASE_URL ? (shared.accountsPool ??= openPool(process.env.DATABASE_URL)) : undefined

/** Better Auth's `database` option. Nothing is opened before the first query, so `next build` opens nothing. */
export const accounts = pool ?? {
  type: 'postgres' as const,
  dialect: new PGliteDialect({ pglite: () => (shared.accountsFolder ??= openFolder()) }),
}

function openPool(connectionString: string): Pool {
  const pool = new Pool({ connectionString, max: 5 })
  // A database that suspends closes idle connections. Without a listener, that error would end the process.
  pool.on('error', (error) => console.warn('An idle connection to the database ended:', error.message))
  return pool
}

async function openFolder(): Promise<PGlite> {
  const { PGlite } = await import('@electric-sql/pglite')
  // For its owner alone, as are Taskward's files.
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  return PGlite.create(folder)
}
