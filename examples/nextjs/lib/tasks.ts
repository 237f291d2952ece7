'use client'

// All tasks of the person, in the browser: a collection that `taskward-client` keeps in step with the server. What is
// changed here shows at once, and is sent when the server can be reached.

import { createCollection } from '@tanstack/react-db'
import type { Task, TaskwardClient } from 'taskward-client'
import { type Refusal, taskCollectionOptions } from 'taskward-client/tanstack-db'

import { personStorage } from './person-storage'
import { StreamState } from './stream-state'

interface Options {
  taskward: TaskwardClient
  /** The id of the person. */
  person: string
  /** Tasks that came with the page. They are shown, and can be changed, until all have come. */
  first: Task[]
  onError: (error: unknown) => void
}

export type OpenTasks = ReturnType<typeof openTasks>
export type Tasks = OpenTasks['tasks']

export function openTasks({ taskward, person, first, onError }: Options) {
  const stream = new StreamState()
  const storage = personStorage(person)
  const page = new AbortController()
  let tell = (_refusal: Refusal) => {}
  const options = taskCollectionOptions({
    taskward,
    signal: page.signal,
    // The server renders the page without the collection, and has no such storage.
    ...(typeof window !== 'undefined' && { outbox: { storage, user: person } }),
    onState: stream.note,
    onRefused: (refusal) => tell(refusal),
    onError(error) {
      stream.note({ status: 'waiting', error, ms: Infinity })
      onError(error)
    },
  })
  const { sync } = options.sync
  const tasks = createCollection({
    ...options,
    // The page needs its tasks as long as it is open.
    gcTime: 0,
    sync: {
      ...options.sync,
      sync(collection) {
        collection.begin()
        for (const value of first) collection.write({ type: 'insert', value })
        collection.commit()
        return sync(collection)
      },
    },
  })
  return {
    tasks,
    stream,
    /** Says who is told of changes that the server has refused. */
    onRefused: (listener: typeof tell) => void (tell = listener),
    /** Whether changes have not been sent: of this window, or of another one of this browser, which stores them. */
    hasUnsent: () => tasks.utils.pending() > 0 || storage.keys().length > 0,
    /** Ends everything, and forgets what has not been sent. For sign-out and deletions. */
    forget() {
      page.abort()
      storage.clear()
    },
  }
}

/** A row as a task, without what TanStack DB adds to it (`$key` and the like). */
export const plain = (row: Task): Task =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('$'))) as unknown as Task
