// What keeps any copy of a user's tasks in step: all of them first, then what changes.

import type { TaskwardClient } from '../client.js'
import { TaskwardError } from '../errors.js'
import type { DeletedTask, Task } from '../generated/types.gen.js'
import { Pacing } from './pacing.js'
import { subscribe, type SubscribeOptions } from './subscribe.js'

export interface FollowOptions extends SubscribeOptions {
  /** Ask for changes every so many milliseconds, where streams are not possible. Default: no, streams are used. */
  pollMs?: number
}

/** What to do with a copy of the tasks, in one step, and up to which revision it is complete afterwards. */
export interface Step {
  /** Whether `tasks` are all that there are, and replace the copy. Otherwise they are changes of it. */
  all: boolean
  tasks: Task[]
  deleted: DeletedTask[]
  revision: number
}

/**
 * The steps that bring a copy from `since` up to date and keep it so. Without `since` the first step is the whole copy,
 * and so is one whenever the server no longer knows what has changed (410 `resync_required`).
 *
 * Ends at the abort of `signal`. Throws a TaskwardError if the server refuses for another reason.
 */
export async function* follow(
  taskward: TaskwardClient,
  options: FollowOptions = {},
): AsyncGenerator<Step, void, undefined> {
  const pacing = new Pacing(options)
  let since = options.since ?? 0
  let whole = since === 0
  while (!pacing.signal.aborted) {
    try {
      if (whole) {
        const step = await pacing.persist(() => readChanges(taskward, 0, pacing.signal))
        since = step.revision
        whole = false
        yield { ...step, deleted: [], all: true }
      }
      const changes = options.pollMs === undefined ? subscribe : poll
      for await (const step of changes(taskward, { ...options, since })) {
        since = step.revision
        yield { ...step, all: false }
      }
    } catch (error) {
      if (pacing.signal.aborted) return
      if (!TaskwardError.is(error, 'resync_required')) throw error
      whole = true
    }
  }
}

async function* poll(taskward: TaskwardClient, options: FollowOptions) {
  const pacing = new Pacing(options)
  let since = options.since ?? 0
  for (;;) {
    const changes = await pacing.persist(() => readChanges(taskward, since, pacing.signal))
    since = changes.revision
    pacing.live()
    yield changes
    await pacing.sleep(options.pollMs ?? 0)
    pacing.signal.throwIfAborted()
  }
}

/** All pages of what has changed since a revision. A task comes once in them, so they need not be merged. */
async function readChanges(taskward: TaskwardClient, since: number, signal: AbortSignal) {
  const tasks: Task[] = []
  const deleted: DeletedTask[] = []
  for (let place: { since: number } | { cursor: string } = { since }; ;) {
    const { data } = await taskward.listChanges({ query: { ...place, limit: 100 }, signal })
    tasks.push(...data.tasks)
    deleted.push(...data.deleted)
    if (data.cursor === null) return { tasks, deleted, revision: data.next }
    place = { cursor: data.cursor }
  }
}
