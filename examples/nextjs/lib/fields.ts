// A task as the fields of a form, and back. Browser only: times are shown in the browser's time zone.

import type { NewTask, Priority, Task, TaskPatch } from 'taskward-client'

import { mergeTags, readTags } from './tags'

export interface Fields {
  title: string
  description: string
  priority: Priority
  /** `2026-02-06`, or empty. */
  date: string
  /** `09:00`, or empty for the whole day. */
  time: string
  /** Finished tags. They are kept as they are: one from elsewhere may contain a comma. */
  tags: string[]
  /** What is typed after them and not finished yet. */
  tagText: string
}

export function fieldsOf(task?: Task): Fields {
  const [date = '', time = ''] = task?.due_date ? localParts(task.due_date) : []
  return {
    title: task?.title ?? '',
    description: task?.description ?? '',
    priority: task?.priority ?? 'medium',
    date,
    time,
    tags: task?.tags ?? [],
    tagText: '',
  }
}

type Body = Required<Omit<NewTask, 'completed' | 'uid'>>

/** The body of `createTask`. Nothing is checked here: the server says what is wrong, and where. */
export function bodyOf(fields: Fields): Body {
  return {
    title: fields.title.trim(),
    description: fields.description.trim() || null,
    priority: fields.priority,
    due_date: fields.date && fields.time ? instant(fields.date, fields.time) : fields.date || null,
    tags: mergeTags(fields.tags, readTags(fields.tagText)).tags,
  }
}

/** The body of `updateTask`: only the members that were changed in the form. */
export function patchOf(base: Task, fields: Fields): TaskPatch {
  const [before, after] = [bodyOf(fieldsOf(base)), bodyOf(fields)]
  return Object.fromEntries(Object.entries(after).filter(([name]) => !isSame(before, after, name)))
}

/** Whether a member has the same value in two bodies. */
export const isSame = (one: Partial<NewTask>, other: Partial<NewTask>, name: string) => {
  return JSON.stringify(one[name as keyof NewTask]) === JSON.stringify(other[name as keyof NewTask])
}

/**
 * The same changes, made to a newer version of the task: what was not changed here comes from there. Date and time
 * belong together: a day from here with a time from there would be a due date that nobody chose.
 */
export function rebase(base: Task, fields: Fields, newer: Task): Fields {
  const changes = patchOf(base, fields)
  const { date, time, tags, tagText, ...others } = fields
  const mine = Object.entries(others).filter(([name]) => name in changes)
  return {
    ...fieldsOf(newer),
    ...Object.fromEntries(mine),
    ...('due_date' in changes && { date, time }),
    ...('tags' in changes && { tags, tagText }),
  }
}

/** Whether a version of the task has everything that was changed here. */
export function hasAll(base: Task, fields: Fields, version: Task): boolean {
  const missing = patchOf(version, fields)
  return Object.keys(patchOf(base, fields)).every((name) => !(name in missing))
}

/** Whether a member that was changed here was also changed in a newer version. */
export function overlaps(base: Task, fields: Fields, newer: Task): boolean {
  const there = patchOf(base, fieldsOf(newer))
  return Object.keys(patchOf(base, fields)).some((name) => name in there)
}

function localParts(due: string): string[] {
  if (!due.includes('T')) return [due]
  const time = new Date(due)
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 16).split('T')
}

function instant(date: string, time: string): string {
  const at = new Date(`${date}T${time}`)
  return Number.isNaN(at.getTime()) ? `${date}T${time}` : at.toISOString().replace('.000', '')
}
