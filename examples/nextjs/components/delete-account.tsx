'use client'

import { deleteAccount } from '@/lib/delete-account'
import { leaveForGood, tellAccountDeleted } from '@/lib/farewell'
import { usePage } from '@/lib/page-context'
import { signInPath } from '@/lib/paths'

import { ConfirmDialog } from './confirm-dialog'

export function DeleteAccount({ close }: { close: () => void }) {
  const page = usePage()

  async function run(password: string) {
    const fault = await deleteAccount(password)
    if (fault?.isSignedOut) location.assign(signInPath('/account', true))
    if (fault) return fault
    tellAccountDeleted(page.person.id)
    leaveForGood(page)
    return undefined
  }
  return (
    <ConfirmDialog
      label="Delete account"
      field={{ label: 'Your password', type: 'password', autoComplete: 'current-password' }}
      run={run}
      close={close}
    >
      <p>This deletes all your tasks and then your account, for good and on all your devices. It cannot be undone.</p>
    </ConfirmDialog>
  )
}
