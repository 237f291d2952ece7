// Where changes wait that have not reached the server, so that they outlive the page.

import type { Change } from './change.js'

/** Texts by key. The storage adapters of `@tanstack/offline-transactions` (IndexedDB among them) fit. */
export interface OutboxStorage {
  get(key: string): Promise<string | null> | string | null
  set(key: string, value: string): Promise<void> | void
  delete(key: string): Promise<void> | void
  keys(): Promise<string[]> | string[]
}

/** An outbox in `localStorage`, which stores before `insert` returns. Browsers give a page some 5 MB of it. */
export function webStorage(storage: Storage = localStorage): OutboxStorage {
  return {
    get: (key) => storage.getItem(key),
    set: (key, value) => storage.setItem(key, value),
    delete: (key) => storage.removeItem(key),
    keys: () => Object.keys(storage),
  }
}

/**
 * The stored changes of one user. Each page stores under a name of its own, and holds a Web Lock of that name as long
 * as it lives. So changes are sent by the page that made them, and by another one when that is gone. Where there are
 * no Web Locks (Node, pages without https), a new page takes all; what two pages send twice is still done once.
 */
export class StoredChanges {
  readonly #storage: OutboxStorage
  readonly #user: string
  readonly #page = Math.random().toString(36).slice(2)
  #count = 0

  constructor(storage: OutboxStorage, user: string) {
    this.#storage = storage
    this.#user = `taskward/${encodeURIComponent(user)}/`
    void this.#own(this.#page)
  }

  /** Stores changes; `key` names them, and `stored` resolves when they are safe. */
  add(changes: Change[]): { key: string; stored: Promise<void> } {
    const order = `${Date.now()}`.padStart(15, '0') + `${(this.#count += 1)}`.padStart(6, '0')
    const key = `${this.#user}${this.#page}/${order}`
    try {
      return { key, stored: Promise.resolve(this.#storage.set(key, JSON.stringify(changes))) }
    } catch (error) {
      // Storages that are not asynchronous throw, as when they are full.
      return { key, stored: Promise.reject(error) }
    }
  }

  async delete(key: string): Promise<void> {
    await this.#storage.delete(key)
  }

  /** Gives the changes of pages that are gone, in their order: now, and when further pages have gone. */
  async takeOver(take: (key: string, changes: Change[]) => void): Promise<void> {
    const pages = new Set((await this.#storage.keys()).map((key) => this.#pageOf(key)))
    pages.delete(undefined)
    pages.delete(this.#page)
    await Promise.all(Array.from(pages, (page) => this.#own(String(page)).then(() => this.#read(String(page), take))))
  }

  async #read(page: string, take: (key: string, changes: Change[]) => void): Promise<void> {
    const keys = (await this.#storage.keys()).filter((key) => this.#pageOf(key) === page)
    for (const key of keys.sort()) {
      const text = await this.#storage.get(key)
      if (text !== null) take(key, JSON.parse(text) as Change[])
    }
  }

  #pageOf(key: string): string | undefined {
    return key.startsWith(this.#user) ? key.slice(this.#user.length).split('/')[0] : undefined
  }

  /** Resolves when this page has the lock of `page`, which it keeps. */
  #own(page: string): Promise<void> {
    const locks = globalThis.navigator?.locks as LockManager | undefined
    if (!locks) return Promise.resolve()
    return new Promise((resolve) => {
      const forEver = new Promise(() => {})
      locks
        .request(`${this.#user}${page}`, () => {
          resolve()
          return forEver
        })
        .catch(() => {})
    })
  }
}
