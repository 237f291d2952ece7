// The list in the browser: which of all tasks it shows, and in which order. Both are as the server has them, so that the
// list that came with the page stays as it is.

import type { Sort, Task } from 'taskward-client'

import type { Filters } from './filters'
import { fold } from './tags'

/**
 * Whether the filters show a task. `found`: the ids that match the search text, which the server knows. A task that has
 * no id yet is searched here, though less well.
 */
export function isShown(
  task: Task,
  { status, priority, tag, q }: Filters,
  found: ReadonlySet<number> | undefined,
): boolean {
  if (status !== 'all' && task.completed !== (status === 'done')) return false
  if (priority && task.priority !== priority) return false
  if (tag && !task.tags.some((other) => fold(other) === fold(tag))) return false
  if (!q.trim()) return true
  return task.id > 0 ? Boolean(found?.has(task.id)) : titleKey(task.title).includes(titleKey(q))
}

/** Compares two tasks by an order of the list. Ties are ordered by age, in the same direction. */
export function comparator(sort: Sort): (one: Task, other: Task) => number {
  const [by, sign] = sort.startsWith('-') ? [sort.slice(1), -1] : [sort, 1]
  const key: Key = keys[by as keyof typeof keys]
  return (one, other) => {
    const [a, b] = [key(one), key(other)]
    // Tasks without a due date come last in both directions.
    if (a === undefined || b === undefined) return a === b ? sign * (age(one) - age(other)) : a === undefined ? 1 : -1
    return sign * (a < b ? -1 : a > b ? 1 : age(one) - age(other))
  }
}

/** Ids are given in the order of creation. A task that has none yet is the newest. */
const age = ({ id, created_at }: Task) => (id > 0 ? id : Date.parse(created_at))

const ranks = { low: 1, medium: 2, high: 3 }

type Key = (task: Task) => number | string | undefined

const keys = {
  created_at: age,
  updated_at: ({ version }: Task) => (version > 0 ? version : Number.MAX_SAFE_INTEGER),
  due_date: ({ due_date }: Task) => (due_date === null ? undefined : instantOf(due_date)),
  priority: ({ priority }: Task) => ranks[priority],
  title: ({ title }: Task) => titleKey(title),
}

/** A day begins at its first instant in the browser's time zone. */
const instantOf = (due: string) => Date.parse(due.includes('T') ? due : `${due}T00:00`)

/** Without accents, case and runs of spaces. The server unifies some more, such as the letters of Arabic. */
const titleKey = (title: string) => fold(title.normalize('NFKD').replace(/\p{M}/gu, '')).replace(/\s+/g, ' ').trim()
