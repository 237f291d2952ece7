'use client'

import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Task } from 'taskward-client'

import { useToasts } from '@/components/toasts'

import { inTurn, mutationKey, useRefresh } from './changes'
import { usePage } from './page-context'
import { changeLists, everyTask } from './queries'

/** Deletes a task. It shows at once, is taken back if it fails, and can be undone. */
export function useDelete() {
  const { taskward, lingering } = usePage()
  const { show } = useToasts()
  const queries = useQueryClient()
  const refresh = useRefresh()
  const restore = useRestore()
  return useMutation({
    mutationKey,
    mutationFn: ({ id }: Task) => inTurn(id, () => taskward.deleteTask({ path: { id } })),
    onMutate: async ({ id }) => {
      await queries.cancelQueries(everyTask)
      lingering.delete(id)
      return changeLists(queries, (task) => (task.id === id ? undefined : task))
    },
    onError: (error, { title }, putBack) => {
      putBack?.()
      show({ text: `“${title}” was not deleted.`, error })
    },
    onSuccess: (_, task) => {
      show({ text: `“${task.title}” deleted.`, action: { label: 'Undo', run: () => restore.mutate(task) } })
    },
    onSettled: refresh,
  })
}

function useRestore() {
  const { taskward } = usePage()
  const { show } = useToasts()
  const refresh = useRefresh()
  const restore = useMutation({
    mutationKey,
    mutationFn: ({ id }: Task) => inTurn(id, () => taskward.restoreTask({ path: { id } })),
    onSuccess: (_, { title }) => show({ text: `“${title}” is back.` }),
    onError: (error, task) => {
      const action = { label: 'Try again', run: () => restore.mutate(task) }
      show({ text: `“${task.title}” was not restored.`, error, action })
    },
    onSettled: refresh,
  })
  return restore
}
