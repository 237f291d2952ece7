import type { OutboxStorage } from 'taskward-client/tanstack-db'

interface PersonStorage extends OutboxStorage {
  keys: () => string[]
  clear: () => void
}

/**
 * Where the browser keeps a person's changes that have not been sent, over reloads: `localStorage`, under names that
 * begin with the person's id. `clear` removes them all, and nobody else's.
 */
export function personStorage(person: string): PersonStorage {
  const prefix = `${person}/`
  const keys = () => Object.keys(localStorage).filter((name) => name.startsWith(prefix))
  return {
    get: (key) => localStorage.getItem(prefix + key),
    set: (key, value) => localStorage.setItem(prefix + key, value),
    delete: (key) => localStorage.removeItem(prefix + key),
    keys: () => keys().map((name) => name.slice(prefix.length)),
    clear: () => keys().forEach((name) => localStorage.removeItem(name)),
  }
}
