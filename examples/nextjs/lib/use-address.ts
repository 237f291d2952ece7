'use client'

// The address as state: the filters and the open task. Next follows the browser's history without a request.

import { useSearchParams } from 'next/navigation'

import { type Filters, readFilters, writeFilters } from './filters'

export function useFilters() {
  const params = useSearchParams()
  const change = (changes: Partial<Filters>) => history.replaceState(null, '', writeFilters(current(), changes))
  return { filters: readFilters(params), change }
}

/**
 * The open task: its id, its uid as long as it has no id, `new`, or nothing. Opening adds a step to the history, so that
 * "back" closes the dialog.
 */
export function useOpenTask() {
  const value = useSearchParams().get('task')
  const open = (task: number | string) => {
    const params = current()
    params.set('task', String(task))
    history.pushState(null, '', `?${params}`)
  }
  const close = () => {
    const params = current()
    params.delete('task')
    history.replaceState(null, '', params.size ? `?${params}` : '/')
  }
  return { task: value !== null && /^(new|[1-9]\d*|[\da-f-]{36})$/.test(value) ? value : undefined, open, close }
}

/** The address now. The one of the last rendering may be older. */
const current = () => new URLSearchParams(location.search)
