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

const keyName = 'idempotency-key'

/**
 * The Idempotency-Key for creating `body`: the same one until it has succeeded, also after a reload, so that pressing
 * "Try again" after a lost answer does not make a second task.
 */
export function idempotencyKey(body: object): string {
  const text = JSON.stringify(body)
  const known = JSON.parse(sessionStorage.getItem(keyName) ?? '{}') as { text?: string; key?: string }
  if (known.text === text && known.key) return known.key
  const key = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-')
  sessionStorage.setItem(keyName, JSON.stringify({ text, key }))
  return key
}

/** After success: the same text is a new task again. */
export const forgetIdempotencyKey = () => sessionStorage.removeItem(keyName)

/** At sign-out. */
export const forgetDrafts = () => sessionStorage.clear()
