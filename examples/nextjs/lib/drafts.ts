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
  return [text, (text) => writeDraft(name, text)]
}

/** Moves a draft. `text` is how the other field writes it. */
export function moveDraft(from: string, to: string, text: string) {
  writeDraft(from, null)
  writeDraft(to, text)
}

/** The text of a draft at this moment. */
export const readDraft = (name: string) => sessionStorage.getItem(name)

/** Removes a draft that has been saved, unless somebody has gone on typing since. */
export function clearDraft(name: string, saved: string | null) {
  if (readDraft(name) === saved) writeDraft(name, null)
}

export function writeDraft(name: string, text: string | null) {
  if (text === null) sessionStorage.removeItem(name)
  else sessionStorage.setItem(name, text)
  listeners.forEach((listener) => listener())
}

type Owner = { id: string }

/** The names of drafts, of a new task (`new`) and of others by their keys. Those of two people differ. */
export const quickDraft = (person: Owner) => `${person.id}/quick-add`
export const taskDraft = (person: Owner, key: string) => `${person.id}/task-${key}`

/** For sign-out and deletions. */
export const forgetDrafts = () => sessionStorage.clear()
