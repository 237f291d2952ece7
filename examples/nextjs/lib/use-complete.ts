'use client'

import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Task } from 'taskward-client'

import { useToasts } from '@/components/toasts'

import { inTurn, mutationKey, useKnow, useRefresh } from './changes'
import { usePage } from './page-context'
import { changeLists, everyTask } from './queries'
import { useFilters } from './use-address'

/** Ticks a task off, or on again. It shows at once, and is taken back if it fails. */
export function useComplete() {
  const { taskward, lingering } = usePage()
  const { filters } = useFilters()
  const { show } = useToasts()
  const queries = useQueryClient()
  const know = useKnow()
  const refresh = useRefresh()
  const toggle = useMutation({
    mutationKey,
    mutationFn: ({ id, completed }: Task) => {
      const update = () => taskward.updateTask({ path: { id }, body: { completed: !completed } })
      return inTurn(id, async () => (await update()).data)
    },
    onMutate: async ({ id, completed }) => {
      await queries.cancelQueries(everyTask)
      changeLists(queries, (task) => (task.id === id ? { ...task, completed: !completed } : task))
    },
    onSuccess: (task) => {
      know(task)
      // In "All", opening a task again needs no message: the box is still there.
      if (!task.completed && filters.status !== 'done') return
      const text = task.completed ? `“${task.title}” is done.` : `“${task.title}” is active again.`
      show({ text, action: { label: 'Undo', run: () => undo(task) } })
    },
    onError: (error, { id, title, completed }) => {
      changeLists(queries, (task) => (task.id === id ? { ...task, completed } : task))
      show({ text: `“${title}” was not changed.`, error })
    },
    onSettled: refresh,
  })
  function undo(task: Task) {
    lingering.delete(task.id)
    toggle.mutate(task)
  }
  return toggle
}
