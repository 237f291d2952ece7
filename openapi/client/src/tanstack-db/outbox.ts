// Changes on their way to the server: in order, in batches, until each is done or refused.

import type { TaskwardClient } from '../client.js'
import { TaskwardError } from '../errors.js'
import type { BatchOperation, Task } from '../generated/types.gen.js'
import { Pacing, isPassing, type PacingOptions } from '../live/pacing.js'
import { type Change, conflict, decide, judge } from './change.js'
import type { StoredChanges } from './storage.js'

/** Changes that were refused, and why. They are gone from the outbox, and their rows are as the server has them. */
export interface Refusal {
  changes: readonly Change[]
  /** A TaskwardError: with `version_mismatch`, `current` is the task as others have changed it. */
  error: unknown
}

/** The changes of one transaction: all are done, or it is refused. */
interface Entry {
  /** Those that are not done yet. */
  changes: Change[]
  /** The names of the tasks that it changes. */
  keys: string[]
  stored: Promise<void>
  /** Where it is stored. */
  key: string | undefined
  /** The revision after which all of it is in the feed. */
  revision: number
  isCancelled: () => boolean
  resolve: (revision: number) => void
  reject: (error: unknown) => void
}

interface Sending {
  entry: Entry
  change: Change
  operation: BatchOperation
}

/** The most operations of a batch, and the most bytes of its body; the server takes 1 MiB. */
const MOST_OPERATIONS = 100
const MOST_BYTES = 900_000

export class Outbox {
  readonly #taskward: TaskwardClient
  readonly #stored: StoredChanges | undefined
  readonly #onRefused: (refusal: Refusal) => void
  readonly #pacing: Pacing
  /** The tasks of waiting changes, as the answers to earlier changes of them were. */
  readonly #newest = new Map<string, Task>()
  #queue: Entry[] = []
  #sending = false

  constructor(
    taskward: TaskwardClient,
    options: PacingOptions & { stored: StoredChanges | undefined; onRefused: (refusal: Refusal) => void },
  ) {
    this.#taskward = taskward
    this.#stored = options.stored
    this.#onRefused = options.onRefused
    this.#pacing = new Pacing(options)
  }

  /** How many transactions are not done yet. */
  get size(): number {
    return this.#queue.length
  }

  /** Tries now, instead of after the pause. */
  wake(): void {
    this.#pacing.wake()
  }

  /**
   * Queues the changes of a transaction, and stores them. Resolves to the revision at which the feed has them; rejects
   * with the error of the change that was refused. A transaction that `isCancelled` before it is sent is not sent.
   */
  add(changes: Change[], isCancelled: () => boolean): Promise<number> {
    return this.#enqueue(changes, this.#stored?.add(changes), isCancelled)
  }

  /** Queues changes that are stored under `key`. */
  restore(key: string, changes: Change[]): Promise<number> {
    return this.#enqueue(changes, { key, stored: Promise.resolve() }, () => false)
  }

  #enqueue(changes: Change[], at: { key: string; stored: Promise<void> } | undefined, isCancelled: () => boolean) {
    return new Promise<number>((resolve, reject) => {
      const keys = changes.map(({ key }) => key)
      const place = { key: at?.key, stored: at?.stored ?? Promise.resolve() }
      place.stored.catch(() => {})
      this.#queue.push({ changes: [...changes], keys, ...place, revision: 0, isCancelled, resolve, reject })
      void this.#send()
    })
  }

  async #send(): Promise<void> {
    if (this.#sending) return
    this.#sending = true
    while (this.#queue.length > 0 && !this.#pacing.signal.aborted) {
      const batch = await this.#next()
      if (batch.length === 0) continue
      try {
        await this.#sendBatch(batch)
        this.#pacing.reset()
      } catch (error) {
        if (this.#pacing.signal.aborted) break
        // Without a token that is accepted the changes wait, since whoever made them may sign in again.
        if (isPassing(error) || (error as TaskwardError).status === 401) await this.#pacing.wait(error)
        else for (const { entry } of batch) this.#refuse(entry, error)
      }
    }
    this.#sending = false
  }

  /**
   * What to send next. Single changes go together; a transaction of several goes alone, since all or nothing of it is
   * done. Each task occurs once, because what becomes of a change decides about the next one of that task.
   */
  async #next(): Promise<Sending[]> {
    const batch: Sending[] = []
    const met = new Set<string>()
    let bytes = 0
    for (const entry of [...this.#queue]) {
      const isFree = !entry.keys.some((key) => met.has(key))
      const goesAlone = entry.changes.length > 1
      for (const key of entry.keys) met.add(key)
      if (goesAlone && batch.length > 0) break
      if (!isFree || !(await this.#isReady(entry))) continue
      for (const sending of this.#decide(entry)) {
        bytes += new TextEncoder().encode(JSON.stringify(sending.operation)).byteLength + 1
        if (batch.length === MOST_OPERATIONS || (bytes > MOST_BYTES && batch.length > 0)) return batch
        batch.push(sending)
      }
      if (goesAlone && batch.length > 0) break
    }
    return batch
  }

  async #isReady(entry: Entry): Promise<boolean> {
    try {
      await entry.stored
    } catch (error) {
      this.#refuse(entry, error)
    }
    if (entry.isCancelled()) this.#settle(entry)
    return this.#queue.includes(entry)
  }

  #decide(entry: Entry): Sending[] {
    const sendings: Sending[] = []
    for (const change of [...entry.changes]) {
      const newest = this.#newest.get(change.key)
      const decision = decide(change, newest)
      if (decision === 'conflict') {
        this.#refuse(entry, conflict(change, newest ?? change.row))
        return []
      }
      if (decision === 'done') this.#done(entry, change, newest?.version ?? change.row.version)
      else sendings.push({ entry, change, operation: decision.send })
    }
    if (entry.changes.length === 0) this.#settle(entry)
    return sendings
  }

  async #sendBatch(batch: Sending[]): Promise<void> {
    const operations = batch.map(({ operation }) => operation)
    const { data } = await this.#taskward.batchTasks({
      body: { operations, atomic: batch.some(({ entry }) => entry.changes.length > 1) },
      signal: this.#pacing.signal,
    })
    let broken: TaskwardError | undefined
    for (const [index, { entry, change }] of batch.entries()) {
      const result = data.results[index]
      if (!result) throw new Error(`A batch of ${batch.length} operations has no result ${index}.`)
      const outcome = judge(change, result)
      if ('refused' in outcome) {
        this.#refuse(entry, outcome.refused)
        continue
      }
      const task = 'done' in outcome ? outcome.done : outcome.again
      if (task) this.#newest.set(change.key, task)
      if ('done' in outcome) this.#done(entry, change, data.revision)
      if (result.problem && result.problem.status >= 500) broken = new TaskwardError(result.problem)
    }
    for (const { entry } of batch) if (entry.changes.length === 0) this.#settle(entry)
    if (broken) throw broken
  }

  #done(entry: Entry, change: Change, revision: number): void {
    entry.changes = entry.changes.filter((other) => other !== change)
    entry.revision = Math.max(entry.revision, revision)
  }

  #settle(entry: Entry): void {
    if (this.#remove(entry)) entry.resolve(entry.revision)
  }

  /** Refuses a transaction, and with it all later ones that change one of its tasks: they were made on top of it. */
  #refuse(entry: Entry, error: unknown): void {
    if (!this.#remove(entry)) return
    // (What it throws does not stop the sending.)
    queueMicrotask(() => this.#onRefused({ changes: entry.changes, error }))
    entry.reject(error)
    for (const later of [...this.#queue]) {
      if (later.keys.some((key) => entry.keys.includes(key))) this.#refuse(later, error)
    }
  }

  #remove(entry: Entry): boolean {
    if (!this.#queue.includes(entry)) return false
    this.#queue = this.#queue.filter((other) => other !== entry)
    const waiting = new Set(this.#queue.flatMap(({ keys }) => keys))
    for (const key of entry.keys) if (!waiting.has(key)) this.#newest.delete(key)
    if (entry.key !== undefined) void this.#stored?.delete(entry.key).catch(() => {})
    return true
  }
}
