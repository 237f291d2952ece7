'use client'

// Typed text, kept in the tab until it is saved. It survives a failure, a reload, and signing in again.

import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** The text of a draft, and how to change it; null means none. */
export function useDraft(name: string): [string | null, (text: string | null) => void] {
  const text = useSyncExternalStore(
    subscribe,
    () => sessionStorage.getItem(name),
    () => null,
  )
  return [text, (text) => write(name, text)]
}

/** Moves a draft, with its Idempotency-Key: it is still the same task. `text` is how the other field writes it. */
export function moveDraft(from: string, to: string, text: string) {
  const key = sessionStorage.getItem(keyName(from))
  write(from, null)
  write(to, text)
  if (key !== null) sessionStorage.setItem(keyName(to), key)
}

/** The text of a draft at this moment. */
export const readDraft = (name: string) => sessionStorage.getItem(name)

/** Removes a draft that has been saved, unless somebody has gone on typing since. */
export function clearDraft(name: string, saved: string | null) {
  if (readDraft(name) === saved) write(name, null)
}

function write(name: string, text: string | null) {
  // A changed text is another task, and so is the same text when it is typed again.
  forgetIdempotencyKey(name)
  if (text === null) sessionStorage.removeItem(name)
  else sessionStorage.setItem(name, text)
  listeners.forEach((listener) => listener())
}

type Owner = { id: string }

/** The names of drafts. Those of two people differ. */
export const quickDraft = (person: Owner) => `${person.id}/quick-add`
export const taskDraft = (person: Owner, task: number | 'new') => `${person.id}/task-${task}`

const keyName = (draft: string) => `${draft}/idempotency-key`

/**
 * The Idempotency-Key for creating a task from a draft. It stays the same until the text changes, also after a reload,
 * so that "Try again" after a lost answer does not create a second task.
 */
export function idempotencyKey(draft: string): string {
  const name = keyName(draft)
  // Not randomUUID, which browsers only have on secure pages.
  const fresh = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-')
  const key = sessionStorage.getItem(name) ?? fresh()
  sessionStorage.setItem(name, key)
  return key
}

/** From now on the same text is a new task. */
export const forgetIdempotencyKey = (draft: string) => sessionStorage.removeItem(keyName(draft))

/** For sign-out. */
export const forgetDrafts = () => sessionStorage.clear()
