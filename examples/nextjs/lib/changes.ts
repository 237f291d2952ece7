'use client'

// What all changes of tasks have in common.

import { useQueryClient } from '@tanstack/react-query'
import type { Task } from 'taskward-client'

import { changeLists, everyTask } from './queries'

/** Marks the mutations that change tasks. */
export const mutationKey = ['tasks']

const turns = new Map<number, Promise<unknown>>()

/**
 * Sends the changes of one task one after the other, in the order in which they were made. TanStack's `scope` would do
 * that too, but it pauses while the tab is hidden, and a change that waits in a closed tab is lost.
 */
export function inTurn<Result>(id: number, send: () => Promise<Result>): Promise<Result> {
  const turn = (turns.get(id) ?? Promise.resolve()).then(send, send)
  const end = () => turns.get(id) === turn && turns.delete(id)
  turns.set(id, turn)
  turn.then(end, end)
  return turn
}

/** Puts the current version of a task into the lists, so that the next edit starts from it. */
export function useKnow() {
  const queries = useQueryClient()
  return (task: Task) => {
    // With other changes under way the screen is ahead of this version.
    if (queries.isMutating({ mutationKey }) <= 1) changeLists(queries, (other) => (other.id === task.id ? task : other))
  }
}

/** Fetches all tasks that are shown. With other changes under way, the last of them does it. */
export function useRefresh() {
  const queries = useQueryClient()
  return () => {
    if (queries.isMutating({ mutationKey }) <= 1) void queries.invalidateQueries(everyTask)
  }
}
