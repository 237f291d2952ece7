// What somebody is typing in the dialog, as it is kept in a draft.

import type { Task } from 'taskward-client'

import { type Fields, bodyOf, fieldsOf, patchOf } from './fields'

export interface Edit {
  /** The task as it was when the edit began, so that a later save cannot overwrite what came after. None is a new task. */
  base?: Task | undefined
  fields: Fields
  /** The server has refused to save it, since the same was changed elsewhere. */
  isRefused?: boolean | undefined
}

/** The edit of a draft, or one that begins now. */
export function readEdit(draft: string | null, task?: Task): Edit {
  return draft ? (JSON.parse(draft) as Edit) : { base: task, fields: fieldsOf(task) }
}

export const writeEdit = (edit: Edit) => JSON.stringify(edit)

/** Whether saving would change anything, or create a task with anything in it. */
export function isChanged({ base, fields }: Edit): boolean {
  if (base) return Object.keys(patchOf(base, fields)).length > 0
  return JSON.stringify(bodyOf(fields)) !== JSON.stringify(bodyOf(fieldsOf()))
}

/** Whether a draft has unsaved changes. */
export const hasChanges = (draft: string | null) => draft !== null && isChanged(readEdit(draft))
