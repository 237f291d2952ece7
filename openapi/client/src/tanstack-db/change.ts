// A change of one task that has not reached the server, and what becomes of it if the task has changed meanwhile.

import { TaskwardError } from '../errors.js'
import type { BatchOperation, OperationResult, Problem, Task, TaskPatch } from '../generated/types.gen.js'
import { same, taskKey, toNewTask, toPatch } from './rows.js'

/** JSON, so that it can be stored. */
export type Change =
  | { op: 'create'; key: string; row: Task }
  /** `row` is the task as the user saw it, before the change. */
  | { op: 'update'; key: string; row: Task; patch: TaskPatch }
  | { op: 'delete'; key: string; row: Task }
  | { op: 'restore'; key: string; row: Task }

/** A mutation of TanStack DB, as far as it counts here. */
export interface Mutation {
  type: 'insert' | 'update' | 'delete'
  key: unknown
  original: object
  modified: object
  changes: object
}

/** The change that a mutation asks for; undefined if it touches nothing that the server keeps. */
export function toChange({ type, original, modified, changes }: Mutation): Change | undefined {
  // Tasks that the server knows have an id. To insert one again is to undo its deletion.
  const row = { ...((type === 'insert' ? modified : original) as Task) }
  const key = taskKey(row)
  if (type === 'insert') return { op: row.id > 0 ? 'restore' : 'create', key, row }
  if (type === 'delete') return { op: 'delete', key, row }
  const patch = toPatch(changes)
  return Object.keys(patch).length === 0 ? undefined : { op: 'update', key, row, patch }
}

/** What to do with a change: send an operation, or nothing, because the task is as the user wants it, or cannot be. */
export type Decision = { send: BatchOperation } | 'done' | 'conflict'

/**
 * Decides by the newest version of the task that is known, or by that which the user saw. Others may have changed the
 * task: if they left alone what the user changes, the change is made to their version. If they changed it too, and to
 * something else, it is a conflict. A deletion conflicts with every change of others.
 */
export function decide(change: Change, newest: Task = change.row): Decision {
  const { op, row } = change
  const task = row.uid === null ? { id: row.id } : { uid: row.uid }
  if (op === 'create') return { send: { op, task: toNewTask(row) } }
  if (op === 'restore') return { send: { op, ...task } }
  // A task whose creation has not been answered has no version yet. It is created first, in a batch before this one.
  const condition = newest.version > 0 ? { if_version: newest.version } : {}
  if (op === 'delete') {
    const seen = toPatch(row)
    const untouched = Object.entries(toPatch(newest)).every(([name, value]) =>
      same(value, seen[name as keyof TaskPatch]),
    )
    return untouched ? { send: { op, ...task, ...condition } } : 'conflict'
  }
  const wanted = Object.entries(change.patch) as [keyof TaskPatch, unknown][]
  const open = wanted.filter(([name, value]) => !same(newest[name], value))
  if (open.length === 0) return 'done'
  if (open.some(([name]) => !same(newest[name], row[name]))) return 'conflict'
  return { send: { op, ...task, ...condition, patch: change.patch } }
}

/** What came of a change: it is done, is to be decided again (by `newest`, if that is known), or was refused. */
export type Outcome = { done: Task | undefined } | { again: Task | undefined } | { refused: TaskwardError }

export function judge(change: Change, { task, problem }: OperationResult): Outcome {
  if (problem === null) return { done: task ?? undefined }
  // It was deleted already, perhaps by this change, whose answer was lost.
  if (change.op === 'delete' && problem.code === 'task_not_found') return { done: undefined }
  // (A token that may not read gets no `current`, and so cannot decide.)
  if (problem.code === 'version_mismatch' && problem.current) return { again: problem.current }
  // Another change of the same transaction was refused, or the server could not do it now.
  if (problem.code === 'batch_not_done' || problem.status >= 500) return { again: undefined }
  return { refused: new TaskwardError(problem) }
}

/** The error of a conflict, as the server tells it. */
export function conflict(change: Change, current: Task): TaskwardError {
  const problem: Problem = {
    type: 'urn:taskward:problem:version_mismatch',
    title: 'Version mismatch',
    status: 412,
    code: 'version_mismatch',
    detail: `Task ${current.id} has changed since version ${change.row.version}. \`current\` shows it as it is now.`,
    request_id: '',
    current,
  }
  return new TaskwardError(problem)
}
