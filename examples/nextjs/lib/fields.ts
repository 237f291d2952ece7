// A task as the fields of a form, and back. In the browser only: times are shown in its time zone.

import type { NewTask, Priority, Task, TaskPatch } from 'taskward-client'

export interface Fields {
  title: string
  description: string
  priority: Priority
  /** `2026-02-06`, or empty. */
  date: string
  /** `09:00`, or empty for the whole day. */
  time: string
  /** Separated by commas. */
  tags: string
}

export function fieldsOf(task?: Task): Fields {
  const [date = '', time = ''] = task?.due_date ? localParts(task.due_date) : []
  return {
    title: task?.title ?? '',
    description: task?.description ?? '',
    priority: task?.priority ?? 'medium',
    date,
    time,
    tags: task?.tags.join(', ') ?? '',
  }
}

type Body = Required<Omit<NewTask, 'completed'>>

/** The body of `createTask`. Nothing is checked here: the server says what is wrong, and where. */
export function bodyOf(fields: Fields): Body {
  const tags = fields.tags.split(',').map((tag) => tag.trim())
  return {
    title: fields.title.trim(),
    description: fields.description.trim() || null,
    priority: fields.priority,
    due_date: fields.date && fields.time ? instant(fields.date, fields.time) : fields.date || null,
    tags: tags.filter((tag) => tag !== ''),
  }
}

/** The body of `updateTask`: only what was changed. What was not is none of the form's business. */
export function patchOf(base: Task, fields: Fields): TaskPatch {
  const [before, after] = [bodyOf(fieldsOf(base)), bodyOf(fields)]
  const changed = Object.entries(after).filter(([name, value]) => {
    return JSON.stringify(value) !== JSON.stringify(before[name as keyof Body])
  })
  return Object.fromEntries(changed)
}

/**
 * The same changes, made to a newer version of the task: what was not touched here is taken from there. Date and time are
 * one: a day from here at a time from there would be due when nobody wanted it.
 */
export function rebase(base: Task, fields: Fields, newer: Task): Fields {
  const changes = patchOf(base, fields)
  const { date, time, ...others } = fields
  const mine = Object.entries(others).filter(([name]) => name in changes)
  return { ...fieldsOf(newer), ...Object.fromEntries(mine), ...('due_date' in changes && { date, time }) }
}

/** Whether a version has everything that was changed here, member by member as the server has them. */
export function hasAll(base: Task, fields: Fields, version: Task): boolean {
  const missing = patchOf(version, fields)
  return Object.keys(patchOf(base, fields)).every((name) => !(name in missing))
}

/** Whether something that was changed here has another value in a newer version than it had when the edit began. */
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
