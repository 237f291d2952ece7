'use client'

// What is typed is kept by the tab until it is saved: it outlives a failure, a reload and the way through sign-in.

import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** A text under a name, and how to change it; null is none. */
export function useDraft(name: string): [string | null, (text: string | null) => void] {
  const text = useSyncExternalStore(
    subscribe,
    () => sessionStorage.getItem(name),
    () => null,
  )
  return [text, (text) => write(name, text)]
}

function write(name: string, text: string | null) {
  // Another text is another task, and so is the same one when it is written anew.
  forgetIdempotencyKey(name)
  if (text === null) sessionStorage.removeItem(name)
  else sessionStorage.setItem(name, text)
  listeners.forEach((listener) => listener())
}

/** The name of a draft. Those of two people differ. */
export const draftName = (person: { id: string }, draft: string) => `${person.id}/${draft}`

const keyName = (draft: string) => `${draft}/idempotency-key`

/**
 * The Idempotency-Key for creating a task from a draft: the same one as long as its text stays, also after a reload, so
 * that pressing "Try again" after a lost answer does not make a second task.
 */
export function idempotencyKey(draft: string): string {
  const name = keyName(draft)
  // Not randomUUID, which browsers have on secure pages only.
  const fresh = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-')
  const key = sessionStorage.getItem(name) ?? fresh()
  sessionStorage.setItem(name, key)
  return key
}

/** The same text is a new task again. */
export const forgetIdempotencyKey = (draft: string) => sessionStorage.removeItem(keyName(draft))

/** At sign-out. */
export const forgetDrafts = () => sessionStorage.clear()
