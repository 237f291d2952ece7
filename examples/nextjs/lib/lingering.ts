'use client'

// A task that is ticked off in "Active" no longer belongs to the list. It stays there for a moment all the same, so that
// no other row slides under the pointer and a slip can be corrected.

import type { InfiniteData } from '@tanstack/react-query'
import type { TaskList } from 'taskward-client'

/** How long a task stays at least, in milliseconds. */
const shortest = 4000

export class Lingering {
  readonly #since = new Map<number, number>()

  add(id: number) {
    this.#since.set(id, Date.now())
  }

  delete(id: number) {
    this.#since.delete(id)
  }

  get isEmpty() {
    return this.#since.size === 0
  }

  /** Lets those go that have stayed long enough and are not `held`. Returns whether there were any. */
  release(held: (id: number) => boolean): boolean {
    const due = [...this.#since].filter(([id, since]) => Date.now() - since >= shortest && !held(id))
    for (const [id] of due) this.#since.delete(id)
    return due.length > 0
  }

  /** A list that was fetched again, with the lingering tasks of the old one in their old places. */
  keepIn(old: InfiniteData<TaskList>, fresh: InfiniteData<TaskList>): InfiniteData<TaskList> {
    if (this.isEmpty || fresh.pages.length === 0) return fresh
    const there = new Set(fresh.pages.flatMap(({ items }) => items.map(({ id }) => id)))
    const pages = fresh.pages.map((page) => ({ ...page, items: [...page.items] }))
    old.pages.forEach(({ items }, page) => {
      items.forEach((task, index) => {
        if (!this.#since.has(task.id) || there.has(task.id)) return
        pages[Math.min(page, pages.length - 1)]?.items.splice(index, 0, task)
      })
    })
    return { ...fresh, pages }
  }
}
