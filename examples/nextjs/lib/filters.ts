// What the list shows. It is in the address, so that a link or a reload shows the same.

import type { ListTasksData, Priority, Sort } from 'taskward-client'

export interface Filters {
  status: Status
  priority: Priority | ''
  tag: string
  q: string
  sort: Sort
}

export type Status = keyof typeof statuses

export const statuses = { all: 'All', active: 'Active', done: 'Done' }

export const priorities: Record<Priority, string> = { high: 'High', medium: 'Medium', low: 'Low' }

export const sorts: Partial<Record<Sort, string>> = {
  '-created_at': 'Newest first',
  due_date: 'Due date',
  '-priority': 'Priority',
  title: 'Title',
  '-updated_at': 'Last changed',
}

const defaults: Filters = { status: 'all', priority: '', tag: '', q: '', sort: '-created_at' }

/** A value in the address that is not known counts as the default. */
export function readFilters(params: URLSearchParams): Filters {
  const get = <Value extends string>(name: keyof Filters, known: object, fallback: Value) => {
    const value = params.get(name)
    return value !== null && Object.hasOwn(known, value) ? (value as Value) : fallback
  }
  return {
    status: get('status', statuses, defaults.status),
    priority: get('priority', priorities, defaults.priority),
    tag: params.get('tag') ?? '',
    q: params.get('q') ?? '',
    sort: get('sort', sorts, defaults.sort),
  }
}

/** The address with changed filters. The rest of it stays, and defaults are left out. */
export function writeFilters(params: URLSearchParams, changes: Partial<Filters>): string {
  const next = new URLSearchParams(params)
  for (const [name, value] of Object.entries(changes)) {
    if (value === defaults[name as keyof Filters]) next.delete(name)
    else next.set(name, value)
  }
  return next.size ? `?${next}` : '/'
}

/** Whether the filters can hide tasks. */
export const isNarrowed = ({ status, priority, tag, q }: Filters) =>
  status !== 'all' || priority !== '' || tag !== '' || q !== ''

/** Whether two lists are the same. */
export const isSameList = (one: Filters, other: Filters) =>
  writeFilters(new URLSearchParams(), one) === writeFilters(new URLSearchParams(), other)

/** The parameters of `listTasks`. */
export function listQuery({ status, priority, tag, q, sort }: Filters): ListTasksData['query'] {
  return {
    sort,
    ...(status !== 'all' && { completed: status === 'done' }),
    ...(priority && { priority }),
    ...(tag && { tag }),
    ...(q.trim() && { q: q.trim() }),
  }
}
