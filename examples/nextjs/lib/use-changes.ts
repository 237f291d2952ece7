'use client'

// What people do with tasks. It shows at once. A message follows when the server has it, or when that takes too long; then
// it is sent later. What the server refuses is told by `use-refusals.ts`, or by the form that still waits for the answer.

import { onlineManager } from '@tanstack/react-query'
import type { NewTask, Task } from 'taskward-client'
import { taskKey } from 'taskward-client/tanstack-db'

import { useToasts } from '@/components/toasts'

import { isShown } from './arrange'
import { type Fields, hasAll, overlaps, patchOf } from './fields'
import { isNarrowed, listQuery } from './filters'
import { usePage } from './page-context'
import { plain } from './tasks'
import { useFilters } from './use-address'

/** How long to wait for an answer, in milliseconds. */
const patience = 3000

export function useChanges() {
  const { tasks, taskward, stream, lingering, awaited, removed } = usePage()
  const { filters } = useFilters()
  const { show } = useToasts()

  /** Creates a task. Rejects with what the server finds wrong with it. */
  async function create(body: NewTask) {
    const transaction = tasks.insert(body)
    const key = String(transaction.mutations[0]?.key)
    const note = await answer(key, transaction.isPersisted.promise)
    const hidden = (await isHidden(key)) ? ' It is hidden by the filters.' : ''
    show({ text: `“${body.title}” added.${note}${hidden}` })
  }

  /**
   * Saves an edit that began with `base`. Resolves to false if the same members have been changed elsewhere since, as far
   * as is known here; rejects with `version_mismatch` if the server knows of such a change.
   */
  async function save({ base, fields }: { base: Task; fields: Fields }): Promise<boolean> {
    const key = taskKey(base)
    const current = tasks.get(key)
    if (current && overlaps(base, fields, current) && !hasAll(base, fields, current)) return false
    const transaction = tasks.update(key, (draft) => void Object.assign(draft, patchOf(base, fields)))
    const note = await answer(key, transaction.isPersisted.promise)
    show({ text: `“${tasks.get(key)?.title}” saved.${note}` })
    return true
  }

  /** Ticks a task off, or on again. */
  function complete(task: Task, completed = !task.completed) {
    const key = taskKey(task)
    if (!tasks.has(key)) return // deleted elsewhere in this moment
    const transaction = tasks.update(key, (draft) => void (draft.completed = completed))
    const undo = () => {
      lingering.delete(key)
      complete(task, !completed)
    }
    afterwards(transaction.isPersisted.promise, () => {
      // In "All", opening a task again needs no message: the box is still there.
      if (!completed && filters.status !== 'done') return
      const text = completed ? `“${task.title}” is done.` : `“${task.title}” is active again.`
      show({ text, action: { label: 'Undo', run: undo } })
    })
  }

  /** Deletes a task. Resolves when the server has done it. */
  function remove(task: Task): Promise<unknown> {
    const key = taskKey(task)
    if (!tasks.has(key)) return Promise.resolve()
    lingering.delete(key)
    removed.add(key)
    const { promise } = tasks.delete(key).isPersisted
    // Later, since a row that comes back after a refusal does so at this moment.
    const forget = () => setTimeout(() => removed.delete(key))
    promise.then(forget, forget)
    const undo = { label: 'Undo', run: () => restore(task) }
    afterwards(promise, () => show({ text: `“${task.title}” deleted.`, action: undo }))
    return promise
  }

  function restore(task: Task) {
    const { uid, ...row } = plain(task)
    // A task that the server did not have yet is made anew: the uid of a deleted task cannot be used again.
    const transaction = tasks.insert(task.id > 0 ? { ...row, uid } : row)
    afterwards(transaction.isPersisted.promise, () => show({ text: `“${task.title}” is back.` }))
  }

  return { create, save, complete, remove }

  /** Waits for the answer to a form. Gives what to add to the message if none has come. Rejects if it was refused. */
  async function answer(key: string, persisted: Promise<unknown>): Promise<string> {
    awaited.add(key)
    try {
      const isSent = await Promise.race([persisted.then(() => true), late()])
      return isSent ? '' : ' It is sent when the server can be reached.'
    } finally {
      awaited.delete(key)
    }
  }

  /** Does something when a change has been made, or waits for the server. Not if it was refused. */
  function afterwards(persisted: Promise<unknown>, run: () => void) {
    Promise.race([persisted, late()]).then(run, () => {})
  }

  /** Resolves when it is clear that an answer takes longer: there is no connection, or patience is at an end. */
  function late(): Promise<false> {
    return new Promise((resolve) => {
      const isCut = () => stream.error !== undefined || !onlineManager.isOnline()
      const end = () => {
        clearTimeout(timer)
        subscriptions.forEach((unsubscribe) => unsubscribe())
        resolve(false)
      }
      const timer = setTimeout(end, isCut() ? 0 : patience)
      const subscriptions = [stream, onlineManager].map((it) => it.subscribe(() => isCut() && end()))
    })
  }

  /** Asks the server, which knows what a search matches: the newest tasks that match include this one, if it is shown. */
  async function isHidden(key: string): Promise<boolean> {
    const task = tasks.get(key)
    if (!task || !isNarrowed(filters)) return false
    if (task.id === 0) return !isShown(task, filters, undefined)
    const query = { ...listQuery(filters), sort: '-created_at', limit: 10 } as const
    const list = taskward.listTasks({ query, signal: AbortSignal.timeout(patience) })
    return list.then(
      ({ data }) => !data.items.some(({ id }) => id === task.id),
      () => false,
    )
  }
}
