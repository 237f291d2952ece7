'use client'

import { useOnline } from '@/lib/connection'
import { forgetDrafts } from '@/lib/drafts'
import { explain, isRefusal } from '@/lib/failures'
import { leaveIfSignedOut, usePage } from '@/lib/page-context'

import { ConfirmDialog } from './confirm-dialog'

const word = 'delete'

export function DeleteTasks({ close }: { close: () => void }) {
  const { patient, forget } = usePage()
  const online = useOnline()

  async function run(typed: string) {
    if (typed.trim().toLowerCase() !== word) return { field: `Type “${word}” to confirm.` }
    try {
      await patient.deleteMyData()
    } catch (error) {
      leaveIfSignedOut(error)
      const what = isRefusal(error) ? 'Your tasks were not deleted.' : 'It is not certain that your tasks were deleted.'
      return { form: `${what} ${explain(error, online)} Try again later.` }
    }
    // What has not been sent goes too, or it would be sent now, as new tasks.
    forgetDrafts()
    forget()
    location.assign('/account?erased=1')
    return undefined
  }
  return (
    <ConfirmDialog
      label="Delete all tasks"
      field={{ label: `Type “${word}” to confirm`, autoComplete: 'off', autoCapitalize: 'none' }}
      run={run}
      close={close}
    >
      <p>
        This deletes all your tasks for good and on all your devices, with those that you deleted before. It cannot be
        undone. Your account stays.
      </p>
    </ConfirmDialog>
  )
}
