// A copy of a user's tasks that stays in step by itself.

import type { TaskwardClient } from '../client.js'
import type { Task } from '../generated/types.gen.js'
import { follow, type FollowOptions } from './follow.js'

export interface SyncOptions extends Omit<FollowOptions, 'since'> {
  /** An earlier state, to go on from there. The two belong together: keep and hand in both. */
  from?: { tasks: Iterable<Task>; cursor: number }
}

/** The tasks at one moment. Each state has a map of its own, which does not change afterwards. */
export interface SyncState {
  /** All tasks by `id`, without the deleted ones. */
  tasks: ReadonlyMap<number, Task>
  /** The revision up to which `tasks` are complete, for `from`. */
  cursor: number
}

/**
 * The user's tasks as they are, again after each change: all of them first (or those that have changed since `from`),
 * then what others change, within a moment. If the server no longer knows what has changed since then, all are read
 * again, and replace the old ones in one step.
 *
 * Ends at the abort of `signal`. Throws a TaskwardError if the server refuses for good, as with a token that it does
 * not accept; `from: state` goes on from the last state.
 */
export async function* sync(
  taskward: TaskwardClient,
  { from, ...options }: SyncOptions = {},
): AsyncGenerator<SyncState, void, undefined> {
  let tasks = new Map(Array.from(from?.tasks ?? [], (task) => [task.id, task]))
  for await (const step of follow(taskward, { ...options, ...(from && { since: from.cursor }) })) {
    tasks = new Map(step.all ? [] : tasks)
    for (const task of step.tasks) tasks.set(task.id, task)
    for (const { id } of step.deleted) tasks.delete(id)
    yield { tasks, cursor: step.revision }
  }
}
