// Where Better Auth keeps accounts: the PostgreSQL of DATABASE_URL, or one within this process, kept in a folder.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import type { PGlite } from '@electric-sql/pglite'
import { PGliteDialect } from 'kysely'
import { Pool } from 'pg'

const folder = join(process.env.DATA_FOLDER ?? '.data', 'accounts')

// Next bundles each route by itself, so a module can exist twice; a folder must not be opened twice.
const shared = globalThis as { accountsPool?: Pool; accountsFolder?: Promise<PGlite> }

/** The pool, if there is a PostgreSQL. */
export const pool = process.env.DATABASE_URL ? (shared.accountsPool ??= openPool(process.env.DATABASE_URL)) : undefined

/** What Better Auth wants as its `database`. Nothing is opened before the first query, so not by `next build` either. */
export const accounts = pool ?? {
  type: 'postgres' as const,
  dialect: new PGliteDialect({ pglite: () => (shared.accountsFolder ??= openFolder()) }),
}

function openPool(connectionString: string): Pool {
  const pool = new Pool({ connectionString, max: 5 })
  // Databases that suspend end idle connections. Unheard, that would end the process.
  pool.on('error', (error) => console.warn('An idle connection to the database ended:', error.message))
  return pool
}

async function openFolder(): Promise<PGlite> {
  const { PGlite } = await import('@electric-sql/pglite')
  await mkdir(folder, { recursive: true })
  return PGlite.create(folder)
}
