// SQLite for persisted collections: compiled to WebAssembly, in memory, so that no test compiles a native module.

import { SingleProcessCoordinator, createSQLiteCorePersistenceAdapter } from '@tanstack/db-sqlite-persistence-core'
import type { PersistedCollectionPersistence, SQLiteDriver } from '@tanstack/db-sqlite-persistence-core'
import sqlJs, { type Database } from 'sql.js'

export const newDatabase = async (): Promise<Database> => new (await sqlJs()).Database()

export function persistenceIn(database: Database): PersistedCollectionPersistence {
  const adapter = createSQLiteCorePersistenceAdapter({ driver: driverOf(database) })
  return { adapter, coordinator: new SingleProcessCoordinator() }
}

function driverOf(database: Database): SQLiteDriver {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }
  // Statements of a transaction go to the database at once, others wait until it has ended.
  const direct: SQLiteDriver = {
    exec: async (sql) => void database.exec(sql),
    run: async (sql, params = []) => void database.run(sql, [...params] as never[]),
    async query<T>(sql: string, params: readonly unknown[] = []) {
      const statement = database.prepare(sql, [...params] as never[])
      const rows: T[] = []
      while (statement.step()) rows.push(statement.getAsObject() as T)
      statement.free()
      return rows
    },
    transaction: (work) => work(direct),
  }
  return {
    exec: (sql) => inTurn(() => direct.exec(sql)),
    run: (sql, params) => inTurn(() => direct.run(sql, params)),
    query: (sql, params) => inTurn(() => direct.query(sql, params)),
    transaction: (work) =>
      inTurn(async () => {
        database.exec('BEGIN')
        try {
          const result = await work(direct)
          database.exec('COMMIT')
          return result
        } catch (error) {
          database.exec('ROLLBACK')
          throw error
        }
      }),
  }
}
