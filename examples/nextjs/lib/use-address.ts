'use client'

// The address as state: filters, and the task that is open. Next follows the browser's history without asking the server.

import { useSearchParams } from 'next/navigation'

import { type Filters, readFilters, writeFilters } from './filters'

export function useFilters() {
  const params = useSearchParams()
  const change = (changes: Partial<Filters>) => history.replaceState(null, '', writeFilters(current(), changes))
  return { filters: readFilters(params), change }
}

/** The open task: its number, `new`, or nothing. Opening is a step in the history, so that "back" closes. */
export function useOpenTask() {
  const value = useSearchParams().get('task')
  const open = (task: number | 'new') => {
    const params = current()
    params.set('task', String(task))
    history.pushState(null, '', `?${params}`)
  }
  const close = () => {
    const params = current()
    params.delete('task')
    history.replaceState(null, '', params.size ? `?${params}` : '/')
  }
  const task = value === 'new' ? ('new' as const) : Number(value) > 0 ? Number(value) : undefined
  return { task, open, close }
}

/** Not that of the last rendering, which a handler may be behind of. */
const current = () => new URLSearchParams(location.search)
