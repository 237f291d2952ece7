'use client'

// What the server has refused after the page went on without its answer: it is told, and what was typed is a draft again.

import { useEffect, useEffectEvent } from 'react'
import { type Task, TaskwardError } from 'taskward-client'
import type { Change, Refusal } from 'taskward-client/tanstack-db'

import { useToasts } from '@/components/toasts'

import { readDraft, taskDraft, writeDraft } from './drafts'
import { hasChanges, readEdit, writeEdit } from './edits'
import { bodyOf, fieldsOf, rebase } from './fields'
import { usePage } from './page-context'
import { useOpenTask } from './use-address'

type Of<Op extends Change['op']> = Extract<Change, { op: Op }>

export function useRefusals() {
  const { person, tasks, awaited, onRefused } = usePage()
  const { show } = useToasts()
  const { task: opened, open } = useOpenTask()

  const tell = useEffectEvent(({ changes, error }: Refusal) => {
    for (const change of changes) {
      if (awaited.has(change.key)) continue
      if (change.op === 'create') tellOfNew(change, error)
      else if (change.op === 'update') tellOfEdit(change, error)
      else if (change.op === 'delete') tellOfDeletion(change, error)
      else show({ text: `“${change.row.title}” was not restored.`, error })
    }
  })
  useEffect(() => onRefused((refusal) => tell(refusal)), [onRefused])

  function tellOfNew({ row }: Of<'create'>, error: unknown) {
    const action = asNew(row)
    // It had been created, but the answer was lost; and then it was deleted.
    if (TaskwardError.is(error, 'uid_of_deleted_task')) show({ text: `“${row.title}” was deleted elsewhere.`, action })
    else show({ text: `“${row.title}” was not added.`, error, action })
  }

  function tellOfEdit({ key, row, patch }: Of<'update'>, error: unknown) {
    const mine = { ...row, ...patch } as Task
    if (TaskwardError.is(error, 'task_not_found')) {
      show({ text: `“${row.title}” was deleted elsewhere, and your change with it.`, action: asNew(mine) })
      return
    }
    if (Object.keys(patch).join() === 'completed') {
      show({ text: `“${row.title}” was not changed.`, error })
      return
    }
    const draft = taskDraft(person, key)
    const before = hasChanges(readDraft(draft)) ? readEdit(readDraft(draft)) : undefined
    const isRefused = TaskwardError.is(error, 'version_mismatch')
    // An edit before this one was refused with it: the draft is of both. What has been typed since has this edit in it.
    const both = before?.isRefused && rebase(row, fieldsOf(mine), { ...row, ...bodyOf(before.fields) })
    const edit = both ? { base: before.base, fields: both } : { base: row, fields: before?.fields ?? fieldsOf(mine) }
    writeDraft(draft, writeEdit({ ...edit, isRefused }))
    const compare = () => open(row.id > 0 ? row.id : key)
    if (isRefused && opened === undefined) compare()
    else if (isRefused)
      show({ text: `“${row.title}” was changed elsewhere, too.`, action: { label: 'Compare', run: compare } })
    else show({ text: `“${row.title}” was not saved.`, error, action: { label: 'Edit', run: compare } })
  }

  function tellOfDeletion({ key, row }: Of<'delete'>, error: unknown) {
    if (!TaskwardError.is(error, 'version_mismatch')) return show({ text: `“${row.title}” was not deleted.`, error })
    const again = () => void (tasks.has(key) && tasks.delete(key))
    const text = `“${row.title}” was changed elsewhere, so it was not deleted.`
    show({ text, action: { label: 'Delete it all the same', run: again } })
  }

  /** Opens the form of a new task, with what was lost. */
  function asNew(task: Task) {
    const run = () => {
      writeDraft(taskDraft(person, 'new'), writeEdit({ fields: fieldsOf(task) }))
      open('new')
    }
    return { label: 'Add it again', run }
  }
}
