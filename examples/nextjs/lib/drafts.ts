'use client'

// What is typed is kept by the tab until it is saved: it outlives a failure, a reload and the way through sign-in.

import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** A text under a name, and how to change it; null is none. The names of two people must differ. */
export function useDraft(name: string): [string | null, (text: string | null) => void] {
  const text = useSyncExternalStore(
    subscribe,
    () => sessionStorage.getItem(name),
    () => null,
  )
  return [text, (text) => write(name, text)]
}

function write(name: string, text: string | null) {
  if (text === null) sessionStorage.removeItem(name)
  else sessionStorage.setItem(name, text)
  listeners.forEach((listener) => listener())
}

const keyName = (body: object) => `idempotency-key/${JSON.stringify(body)}`

/**
 * The Idempotency-Key for creating `body`: the same one until it has succeeded, also after a reload, so that pressing
 * "Try again" after a lost answer does not make a second task.
 */
export function idempotencyKey(body: object): string {
  const name = keyName(body)
  // Not randomUUID, which browsers have on secure pages only.
  const fresh = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-')
  const key = sessionStorage.getItem(name) ?? fresh()
  sessionStorage.setItem(name, key)
  return key
}

/** After success: the same text is a new task again. */
export const forgetIdempotencyKey = (body: object) => sessionStorage.removeItem(keyName(body))

/** At sign-out. */
export const forgetDrafts = () => sessionStorage.clear()
