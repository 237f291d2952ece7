// Where changes wait that have not reached the server, so that they outlive the page.

import type { Change } from './change.js'

/** Texts by key. */
export interface OutboxStorage {
  get(key: string): Promise<string | null> | string | null
  set(key: string, value: string): Promise<void> | void
  delete(key: string): Promise<void> | void
  keys(): Promise<string[]> | string[]
}

/** An outbox in `localStorage`, which stores before `insert` returns. Browsers give a page some 5 MB of it. */
export function webStorage(): OutboxStorage {
  // (Looked up when it is used, because a server that renders the page has none.)
  return {
    get: (key) => localStorage.getItem(key),
    set: (key, value) => localStorage.setItem(key, value),
    delete: (key) => localStorage.removeItem(key),
    keys: () => Object.keys(localStorage),
  }
}

/**
 * The stored changes of one user. Each page stores under a name of its own, and holds a Web Lock of that name as long
 * as it lives, or until `signal` aborts. So changes are sent by the page that made them, and by another one when that
 * is gone. Where there are no Web Locks (Node, pages without https), a new page takes all; what two pages send twice
 * is still done once.
 */
export class StoredChanges {
  readonly #storage: OutboxStorage
  readonly #user: string
  readonly #signal: AbortSignal | undefined
  readonly #page = Math.random().toString(36).slice(2)
  #count = 0
  #isHeld = false

  constructor(storage: OutboxStorage, user: string, signal: AbortSignal | undefined) {
    this.#storage = storage
    this.#signal = signal
    this.#user = `taskward/${encodeURIComponent(user)}/`
  }

  /** Stores changes; `key` names them, and `stored` resolves when they are safe. */
  add(changes: Change[]): { key: string; stored: Promise<void> } {
    if (!this.#isHeld) void this.#own(this.#page)
    this.#isHeld = true
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
      const end = new Promise<void>((done) => this.#signal?.addEventListener('abort', () => done()))
      const lock = locks.request(`${this.#user}${page}`, () => {
        resolve()
        return end
      })
      // It fails where the page may not have locks; then nobody takes over what another page has left.
      lock.catch(() => {})
    })
  }
}
