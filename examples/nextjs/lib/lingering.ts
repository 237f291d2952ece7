'use client'

// A task that is ticked off in "Active" no longer belongs to the list. It stays there for a moment all the same, so that
// no other row slides under the pointer and a slip can be corrected.

import { type RefObject, useEffect } from 'react'

import { usePage } from './page-context'

/** How long a task stays at least, and how often it is checked whether it may go, in milliseconds. */
const shortest = 4000
const checkInterval = 500

/** The keys of the tasks that stay, and since when. For `useSyncExternalStore`: each change makes a new map. */
export class Lingering {
  #since: ReadonlyMap<string, number> = new Map()
  readonly #listeners = new Set<() => void>()

  readonly get = () => this.#since

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  add = (key: string) => this.#set([...this.#since, [key, Date.now()]])

  delete = (key: string) => this.#set([...this.#since].filter(([other]) => other !== key))

  /** Lets those go that have stayed long enough and are not `held`. */
  release(held: (key: string) => boolean) {
    const stays = ([key, since]: [string, number]) => Date.now() - since < shortest || held(key)
    if (![...this.#since].every(stays)) this.#set([...this.#since].filter(stays))
  }

  #set(entries: Iterable<[string, number]>) {
    this.#since = new Map(entries)
    this.#listeners.forEach((listener) => listener())
  }
}

/** Lets tasks go when the pointer has left the list, and the keyboard focus the task. */
export function useRelease(list: RefObject<HTMLElement | null>, isNeeded: boolean) {
  const { lingering } = usePage()
  useEffect(() => {
    if (!isNeeded) return
    const timer = setInterval(() => {
      // Phones leave :hover on what was tapped last.
      const pointed = matchMedia('(hover: hover)').matches && list.current?.matches(':hover')
      const focused = (key: string) => list.current?.querySelector(`[data-key="${key}"] :focus-visible`)
      lingering.release((key) => Boolean(pointed || focused(key)))
    }, checkInterval)
    return () => clearInterval(timer)
  }, [lingering, list, isNeeded])
}
