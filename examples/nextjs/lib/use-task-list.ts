'use client'

import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'

import { useClock } from './clock'
import { usePage } from './page-context'
import { taskList } from './queries'
import { useFilters } from './use-address'

/** The list that the address describes, as far as it has been fetched. */
export function useTaskList() {
  const { taskward, lingering } = usePage()
  const { filters } = useFilters()
  const { timeZone } = useClock()
  return useInfiniteQuery({ ...taskList(taskward, filters, timeZone, lingering), placeholderData: keepPreviousData })
}
