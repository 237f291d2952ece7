// The options of a TanStack DB collection that holds a user's tasks.

import { type Collection, type SyncConfig, type Transaction, createTransaction } from '@tanstack/db'

import type { TaskwardClient } from '../client.js'
import type { Task } from '../generated/types.gen.js'
import { type FollowOptions, follow } from '../live/follow.js'
import type { ConnectionState } from '../live/pacing.js'
import { type Change, type Mutation, toChange } from './change.js'
import { Outbox, type Refusal } from './outbox.js'
import { type TaskSchema, taskKey, taskSchema } from './rows.js'
import { type OutboxStorage, StoredChanges } from './storage.js'

export interface TaskCollectionOptions extends Omit<FollowOptions, 'since'> {
  taskward: TaskwardClient
  /**
   * Ends the stream and the sending, for good: at sign-out, for example. What is stored waits for the next collection.
   */
  signal?: AbortSignal
  /** The name of the collection. Default: `tasks`. */
  id?: string
  /**
   * Where changes are kept that have not reached the server, so that they outlive the page. `user` keeps those of
   * several users of one browser apart: the `sub` of their tokens, for example. Without it, changes wait in memory.
   */
  outbox?: { storage: OutboxStorage; user: string }
  /** Called for changes that were refused, those of an earlier page included. Their rows are as the server has them. */
  onRefused?: (refusal: Refusal) => void
  /**
   * Called when the server refuses to tell what changes, as with a token that it does not accept. See `utils.retry`.
   */
  onError?: (error: unknown) => void
}

/** What `collection.utils` has. */
export interface TaskCollectionUtils {
  /** Sends a transaction of your own, all or nothing: `createTransaction({ mutationFn: collection.utils.commit })`. */
  commit: (params: Sent) => Promise<void>
  /** How many transactions have not been answered. */
  pending: () => number
  /** Connects anew and sends what waits, at once: after sign-in, for example. */
  retry: () => void
}

/**
 * What `taskCollectionOptions` gives, for `createCollection` or to be wrapped first, as by a persistence of TanStack
 * DB.
 */
export interface TaskCollectionConfig {
  id: string
  schema: TaskSchema
  getKey: (task: Task) => string
  sync: SyncConfig<Task, string>
  onInsert: TaskCollectionUtils['commit']
  onUpdate: TaskCollectionUtils['commit']
  onDelete: TaskCollectionUtils['commit']
  utils: TaskCollectionUtils
}

interface Sent {
  transaction: { state: Transaction['state']; mutations: readonly (Mutation & { collection: { utils: unknown } })[] }
}

/** The revision up to which the rows are complete, among the collection's metadata. */
const REVISION = 'taskward:revision'

/**
 * Options for `createCollection`: a collection of all the user's tasks. It follows what others change. What is
 * inserted, changed and deleted shows at once, and is sent in order, now or when the server is there again. A
 * transaction is persisted when its change has come back; it fails with a TaskwardError if the server refuses it, or
 * if others have changed the same members of the task (`version_mismatch`).
 */
export function taskCollectionOptions(options: TaskCollectionOptions): TaskCollectionConfig {
  const { taskward, id = 'tasks', outbox: keep, onRefused = () => {}, onError = () => {}, ...following } = options
  const arrivals = new Arrivals()
  const stored = keep && new StoredChanges(keep.storage, keep.user, following.signal)
  const outbox = new Outbox(taskward, { ...following, onState: () => {}, stored, onRefused })
  let restart = () => {}
  let restored = false

  const utils: TaskCollectionUtils = {
    async commit({ transaction }) {
      const own = transaction.mutations.filter(({ collection }) => collection.utils === utils)
      const changes = own.map(toChange).filter((change) => change !== undefined)
      if (changes.length === 0) return
      await arrivals.of(await outbox.add(changes, () => transaction.state === 'failed'))
    },
    pending: () => outbox.size,
    retry() {
      restart()
      outbox.wake()
    },
  }

  const sync: SyncConfig<Task, string>['sync'] = ({
    collection,
    begin,
    write,
    commit,
    truncate,
    metadata,
    ...mark
  }) => {
    let stop = new AbortController()
    following.signal?.addEventListener('abort', () => stop.abort())
    const run = async ({ signal }: AbortController) => {
      const since = metadata?.collection.get(REVISION) as number | undefined
      const onState = (state: ConnectionState) => {
        if (state.status === 'live') outbox.wake()
        following.onState?.(state)
      }
      for await (const step of follow(taskward, {
        ...following,
        ...(since !== undefined && { since }),
        signal,
        onState,
      })) {
        if (signal.aborted) return
        begin()
        if (step.all) truncate()
        for (const value of step.tasks) write({ type: step.all ? 'insert' : 'update', value })
        for (const task of step.deleted) write({ type: 'delete', key: taskKey(task) })
        metadata?.collection.set(REVISION, step.revision)
        commit()
        arrivals.reach(step.revision)
        mark.markReady()
      }
    }
    const start = () => {
      if (following.signal?.aborted) return
      run(stop).catch((error: unknown) => {
        if (collection.status === 'loading') mark.markError(error)
        onError(error)
      })
    }
    restart = () => {
      stop.abort()
      stop = new AbortController()
      start()
    }
    // A persisted collection has rows already, and the revision that belongs to them.
    const hasRows = metadata?.collection.get(REVISION) !== undefined
    if (hasRows) mark.markReady()
    if (stored && !restored) {
      restored = true
      const takeOver = () =>
        void stored.takeOver((key, changes) => show(collection, changes, () => arrive(key, changes))).catch(onError)
      if (hasRows) collection.onFirstReady(takeOver)
      else takeOver()
    }
    start()
    return () => stop.abort()
  }
  const arrive = async (key: string, changes: Change[]) => arrivals.of(await outbox.restore(key, changes))

  return {
    id,
    schema: taskSchema,
    getKey: taskKey,
    sync: { sync, rowUpdateMode: 'full' },
    onInsert: utils.commit,
    onUpdate: utils.commit,
    onDelete: utils.commit,
    utils,
  }
}

/** Who waits for which revision. */
class Arrivals {
  #reached = 0
  #waiting: { revision: number; resolve: () => void }[] = []

  of(revision: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ revision, resolve })
      this.reach(this.#reached)
    })
  }

  reach(revision: number): void {
    this.#reached = revision
    for (const { resolve } of this.#waiting.filter((one) => one.revision <= revision)) resolve()
    this.#waiting = this.#waiting.filter((one) => one.revision > revision)
  }
}

/** Shows the changes of an earlier page, as far as their rows are there, until `sent` settles. */
function show(collection: Collection<Task, string, any, any, any>, changes: Change[], sent: () => Promise<void>): void {
  const transaction = createTransaction({ autoCommit: false, mutationFn: sent })
  transaction.mutate(() => {
    for (const change of changes) {
      const { op, key, row } = change
      const isThere = collection.has(key)
      if ((op === 'create' || op === 'restore') && !isThere) collection.insert(row)
      if (op === 'update' && isThere) collection.update(key, (draft) => void Object.assign(draft, change.patch))
      if (op === 'delete' && isThere) collection.delete(key)
    }
  })
  // (A transaction without a mutation would not be sent.)
  if (transaction.mutations.length === 0) sent().catch(() => {})
  else transaction.commit().catch(() => {})
}
